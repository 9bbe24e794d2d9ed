#ifndef FS_AHEAD_H
#define FS_AHEAD_H

/*
 * Reading ahead over many small files. Whoever walks a tree (tar, grep -r, cp
 * -r, rsync) reads files in the order in which they were listed, and in that
 * order nodes got their ids and backups stored the files. So when files are
 * read in the order of their ids, those that come next have their segments
 * opened ahead of time. Thread: safe.
 */
#include "fs/node.h"

struct ahead;

NODISCARD int ahead_new(
    struct nodes *nodes, struct ahead **out, struct err *err);
void ahead_free(struct ahead *a);
DEFINE_AUTO(ahead, ahead_free)

/** ahead_of(a, n, size): The beginning of file ${n} is being read. */
void ahead_of(struct ahead *a, const struct node *n, uint64_t size);

#endif
