#ifndef CRYPTO_HASH_INTERNAL_H
#define CRYPTO_HASH_INTERNAL_H

/*
 * Private to this folder: how long runs of bytes are handed to SHA-256. Each of
 * its steps waits for the one before, so a processor never gets far enough ahead
 * to ask for what lies in memory in time: hashing runs at two thirds of its
 * speed, unless the bytes are asked for first, a page at a time.
 */
#include <stddef.h>
#include <stdint.h>

#define HASH_PIECE 4096
#define CACHE_LINE 64

/**
 * hash_piece(p, len):
 * How many of the ${len} bytes at ${p} to hash next; they are on their way to
 * the cache.
 */
static inline size_t
hash_piece(const uint8_t *p, size_t len)
{
	size_t n = len < HASH_PIECE ? len : HASH_PIECE;

	for (size_t i = 0; i < n; i += CACHE_LINE)
		__builtin_prefetch(p + i);
	return n;
}

#endif
