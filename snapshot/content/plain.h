#ifndef SNAPSHOT_CONTENT_PLAIN_H
#define SNAPSHOT_CONTENT_PLAIN_H

/*
 * Private to this folder: memory for plaintext. It is left out of core files,
 * wiped before the system gets it back and, where the system's limit allows,
 * locked. A few freed buffers (6 MiB) are kept as they are for the next
 * allocation of about that size: mapping fresh pages for every segment would
 * cost a third of its decoding, and wiping what the next segment overwrites a
 * twentieth.
 *
 * Reference-counted, because segments outlive whoever opened them.
 * Thread: safe.
 */
#include "crypto/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

struct plain_buf {
	uint8_t *p;
	size_t asked; /* what plain_alloc() was asked for */
	size_t used;  /* behind so many bytes from the start, all are zero */
};

/**
 * plain_alloc(p, len, out): ${len} (>= 1) bytes of no particular content. False,
 * and an empty buffer, when there is no memory.
 */
NODISCARD bool plain_alloc(
    struct plain_pool *p, size_t len, struct plain_buf *out);

/** plain_use(buf, len): The first ${len} bytes will be written to. */
void plain_use(struct plain_buf *buf, size_t len);

/*
 * What to ask for at least where a buffer is for a moment only: buffers of one
 * size are always of use again, and what is not touched takes no memory.
 */
#define PLAIN_SCRATCH (320 * 1024)

/** plain_free(p, buf): Which is empty then; an empty one is fine. */
void plain_free(struct plain_pool *p, struct plain_buf *buf);

/** plain_room(len): What an allocation of ${len} bytes really takes. */
size_t plain_room(size_t len);

#endif
