#ifndef SNAPSHOT_FIND_FOUND_H
#define SNAPSHOT_FIND_FOUND_H

/*
 * The matching files found so far, each with its versions; the newest may still
 * go on. For the files of this folder.
 */
#include "snapshot/find/find.h"

struct found;

NODISCARD int found_new(struct found **out, struct err *err);
void found_free(struct found *f);
DEFINE_AUTO(found, found_free)

/**
 * found_there(f, path, len, de, snapshot, at, err):
 * In ${snapshot}, number ${at}, the file ${path} has the entry ${de}: its
 * version goes on when nothing but the inode number is another, else it ended
 * with the snapshot before, and a new one starts.
 */
NODISCARD int found_there(struct found *f, const char *path, size_t len,
    const struct dir_entry *de, const struct find_snapshot *snapshot, size_t at,
    struct err *err);

/** found_gone(f, path, len, at): In snapshot ${at} it is not there any more. */
void found_gone(struct found *f, const char *path, size_t len, size_t at);

/** found_sweep(f, at): Gone are all that were not said to be there in ${at}. */
void found_sweep(struct found *f, size_t at);

/**
 * found_finish(f, n, out, count, err):
 * All versions in order, those that go on ending with snapshot ${n} - 1.
 * *${out} is the caller's (free), what it points to remains ${f}'s.
 */
NODISCARD int found_finish(struct found *f, size_t n,
    const struct find_version ***out, size_t *count, struct err *err);

#endif
