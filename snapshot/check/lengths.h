#ifndef SNAPSHOT_CHECK_LENGTHS_H
#define SNAPSHOT_CHECK_LENGTHS_H

/*
 * Private to this folder: how long each chunk is, as far as it was read: a
 * Bloom filter, since there may be very many. What was added is always found;
 * of other lengths about one in a thousand passes for it.
 * Thread: lengths_add() and lengths_has() are safe.
 */
#include "snapshot/content/mix.h"

#include <stdatomic.h>

struct lengths {
	const struct mix *mix;
	_Atomic uint64_t *words; /* NULL: it knows nothing */
	size_t n;                /* a power of two */
};

/**
 * lengths_init(l, mix, chunks, err):
 * For about ${chunks}: 2 to 4 bytes each, and at most 256 MiB.
 */
NODISCARD int lengths_init(
    struct lengths *l, const struct mix *mix, uint64_t chunks, struct err *err);
void lengths_clear(struct lengths *l);
void lengths_add(
    struct lengths *l, const struct chunk_name *name, uint32_t len);
bool lengths_has(
    const struct lengths *l, const struct chunk_name *name, uint32_t len);

#endif
