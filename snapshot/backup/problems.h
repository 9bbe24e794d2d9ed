#ifndef SNAPSHOT_BACKUP_PROBLEMS_H
#define SNAPSHOT_BACKUP_PROBLEMS_H

/*
 * What went wrong with single entries: counted, told, and kept as the text of
 * FORMAT.md section 9.
 */
#include "snapshot/backup/item.h"

struct problems {
	const struct backup_options *opt; /* whom to tell */
	uint64_t unreadable, changed, vanished;
	struct wr text;
};

void problems_clear(struct problems *p);

/** problems_add(p, what, dir, name, errnum, err): Of the entry ${dir}/${name}. */
NODISCARD int problems_add(struct problems *p, enum backup_problem what,
    const char *dir, const char *name, int errnum, struct err *err);

#endif
