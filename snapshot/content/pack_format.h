#ifndef SNAPSHOT_CONTENT_PACK_FORMAT_H
#define SNAPSHOT_CONTENT_PACK_FORMAT_H

/* Private to this folder: the bytes of a pack (FORMAT.md section 6). */
#include "crypto/object.h"
#include "crypto/packkey.h"
#include "snapshot/content/frame.h"
#include "snapshot/content/pack.h"
#include "snapshot/content/segment_internal.h"

#define PACK_VERSION OBJECT_VERSION
#define PACK_AD_LEN (PACK_HEADER_LEN + 4 + 8)
#define PACK_TABLE_COUNTER UINT64_MAX
#define PACK_TABLE_NUMBER UINT32_MAX

#define PACK_SEALED_MIN (SEGMENT_PLAIN_MIN + AEAD_TAG_LEN)
#define PACK_SEALED_MAX (SEGMENT_PLAIN_MAX + AEAD_TAG_LEN)
/* The shortest sealed table: a count, a length, the tag. */
#define PACK_TABLE_MIN (1 + 1 + AEAD_TAG_LEN)

_Static_assert(FRAME_TAIL_LEN == PACK_TAIL_LEN, "one kind of tail");

/** pack_header_encode(): Appends PACK_HEADER_LEN bytes. */
void pack_header_encode(const struct pack_id *id, struct wr *w);
/** pack_header_decode(): Errors: ERR_CORRUPT; ERR_VERSION. */
NODISCARD int pack_header_decode(
    const uint8_t buf[PACK_HEADER_LEN], struct pack_id *out, struct err *err);

/** pack_ad(): The associated data of a segment, or of the table. */
void pack_ad(const uint8_t header[PACK_HEADER_LEN], uint32_t number,
    uint64_t offset, uint8_t out[PACK_AD_LEN]);

/** pack_place_ok(place): Whether it can be one in a pack of ${size} bytes. */
bool pack_place_ok(const struct segment_place *place, uint64_t size);

/**
 * pack_table_offset(tail, size, t, err):
 * Where the sealed table of a pack of ${size} bytes lies, from its tail.
 */
NODISCARD int pack_table_offset(const uint8_t tail[PACK_TAIL_LEN],
    uint64_t size, uint64_t *t, struct err *err);

/**
 * pack_table_decode(buf, len, t, places, n, err):
 * The table's plaintext, ${len} bytes, of a pack whose table lies at ${t}.
 * *${places} is the caller's (free).
 */
NODISCARD int pack_table_decode(const uint8_t *buf, size_t len, uint64_t t,
    struct segment_place **places, size_t *n, struct err *err);

#endif
