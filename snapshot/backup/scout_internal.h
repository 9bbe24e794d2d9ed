#ifndef SNAPSHOT_BACKUP_SCOUT_INTERNAL_H
#define SNAPSHOT_BACKUP_SCOUT_INTERNAL_H

/* Between the scout's queue and its looking. */
#include "snapshot/backup/scout.h"

/**
 * scout_send(s, v, err):
 * Takes the view over; waits while too much is ahead. ERR_CANCELLED when nobody
 * wants it any more.
 */
NODISCARD int scout_send(struct scout *s, struct view *v, struct err *err);

/** scout_look(s, fd, st, opt, err): All of it; ${fd} is taken over. */
NODISCARD int scout_look(struct scout *s, int fd, const struct stat *st,
    const struct scout_options *opt, struct err *err);

#endif
