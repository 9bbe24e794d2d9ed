#ifndef SNAPSHOT_BACKUP_LISTING_H
#define SNAPSHOT_BACKUP_LISTING_H

/* The names in a directory, sorted as trees sort them. */
#include "crypto/err.h"

#include <stdbool.h>

struct listing {
	char *arena; /* the names, NUL after each */
	size_t len, cap;
	const char **names; /* sorted */
	size_t n;
};

/**
 * listing_open(dir, name):
 * The directory ${name} in ${dir}, no symlink, leaving its atime alone where the
 * system lets us; -1 and errno.
 */
int listing_open(int dir, const char *name);

/** listing_read(fd, out, err): All but '.' and '..'; ${fd} stays open. */
NODISCARD int listing_read(int fd, struct listing *out, struct err *err);
void listing_clear(struct listing *l);
/** listing_has(l, name): Cost: a binary search. */
bool listing_has(const struct listing *l, const char *name);

#endif
