#ifndef SNAPSHOT_CONTENT_SEGMENT_H
#define SNAPSHOT_CONTENT_SEGMENT_H

/*
 * Segments: several chunks compressed together (FORMAT.md section 5). This
 * module turns chunks into a segment's plaintext and back; sealing is the
 * pack's business.
 */
#include "crypto/bytes.h"
#include "crypto/namer.h"

#define CHUNK_MAX (1024 * 1024)
#define SEGMENT_MAX (4 * 1024 * 1024)
#define SEGMENT_CHUNKS_MAX 16384

/* What a chunk takes in a segment's table, at most: 4-byte length and name. */
#define SEGMENT_ENTRY_MAX (4 + CHUNK_NAME_LEN)
/* The longest plaintext: codec, count, table, and the chunks as they are. */
#define SEGMENT_PLAIN_MAX                                                      \
	(1 + 3 + SEGMENT_CHUNKS_MAX * SEGMENT_ENTRY_MAX + SEGMENT_MAX)

/* --- making ------------------------------------------------------------ */

/* Collects chunks. Thread: belongs to one thread. */
struct segment_builder;

NODISCARD int segment_builder_new(
    struct segment_builder **out, struct err *err);
void segment_builder_free(struct segment_builder *b);
DEFINE_AUTO(segment_builder, segment_builder_free)

/**
 * segment_builder_add(b, name, kind, buf, len, err):
 * Copies the ${len} (1..CHUNK_MAX) bytes. Errors: ERR_USAGE more than
 * SEGMENT_MAX bytes or SEGMENT_CHUNKS_MAX chunks; ERR_NOMEM.
 */
NODISCARD int segment_builder_add(struct segment_builder *b,
    const struct chunk_name *name, enum chunk_kind kind, const void *buf,
    size_t len, struct err *err);

/**
 * segment_builder_bytes(b):
 * Bytes that the segment would have uncompressed: the chunks and their table.
 */
size_t segment_builder_bytes(const struct segment_builder *b);
size_t segment_builder_count(const struct segment_builder *b);
/** segment_builder_name(b, i): Of the i-th chunk; valid until _reset. */
const struct chunk_name *segment_builder_name(
    const struct segment_builder *b, size_t i);

/* How much work a segment is worth; text of databases, MB/s a core. */
enum segment_effort {
	SEGMENT_SWIFT,    /* 500 */
	SEGMENT_THOROUGH, /* 150, a sixth smaller */
	SEGMENT_UTMOST,   /* 20, a third smaller */
	SEGMENT_EFFORTS,
};

/** segment_builder_effort(b, e): From now on; SEGMENT_SWIFT at first. */
void segment_builder_effort(struct segment_builder *b, enum segment_effort e);

/**
 * segment_builder_finish(b, out, err):
 * Compress and append the segment's plaintext to ${out}. What a quick look
 * shows to be incompressible is stored as it is. The builder keeps its chunks
 * until segment_builder_reset(). Errors: ERR_USAGE no chunk; ERR_NOMEM.
 * Cost: zstd's; about 400 MB/s of source text.
 */
NODISCARD int segment_builder_finish(
    struct segment_builder *b, struct wr *out, struct err *err);
/** segment_builder_reset(b): Empty; the next segment overwrites the bytes. */
void segment_builder_reset(struct segment_builder *b);

/* --- reading ----------------------------------------------------------- */

/*
 * What decoding needs beside the bytes: zstd contexts and the memory that
 * segments lie in, kept for the next one. Reference-counted: a segment holds
 * its decoder. Thread: safe.
 */
struct segment_decoder;

/**
 * segment_decoder_new(memory, out, err):
 * The memory is left out of core files and wiped before the system gets it back;
 * that of a segment nobody refers to is kept for the next one. It is
 * locked, too, where the limit (RLIMIT_MEMLOCK) leaves room for ${memory} bytes
 * (those expected to be in use at once) beside the keys.
 */
NODISCARD int segment_decoder_new(
    size_t memory, struct segment_decoder **out, struct err *err);
struct segment_decoder *segment_decoder_ref(struct segment_decoder *d);
void segment_decoder_unref(struct segment_decoder *d);
DEFINE_AUTO(segment_decoder, segment_decoder_unref)

/* A decoded segment. Immutable and shared: reference-counted, thread-safe. */
struct segment;

/**
 * segment_decode(d, plain, len, out, err):
 * Parse and decompress. Errors: ERR_CORRUPT; ERR_NOMEM. Allocates at most
 * SEGMENT_MAX bytes and the chunk table.
 */
NODISCARD int segment_decode(struct segment_decoder *d, const uint8_t *plain,
    size_t len, struct segment **out, struct err *err);
struct segment *segment_ref(struct segment *s);
void segment_unref(struct segment *s);
DEFINE_AUTO(segment, segment_unref)

/**
 * segment_shared(s):
 * Whether there is another reference than the caller's. Only a caller who keeps
 * others from taking new ones can rely on a 'no'.
 */
bool segment_shared(const struct segment *s);

size_t segment_count(const struct segment *s);
/** segment_memory(s): Bytes it occupies, for a cache's accounts. */
size_t segment_memory(const struct segment *s);

struct segment_chunk {
	struct chunk_name name;
	enum chunk_kind kind;
	const uint8_t *data; /* the segment's */
	uint32_t len;
	size_t number; /* in the segment */
};

/** segment_chunk(s, i): The i-th chunk. */
struct segment_chunk segment_chunk(const struct segment *s, size_t i);

/** segment_find(s, name, out): Whether the segment holds that chunk. */
bool segment_find(const struct segment *s, const struct chunk_name *name,
    struct segment_chunk *out);

/*
 * A segment says what its chunks are named; whether a chunk's bytes have that
 * name is for the reader to find out, once: segment_vouch() notes that they do.
 */
bool segment_vouched(const struct segment *s, size_t number);
void segment_vouch(struct segment *s, size_t number);

#endif
