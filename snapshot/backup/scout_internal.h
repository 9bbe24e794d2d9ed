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

/** scout_over(s): Nobody wants any more: what is left need not be looked at. */
bool scout_over(const struct scout *s);

/** scout_look(s, fd, st, opt, err): All of it; ${fd} is taken over. */
NODISCARD int scout_look(struct scout *s, int fd, const struct stat *st,
    const struct scout_options *opt, struct err *err);

/**
 * scout_reopen(child, root, path, st):
 * The directory that ${st} is of: the one above ${child}, which may be -1, or
 * else by ${path} from ${root}. -1: it is neither, and errno says why.
 */
NODISCARD int scout_reopen(
    int child, int root, const char *path, const struct stat *st);

#endif
