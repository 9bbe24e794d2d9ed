#include "snapshot/content/segment_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* zstd contexts kept for the next segment; one is 160 KiB. */
#define IDLE_CONTEXTS 8

struct segment_decoder {
	atomic_uint refs;
	struct plain_pool *pool;
	pthread_mutex_t mu;
	ZSTD_DCtx *idle[IDLE_CONTEXTS]; /* guarded by mu */
	unsigned nidle;                 /* guarded by mu */
};

struct entry {
	struct chunk_name name;
	uint32_t off;
	uint32_t len;
	enum chunk_kind kind;
	atomic_bool vouched;
};

struct segment {
	atomic_uint refs;
	struct segment_decoder *decoder;
	struct plain_buf buf; /* of the decoder's pool */
	const uint8_t *data;  /* in it */
	size_t len;
	size_t n;
	struct entry *entries;
	/* A hash table of entries by name: their number + 1, or 0. */
	uint16_t *slots;
	size_t nslots; /* a power of two */
};

/* --- decoders ----------------------------------------------------------- */

int
segment_decoder_new(
    size_t memory, struct segment_decoder **out, struct err *err)
{
	struct segment_decoder *d = calloc(1, sizeof(*d));
	int rc;

	*out = NULL;
	if (d == NULL)
		return err_nomem(err);
	atomic_init(&d->refs, 1);
	rc = plain_pool_new(memory, &d->pool, err);
	if (rc != 0) {
		free(d);
		return rc;
	}
	(void)pthread_mutex_init(&d->mu, NULL);
	*out = d;
	return 0;
}

struct segment_decoder *
segment_decoder_ref(struct segment_decoder *d)
{
	atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
	return d;
}

void
segment_decoder_unref(struct segment_decoder *d)
{
	if (d == NULL || atomic_fetch_sub(&d->refs, 1) > 1)
		return;
	for (unsigned i = 0; i < d->nidle; i++)
		(void)ZSTD_freeDCtx(d->idle[i]);
	(void)pthread_mutex_destroy(&d->mu);
	plain_pool_unref(d->pool);
	free(d);
}

struct plain_pool *
segment_decoder_pool(struct segment_decoder *d)
{
	return d->pool;
}

static ZSTD_DCtx *
take_context(struct segment_decoder *d)
{
	ZSTD_DCtx *ctx = NULL;

	(void)pthread_mutex_lock(&d->mu);
	if (d->nidle > 0)
		ctx = d->idle[--d->nidle];
	(void)pthread_mutex_unlock(&d->mu);
	return ctx != NULL ? ctx : ZSTD_createDCtx();
}

static void
give_context(struct segment_decoder *d, ZSTD_DCtx *ctx)
{
	bool kept;

	(void)pthread_mutex_lock(&d->mu);
	kept = d->nidle < IDLE_CONTEXTS;
	if (kept)
		d->idle[d->nidle++] = ctx;
	(void)pthread_mutex_unlock(&d->mu);
	if (!kept)
		(void)ZSTD_freeDCtx(ctx);
}

/* --- decoding: FORMAT.md section 5 -------------------------------------- */

static int
decode_table(struct rd *r, struct segment *s, struct err *err)
{
	size_t len = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct entry *e = &s->entries[i];
		uint64_t v = rd_varint(r);

		rd_copy(r, e->name.b, sizeof(e->name.b));
		if (r->failed)
			return err_set(err, ERR_CORRUPT, "segment is cut off");
		if (v >> 2 < 1 || v >> 2 > CHUNK_MAX)
			return err_set(
			    err, ERR_CORRUPT, "chunk length out of range");
		if ((v & 3) >= CHUNK_KINDS)
			return err_set(err, ERR_CORRUPT, "unknown chunk kind");
		e->kind = (enum chunk_kind)(v & 3);
		e->len = (uint32_t)(v >> 2);
		e->off = (uint32_t)len;
		len += e->len;
		if (len > SEGMENT_MAX)
			return err_set(err, ERR_CORRUPT, "segment is too long");
	}
	s->len = len;
	return 0;
}

/*
 * One frame of exactly the length that the table adds up to, and nothing after
 * it. Only the current zstd format: the library may still know its old ones.
 */
static bool
is_frame_of(const uint8_t *p, size_t len, size_t want)
{
	struct rd r = rd_init(p, len);

	return rd_u32(&r) == ZSTD_MAGICNUMBER && !r.failed &&
	       ZSTD_getFrameContentSize(p, len) == want &&
	       ZSTD_findFrameCompressedSize(p, len) == len;
}

static int
decompress(struct segment *s, const uint8_t *p, size_t len, struct err *err)
{
	ZSTD_DCtx *ctx;
	size_t got;

	if (!is_frame_of(p, len, s->len))
		return err_set(
		    err, ERR_CORRUPT, "not the zstd frame that its table says");
	ctx = take_context(s->decoder);
	if (ctx == NULL)
		return err_nomem(err);
	got = ZSTD_decompressDCtx(ctx, s->buf.p, s->len, p, len);
	give_context(s->decoder, ctx);
	if (ZSTD_isError(got))
		return err_set(err, ERR_CORRUPT, "can't decompress: %s",
		    ZSTD_getErrorName(got));
	if (got != s->len)
		return err_set(err, ERR_CORRUPT, "decompressed too little");
	return 0;
}

/*
 * Whether bytes are to stay in the buffer that they came in: unless that takes
 * much more than they need.
 */
static bool
fits(const struct plain_buf *buf, const struct segment *s)
{
	size_t need = plain_room(s->len);

	return buf != NULL && plain_room(buf->asked) <= need + need / 2;
}

static int
decode_data(enum segment_codec codec, struct rd *r, struct plain_buf *buf,
    struct segment *s, struct err *err)
{
	size_t len = rd_left(r);
	const uint8_t *p = rd_bytes(r, len);

	if (codec == SEGMENT_STORED && len != s->len)
		return err_set(err, ERR_CORRUPT,
		    "stored bytes are not as long as the table says");
	if (codec == SEGMENT_STORED && fits(buf, s)) {
		s->buf = *buf;
		*buf = (struct plain_buf){0};
		s->data = p;
		return 0;
	}
	if (!plain_alloc(s->decoder->pool, s->len, &s->buf))
		return err_nomem(err);
	plain_use(&s->buf, s->len);
	s->data = s->buf.p;
	if (codec == SEGMENT_ZSTD)
		return decompress(s, p, len, err);
	memcpy(s->buf.p, p, len);
	return 0;
}

/* Names are keyed hashes: any bytes of them spread well over the table. */
static size_t
slot_of(const struct segment *s, const struct chunk_name *name)
{
	struct rd r = rd_init(name->b, sizeof(name->b));

	return rd_u32(&r) & (s->nslots - 1);
}

static int
fill_slots(struct segment *s, struct err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct chunk_name *name = &s->entries[i].name;
		size_t at = slot_of(s, name);

		for (; s->slots[at] != 0; at = (at + 1) & (s->nslots - 1))
			if (memcmp(&s->entries[s->slots[at] - 1].name, name,
				sizeof(*name)) == 0)
				return err_set(err, ERR_CORRUPT,
				    "two chunks have the same name");
		s->slots[at] = (uint16_t)(i + 1);
	}
	return 0;
}

static int
segment_new(
    struct segment_decoder *d, size_t n, struct segment **out, struct err *err)
{
	AUTO(segment) struct segment *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_nomem(err);
	atomic_init(&s->refs, 1);
	s->decoder = segment_decoder_ref(d);
	s->n = n;
	s->nslots = 2;
	while (s->nslots < 2 * n)
		s->nslots *= 2;
	s->entries = calloc(n, sizeof(*s->entries));
	s->slots = calloc(s->nslots, sizeof(*s->slots));
	if (s->entries == NULL || s->slots == NULL)
		return err_nomem(err);
	*out = STEAL(s);
	return 0;
}

/* ${buf}: where ${plain} lies, if that may be taken; or NULL. */
static int
decode(struct segment_decoder *d, struct plain_buf *buf, const uint8_t *plain,
    size_t len, struct segment **out, struct err *err)
{
	AUTO(segment) struct segment *s = NULL;
	struct rd r = rd_init(plain, len);
	uint8_t codec = rd_u8(&r);
	size_t n = rd_count(&r, SEGMENT_ENTRY_MIN);
	int rc;

	*out = NULL;
	if (r.failed)
		return err_set(err, ERR_CORRUPT, "segment is cut off");
	if (codec > SEGMENT_ZSTD)
		return err_set(err, ERR_CORRUPT, "unknown codec %u", codec);
	if (n < 1 || n > SEGMENT_CHUNKS_MAX)
		return err_set(
		    err, ERR_CORRUPT, "segment with %zu chunks refused", n);
	rc = segment_new(d, n, &s, err);
	if (rc != 0)
		return rc;
	rc = decode_table(&r, s, err);
	if (rc != 0)
		return rc;
	rc = fill_slots(s, err);
	if (rc != 0)
		return rc;
	rc = decode_data((enum segment_codec)codec, &r, buf, s, err);
	if (rc != 0)
		return rc;
	*out = STEAL(s);
	return 0;
}

int
segment_decode(struct segment_decoder *d, const uint8_t *plain, size_t len,
    struct segment **out, struct err *err)
{
	return decode(d, NULL, plain, len, out, err);
}

int
segment_adopt(struct segment_decoder *d, struct plain_buf *buf, size_t len,
    struct segment **out, struct err *err)
{
	return decode(d, buf, buf->p, len, out, err);
}

/* --- decoded segments --------------------------------------------------- */

struct segment *
segment_ref(struct segment *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
segment_unref(struct segment *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	plain_free(s->decoder->pool, &s->buf);
	segment_decoder_unref(s->decoder);
	free(s->entries);
	free(s->slots);
	free(s);
}

bool
segment_shared(const struct segment *s)
{
	return atomic_load(&s->refs) > 1;
}

size_t
segment_count(const struct segment *s)
{
	return s->n;
}

size_t
segment_memory(const struct segment *s)
{
	return sizeof(*s) + plain_room(s->buf.asked) +
	       s->n * sizeof(*s->entries) + s->nslots * sizeof(*s->slots);
}

struct segment_chunk
segment_chunk(const struct segment *s, size_t i)
{
	const struct entry *e = &s->entries[i];
	struct segment_chunk ch = {
	    .name = e->name,
	    .kind = e->kind,
	    .data = s->data + e->off,
	    .len = e->len,
	    .number = i,
	};

	return ch;
}

bool
segment_find(const struct segment *s, const struct chunk_name *name,
    struct segment_chunk *out)
{
	size_t at = slot_of(s, name);

	for (; s->slots[at] != 0; at = (at + 1) & (s->nslots - 1)) {
		size_t i = s->slots[at] - 1u;

		if (memcmp(&s->entries[i].name, name, sizeof(*name)) == 0) {
			*out = segment_chunk(s, i);
			return true;
		}
	}
	return false;
}

bool
segment_vouched(const struct segment *s, size_t number)
{
	return atomic_load_explicit(
	    &s->entries[number].vouched, memory_order_relaxed);
}

void
segment_vouch(struct segment *s, size_t number)
{
	atomic_store_explicit(
	    &s->entries[number].vouched, true, memory_order_relaxed);
}
