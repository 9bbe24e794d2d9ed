#include "snapshot/content/segment_internal.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

struct item {
	struct chunk_name name;
	uint32_t len;
	enum chunk_kind kind;
};

struct segment_builder {
	ZSTD_CCtx *ctx[SEGMENT_EFFORTS]; /* NULL: not needed yet */
	ZSTD_CCtx *quick;                /* for what looks random: level 1 */
	enum segment_effort effort;
	struct plain_pool *pool;
	struct plain_buf data; /* SEGMENT_MAX bytes, of the pool */
	size_t len;
	struct item *items;
	size_t n, cap;
	size_t table; /* bytes of the chunks' table */
};

/*
 * Level 3 for less than a megabyte, but with tables that stay in a core's first
 * cache: a tenth quicker, for less than a hundredth more bytes (on a kernel's
 * sources). Matches shorter than 5 bytes are left alone, as that level does.
 */
static int
set_swift(ZSTD_CCtx *ctx, struct err *err)
{
	static const struct {
		ZSTD_cParameter what;
		int value;
	} params[] = {
	    {ZSTD_c_compressionLevel, 3},
	    {ZSTD_c_strategy, ZSTD_dfast},
	    {ZSTD_c_chainLog, 14},
	    {ZSTD_c_hashLog, 15},
	    {ZSTD_c_minMatch, 5},
	};

	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		size_t rc = ZSTD_CCtx_setParameter(
		    ctx, params[i].what, params[i].value);

		if (ZSTD_isError(rc))
			return err_set(err, ERR_BUG, "can't set up zstd: %s",
			    ZSTD_getErrorName(rc));
	}
	return 0;
}

/* The context for the builder's effort, made when it is first needed. */
static int
need_context(struct segment_builder *b, ZSTD_CCtx **out, struct err *err)
{
	static const int levels[] = {
	    [SEGMENT_THOROUGH] = 6, [SEGMENT_UTMOST] = 13};
	ZSTD_CCtx **ctx = &b->ctx[b->effort];

	if (*ctx == NULL) {
		*ctx = ZSTD_createCCtx();
		if (*ctx == NULL ||
		    ZSTD_isError(ZSTD_CCtx_setParameter(
			*ctx, ZSTD_c_compressionLevel, levels[b->effort])))
			return err_nomem(err);
	}
	*out = *ctx;
	return 0;
}

int
segment_builder_new(struct segment_builder **out, struct err *err)
{
	AUTO(segment_builder) struct segment_builder *b = NULL;
	int rc;

	*out = NULL;
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return err_nomem(err);
	rc = plain_pool_new(SEGMENT_MAX, &b->pool, err);
	if (rc != 0)
		return rc;
	/* Pages that are never filled are never there. */
	if (!plain_alloc(b->pool, SEGMENT_MAX, &b->data))
		return err_nomem(err);
	b->ctx[SEGMENT_SWIFT] = ZSTD_createCCtx();
	b->quick = ZSTD_createCCtx();
	if (b->ctx[SEGMENT_SWIFT] == NULL || b->quick == NULL)
		return err_nomem(err);
	if ((rc = set_swift(b->ctx[SEGMENT_SWIFT], err)) != 0)
		return rc;
	*out = STEAL(b);
	return 0;
}

void
segment_builder_free(struct segment_builder *b)
{
	if (b == NULL)
		return;
	if (b->pool != NULL)
		plain_free(b->pool, &b->data);
	plain_pool_unref(b->pool);
	for (size_t i = 0; i < SEGMENT_EFFORTS; i++)
		(void)ZSTD_freeCCtx(b->ctx[i]);
	(void)ZSTD_freeCCtx(b->quick);
	free(b->items);
	free(b);
}

static int
grow(struct segment_builder *b, struct err *err)
{
	size_t cap = b->cap == 0 ? 64 : b->cap * 2;
	struct item *items = reallocarray(b->items, cap, sizeof(*items));

	if (items == NULL)
		return err_nomem(err);
	b->items = items;
	b->cap = cap;
	return 0;
}

static size_t
varint_len(uint64_t v)
{
	size_t n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

int
segment_builder_add(struct segment_builder *b, const struct chunk_name *name,
    enum chunk_kind kind, const void *buf, size_t len, struct err *err)
{
	struct item *it;
	int rc;

	if (len < 1 || len > CHUNK_MAX)
		return err_set(
		    err, ERR_USAGE, "chunk of %zu bytes refused", len);
	if (len > SEGMENT_MAX - b->len || b->n == SEGMENT_CHUNKS_MAX)
		return err_set(err, ERR_USAGE, "segment is full");
	if (b->n == b->cap) {
		rc = grow(b, err);
		if (rc != 0)
			return rc;
	}
	it = &b->items[b->n++];
	it->name = *name;
	it->kind = kind;
	it->len = (uint32_t)len;
	plain_use(&b->data, b->len + len);
	memcpy(b->data.p + b->len, buf, len);
	b->len += len;
	b->table += varint_len(len * 4 + kind) + CHUNK_NAME_LEN;
	return 0;
}

size_t
segment_builder_bytes(const struct segment_builder *b)
{
	return b->table + b->len;
}

size_t
segment_builder_count(const struct segment_builder *b)
{
	return b->n;
}

const struct chunk_name *
segment_builder_name(const struct segment_builder *b, size_t i)
{
	return &b->items[i].name;
}

void
segment_builder_reset(struct segment_builder *b)
{
	b->len = 0; /* the next segment overwrites it */
	b->n = 0;
	b->table = 0;
}

/* --- compressing -------------------------------------------------------- */

#define LOOK_RUNS 4
#define LOOK_RUN_LEN 2048
#define LOOK_LEN (LOOK_RUNS * LOOK_RUN_LEN)

/*
 * Whether a few runs of the bytes have nearly as many of each value: a collision
 * entropy above 7.8 of 8 bits (N evenly spread bytes make a sum of squares of
 * about N + N^2 / 256). So look media files and archives.
 */
static bool
looks_random(const uint8_t *p, size_t len)
{
	uint32_t count[256] = {0};
	uint64_t sum = 0;
	const uint64_t even = LOOK_LEN + LOOK_LEN * (LOOK_LEN / 256);

	if (len < LOOK_LEN)
		return false;
	for (size_t run = 0; run < LOOK_RUNS; run++) {
		const uint8_t *q =
		    p + (len - LOOK_RUN_LEN) / (LOOK_RUNS - 1) * run;

		for (size_t i = 0; i < LOOK_RUN_LEN; i++)
			count[q[i]]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(count); i++)
		sum += (uint64_t)count[i] * count[i];
	return sum < even + even * 15 / 100;
}

/* What saves less than a 32nd is not worth decompressing. */
static bool
worth_it(size_t compressed, size_t len)
{
	return compressed < len - len / 32;
}

/*
 * Append the chunks as one zstd frame; *${done} tells whether it was worth it,
 * else ${out} is as before. What looks random gets the quickest level, which
 * finds out at 2 GB/s.
 */
static int
compress(struct segment_builder *b, struct wr *out, bool *done, struct err *err)
{
	size_t start = out->len;
	size_t bound = ZSTD_compressBound(b->len);
	uint8_t *dst = wr_space(out, bound);
	ZSTD_CCtx *ctx = NULL;
	size_t len;
	int rc;

	*done = false;
	if (dst == NULL)
		return err_nomem(err);
	if ((rc = need_context(b, &ctx, err)) != 0)
		return rc;
	len =
	    looks_random(b->data.p, b->len)
		? ZSTD_compressCCtx(b->quick, dst, bound, b->data.p, b->len, 1)
		: ZSTD_compress2(ctx, dst, bound, b->data.p, b->len);
	if (ZSTD_isError(len))
		return err_set(err, ERR_NOMEM, "can't compress: %s",
		    ZSTD_getErrorName(len));
	*done = worth_it(len, b->len);
	out->len = start + (*done ? len : 0);
	return 0;
}

void
segment_builder_effort(struct segment_builder *b, enum segment_effort e)
{
	b->effort = e;
}

int
segment_builder_finish(
    struct segment_builder *b, struct wr *out, struct err *err)
{
	size_t codec_at = out->len;
	bool compressed;
	int rc;

	if (b->n == 0)
		return err_set(err, ERR_USAGE, "segment without chunks");
	wr_u8(out, SEGMENT_ZSTD);
	wr_varint(out, b->n);
	for (size_t i = 0; i < b->n; i++) {
		const struct item *it = &b->items[i];

		wr_varint(out, (uint64_t)it->len * 4 + it->kind);
		wr_bytes(out, it->name.b, sizeof(it->name.b));
	}
	rc = compress(b, out, &compressed, err);
	if (rc != 0)
		return rc;
	if (!compressed) {
		out->buf[codec_at] = SEGMENT_STORED;
		wr_bytes(out, b->data.p, b->len);
	}
	return out->failed ? err_nomem(err) : 0;
}
