#ifndef SNAPSHOT_RESTORE_APPLY_H
#define SNAPSHOT_RESTORE_APPLY_H

/*
 * Putting an entry's metadata on a file: owner, extended attributes (ACLs among
 * them), mode, times, in the order in which none undoes another.
 * Thread: safe.
 */
#include "snapshot/restore/restore.h"

struct apply;

/** apply_new(chunks, opt, out, err): ${chunks} has long attribute values. */
NODISCARD int apply_new(struct chunks *chunks,
    const struct restore_options *opt, struct apply **out, struct err *err);
void apply_free(struct apply *a);
DEFINE_AUTO(apply, apply_free)

/**
 * apply_inherits(a): What is made is so in a directory that was there before,
 * and whose ACLs it may have: they are taken away. To be called before any other.
 */
void apply_inherits(struct apply *a);

/** apply_fd(a, fd, e, err): To an open file or directory. */
NODISCARD int apply_fd(
    struct apply *a, int fd, const struct entry *e, struct err *err);

/** apply_at(a, dirfd, name, e, err): To what can't be opened. */
NODISCARD int apply_at(struct apply *a, int dirfd, const char *name,
    const struct entry *e, struct err *err);

#endif
