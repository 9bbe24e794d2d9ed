#ifndef SNAPSHOT_CONTENT_PLAIN_H
#define SNAPSHOT_CONTENT_PLAIN_H

/*
 * Private to this folder: memory for plaintext. It is left out of core files,
 * wiped when it is given back and, where the system's limit allows, locked. A
 * few freed buffers are kept for the next allocation of about that size:
 * mapping fresh pages for every segment would cost a third of its decoding.
 *
 * Reference-counted, because segments outlive whoever opened them.
 * Thread: safe.
 */
#include "crypto/err.h"

#include <stddef.h>

struct plain_pool;

/**
 * plain_pool_new(expected, out, err):
 * ${expected}: bytes that will be in use at once; they are locked only where
 * the limit (RLIMIT_MEMLOCK) leaves as much again for keys.
 */
NODISCARD int plain_pool_new(
    size_t expected, struct plain_pool **out, struct err *err);
struct plain_pool *plain_pool_ref(struct plain_pool *p);
void plain_pool_unref(struct plain_pool *p);
DEFINE_AUTO(plain_pool, plain_pool_unref)

/** plain_alloc(p, len): ${len} (>= 1) bytes of no particular content; or NULL. */
void *plain_alloc(struct plain_pool *p, size_t len);

/*
 * What to ask for at least where a buffer is for a moment only: buffers of one
 * size are always of use again, and what is not touched takes no memory.
 */
#define PLAIN_SCRATCH (320 * 1024)

/**
 * plain_free(p, buf, len, used):
 * ${len} as it was asked for, of which the first ${used} bytes were written to
 * and are wiped. NULL is fine.
 */
void plain_free(struct plain_pool *p, void *buf, size_t len, size_t used);

/** plain_room(len): What an allocation of ${len} bytes really takes. */
size_t plain_room(size_t len);

#endif
