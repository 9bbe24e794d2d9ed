#ifndef SNAPSHOT_CONTENT_SEGMENT_INTERNAL_H
#define SNAPSHOT_CONTENT_SEGMENT_INTERNAL_H

/* Private to this folder: what making, reading and sealing segments share. */
#include "snapshot/content/plain.h"
#include "snapshot/content/segment.h"

/* FORMAT.md section 5. */
enum segment_codec { SEGMENT_STORED = 0, SEGMENT_ZSTD = 1 };

/* The shortest entry of the table: a length in one byte, and the name. */
#define SEGMENT_ENTRY_MIN (1 + CHUNK_NAME_LEN)
/* The shortest plaintext: codec, count, one entry and one byte. */
#define SEGMENT_PLAIN_MIN (1 + 1 + SEGMENT_ENTRY_MIN + 1)

/** segment_decoder_pool(d): Its memory, for the sealed bytes; borrowed. */
struct plain_pool *segment_decoder_pool(struct segment_decoder *d);

/**
 * segment_adopt(d, buf, len, out, err):
 * segment_decode() of the first ${len} bytes of ${buf}. What is stored as it is
 * stays where it is, in that buffer, which is then empty.
 */
NODISCARD int segment_adopt(struct segment_decoder *d, struct plain_buf *buf,
    size_t len, struct segment **out, struct err *err);

#endif
