#ifndef SNAPSHOT_RESTORE_MADE_H
#define SNAPSHOT_RESTORE_MADE_H

/*
 * The files with several links that a restore has made, by inode number, and
 * where their first link is. Forgotten when all links have been made.
 * Thread: belongs to one thread.
 */
#include "crypto/err.h"

#include <stdint.h>

struct made;

NODISCARD int made_new(struct made **out, struct err *err);
void made_free(struct made *m);
DEFINE_AUTO(made, made_free)

/**
 * made_find(m, ino, nlink): The first link's path from the target's root, or
 * NULL. Counts as one link made. Borrowed until the next call.
 */
const char *made_find(struct made *m, uint64_t ino, uint64_t nlink);

/** made_add(m, ino, path, err): The first link. */
NODISCARD int made_add(
    struct made *m, uint64_t ino, const char *path, struct err *err);

#endif
