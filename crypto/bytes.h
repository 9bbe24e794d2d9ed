#ifndef CRYPTO_BYTES_H
#define CRYPTO_BYTES_H

/*
 * Byte cursors: the only way a stored format is read or written.
 *
 * A reader (struct rd) borrows its bytes. The first read past the end, or of a
 * malformed value, makes it fail for good: every later read yields 0 or NULL,
 * so that a decoder may check once, with rd_done(). A writer (struct wr) owns
 * a growing buffer and fails for good when memory runs out.
 *
 * Integers are little-endian. A varint is LEB128, at most 10 bytes, in its
 * shortest form (a longer form makes the reader fail). A signed varint is
 * zigzag-coded. A string is a varint length and that many bytes.
 * Source: FORMAT.md section 1. Thread: a cursor belongs to one thread.
 */
#include "crypto/attr.h"

#include <stdbool.h>
#include <stdint.h>

struct rd {
	const uint8_t *p;
	const uint8_t *end;
	bool failed;
};

struct rd rd_init(const void *buf, size_t len);
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
uint64_t rd_varint(struct rd *r);
int64_t rd_svarint(struct rd *r);

/** rd_bytes(r, len): ${len} borrowed bytes, or NULL when fewer are left. */
const uint8_t *rd_bytes(struct rd *r, size_t len);

/** rd_copy(r, dst, len): Copy ${len} bytes; zeros when fewer are left. */
void rd_copy(struct rd *r, void *dst, size_t len);

/** rd_string(r, len): A varint length and its borrowed bytes, or NULL. */
const uint8_t *rd_string(struct rd *r, size_t *len);

/**
 * rd_count(r, min_size):
 * A varint count of items that each take at least ${min_size} (>= 1) of the
 * bytes that are left; more than could fit fails. Call it before allocating.
 */
size_t rd_count(struct rd *r, size_t min_size);

/** rd_left(r): Bytes not read yet; 0 after a failure. */
size_t rd_left(const struct rd *r);

/** rd_done(r): Whether nothing failed and nothing is left. */
bool rd_done(const struct rd *r);

struct wr {
	uint8_t *buf; /* owned; wr_clear() frees it */
	size_t len;
	size_t cap;
	bool failed;
	bool secret; /* wipe memory that is outgrown, reset or cleared */
};

void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_varint(struct wr *w, uint64_t v);
void wr_svarint(struct wr *w, int64_t v);
void wr_bytes(struct wr *w, const void *src, size_t len);
void wr_string(struct wr *w, const void *src, size_t len);

/** wr_space(w, len): Append ${len} bytes to be filled; NULL out of memory. */
uint8_t *wr_space(struct wr *w, size_t len);

/** wr_reserve(w, len): Make room for ${len} bytes at once, if that can be. */
void wr_reserve(struct wr *w, size_t len);

/** wr_reset(w): Forget the contents, keep the memory and clear a failure. */
void wr_reset(struct wr *w);

/** wr_clear(w): Free the buffer and start afresh. */
void wr_clear(struct wr *w);

/** wr_steal(w): Hand the buffer to the caller (free); ${w} is cleared. */
uint8_t *wr_steal(struct wr *w);

/** WR_AUTO struct wr w = { 0 }; clears itself at the end of its scope. */
#define WR_AUTO __attribute__((cleanup(wr_clear)))

#endif
