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

/**
 * What is called, from any thread, for each file that was added. ${whole}: it
 * has its bytes, though its metadata may have failed; else it is empty. ${err}
 * is NULL when all is well.
 */
typedef void filler_done_fn(void *arg, const char *path, void *tag,
    uint64_t bytes, bool whole, const struct err *err);

NODISCARD int filler_new(struct chunks *chunks, struct apply *apply,
    const struct restore_options *opt, filler_done_fn *done, void *arg,
    struct filler **out, struct err *err);
/** filler_free(f): What is not finished ends soon, with ERR_CANCELLED. */
void filler_free(struct filler *f);
DEFINE_AUTO(filler, filler_free)

/**
 * filler_add(f, fd, path, de, tag, err):
 * Fill ${fd} (taken over, closed in the end) with the file ${de}, and put its
 * metadata on it. Waits while the queue is full. ${path} and ${tag} are what
 * the filler_done_fn is told, which is not called when this fails.
 */
NODISCARD int filler_add(struct filler *f, int fd, const char *path,
    const struct dir_entry *de, void *tag, struct err *err);

/** filler_wait(f): Until all that was added is finished. */
void filler_wait(struct filler *f);

#endif
