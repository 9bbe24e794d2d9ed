#ifndef SNAPSHOT_CONTENT_FRAME_H
#define SNAPSHOT_CONTENT_FRAME_H

/*
 * Private to this folder: the tail of packs and indexes, which says where the
 * last sealed part begins (FORMAT.md sections 6 and 7), and integers of
 * associated data.
 */
#include "crypto/bytes.h"
#include "crypto/err.h"

#define FRAME_TAIL_LEN 16

void frame_tail_write(struct wr *w, uint64_t last);
/** frame_tail_read(): ERR_CORRUPT not a tail: the object is cut off. */
NODISCARD int frame_tail_read(
    const uint8_t tail[FRAME_TAIL_LEN], uint64_t *last, struct err *err);

/** frame_le(p, v, width): ${v} in ${width} little-endian bytes at ${p}. */
void frame_le(uint8_t *p, uint64_t v, size_t width);

#endif
