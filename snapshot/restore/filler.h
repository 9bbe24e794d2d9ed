#ifndef SNAPSHOT_RESTORE_FILLER_H
#define SNAPSHOT_RESTORE_FILLER_H

/*
 * Filling files: threads that read content and write it. A big file is filled
 * in parts by several of them; whoever ends the last part finishes it.
 *
 *	the walk creates files  -->  [ queue of parts ]  -->  threads
 *
 * The queue is bounded, and so is the number of open files.
 */
#include "snapshot/restore/apply.h"

struct filler;

/** What is called when a file is finished, or could not be; from any thread. */
typedef void filler_done_fn(void *arg, const char *path, uint64_t bytes,
    const struct err *err /* NULL: all is well */);

NODISCARD int filler_new(struct chunks *chunks, struct apply *apply,
    const struct restore_options *opt, filler_done_fn *done, void *arg,
    struct filler **out, struct err *err);
/** filler_free(f): Drops what is queued, and waits for what is under way. */
void filler_free(struct filler *f);
DEFINE_AUTO(filler, filler_free)

/**
 * filler_add(f, fd, path, de, err):
 * Fill ${fd} (taken over, closed in the end) with the file ${de}, and put its
 * metadata on it. Waits while the queue is full.
 */
NODISCARD int filler_add(struct filler *f, int fd, const char *path,
    const struct dir_entry *de, struct err *err);

/** filler_wait(f): Until all that was added is finished. */
void filler_wait(struct filler *f);

#endif
