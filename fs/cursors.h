#ifndef FS_CURSORS_H
#define FS_CURSORS_H

/*
 * Where listings will probably go on: a few directory cursors, each kept for
 * the node and the entry that it stands before. A long listing takes its cursor
 * up again where it left it, without a search. Thread: safe.
 */
#include "snapshot/tree/dir.h"

struct cursors;

NODISCARD int cursors_new(struct cursors **out, struct err *err);
void cursors_free(struct cursors *c);
DEFINE_AUTO(cursors, cursors_free)

/**
 * cursors_take(c, chunks, id, ref, at, out, err):
 * A cursor over the directory ${ref} of node ${id}, before its entry ${at}. It
 * is the caller's until cursors_keep().
 */
NODISCARD int cursors_take(struct cursors *c, struct chunks *chunks,
    uint64_t id, const struct dir_ref *ref, uint64_t at,
    struct dir_cursor **out, struct err *err);

/** cursors_keep(c, id, at, cur): ${cur} now stands before ${at}; taken over. */
void cursors_keep(
    struct cursors *c, uint64_t id, uint64_t at, struct dir_cursor *cur);

#endif
