#ifndef SNAPSHOT_CONTENT_PREFETCH_H
#define SNAPSHOT_CONTENT_PREFETCH_H

/*
 * Private to this folder: a bounded queue of chunks that will be wanted soon,
 * and the threads that serve it. Thread: safe.
 */
#include "crypto/err.h"
#include "crypto/namer.h"

struct prefetch;

NODISCARD int prefetch_new(struct prefetch **out, struct err *err);
/** prefetch_free(p): Forgets what is queued and waits for what is running. */
void prefetch_free(struct prefetch *p);
DEFINE_AUTO(prefetch, prefetch_free)

/** prefetch_start(p, n, err): ${n} more threads. */
NODISCARD int prefetch_start(struct prefetch *p, unsigned n, struct err *err);

typedef void prefetch_fn(void *owner, const struct chunk_name *name);

/**
 * prefetch_put(p, fn, owner, name):
 * Have a thread call ${fn}. Does nothing when the queue is full, or when there
 * are no threads.
 */
void prefetch_put(struct prefetch *p, prefetch_fn *fn, void *owner,
    const struct chunk_name *name);

/** prefetch_forget(p, owner): When it returns, no call for ${owner} comes. */
void prefetch_forget(struct prefetch *p, const void *owner);

#endif
