#include "crypto/bytes.h"
#include "crypto/secret.h"

#include <stdlib.h>
#include <string.h>

#define VARINT_MAX_BYTES 10

struct rd
rd_init(const void *buf, size_t len)
{
	/* So that no arithmetic is ever done on a null pointer. */
	static const uint8_t nothing[1];
	const uint8_t *p = buf != NULL ? buf : nothing;
	struct rd r = {.p = p, .end = p + len};

	return r;
}

const uint8_t *
rd_bytes(struct rd *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->failed || len > (size_t)(r->end - r->p)) {
		r->failed = true;
		return NULL;
	}
	r->p += len;
	return p;
}

void
rd_copy(struct rd *r, void *dst, size_t len)
{
	const uint8_t *p = rd_bytes(r, len);

	if (p != NULL)
		memcpy(dst, p, len);
	else
		memset(dst, 0, len);
}

static uint64_t
rd_le(struct rd *r, size_t width)
{
	const uint8_t *p = rd_bytes(r, width);
	uint64_t v = 0;

	if (p == NULL)
		return 0;
	for (size_t i = 0; i < width; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint8_t
rd_u8(struct rd *r)
{
	return (uint8_t)rd_le(r, 1);
}

uint16_t
rd_u16(struct rd *r)
{
	return (uint16_t)rd_le(r, 2);
}

uint32_t
rd_u32(struct rd *r)
{
	return (uint32_t)rd_le(r, 4);
}

uint64_t
rd_u64(struct rd *r)
{
	return rd_le(r, 8);
}

uint64_t
rd_varint(struct rd *r)
{
	uint64_t v = 0;

	/* Most are small, and there are many. */
	if (!r->failed && r->p < r->end && *r->p < 0x80)
		return *r->p++;
	for (unsigned i = 0; i < VARINT_MAX_BYTES; i++) {
		const uint8_t *p = rd_bytes(r, 1);

		if (p == NULL)
			return 0;
		/* The tenth byte holds the 64th bit alone. */
		if (i == VARINT_MAX_BYTES - 1 && *p > 1)
			break;
		v |= (uint64_t)(*p & 0x7f) << (7 * i);
		if ((*p & 0x80) == 0) {
			if (*p == 0 && i > 0)
				break;
			return v;
		}
	}
	r->failed = true;
	return 0;
}

int64_t
rd_svarint(struct rd *r)
{
	uint64_t v = rd_varint(r);

	return (int64_t)((v >> 1) ^ (0 - (v & 1)));
}

const uint8_t *
rd_string(struct rd *r, size_t *len)
{
	*len = rd_count(r, 1);
	return rd_bytes(r, *len);
}

size_t
rd_count(struct rd *r, size_t min_size)
{
	uint64_t n = rd_varint(r);

	if (r->failed || n > rd_left(r) / min_size) {
		r->failed = true;
		return 0;
	}
	return (size_t)n;
}

size_t
rd_left(const struct rd *r)
{
	return r->failed ? 0 : (size_t)(r->end - r->p);
}

bool
rd_done(const struct rd *r)
{
	return !r->failed && r->p == r->end;
}

/* realloc() may leave a copy behind, so a secret is moved by hand. */
static uint8_t *
wr_move(struct wr *w, size_t cap)
{
	uint8_t *p;

	if (!w->secret)
		return realloc(w->buf, cap);
	p = malloc(cap);
	if (p == NULL)
		return NULL;
	if (w->buf != NULL) {
		memcpy(p, w->buf, w->len);
		secret_wipe(w->buf, w->cap);
		free(w->buf);
	}
	return p;
}

static bool
wr_grow(struct wr *w, size_t len)
{
	size_t cap = w->cap < 64 ? 64 : w->cap;
	uint8_t *p;

	while (len > cap - w->len) {
		if (cap > SIZE_MAX / 2)
			return false;
		cap *= 2;
	}
	p = wr_move(w, cap);
	if (p == NULL)
		return false;
	w->buf = p;
	w->cap = cap;
	return true;
}

void
wr_reserve(struct wr *w, size_t len)
{
	if (w->buf == NULL || len > w->cap - w->len)
		(void)wr_grow(w, len); /* who writes will see */
}

uint8_t *
wr_space(struct wr *w, size_t len)
{
	uint8_t *p;

	if (w->failed)
		return NULL;
	if ((w->buf == NULL || len > w->cap - w->len) && !wr_grow(w, len)) {
		w->failed = true;
		return NULL;
	}
	p = w->buf + w->len;
	w->len += len;
	return p;
}

void
wr_bytes(struct wr *w, const void *src, size_t len)
{
	uint8_t *p = wr_space(w, len);

	if (p != NULL && len > 0)
		memcpy(p, src, len);
}

static void
wr_le(struct wr *w, uint64_t v, size_t width)
{
	uint8_t *p = wr_space(w, width);

	if (p == NULL)
		return;
	for (size_t i = 0; i < width; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

void
wr_u8(struct wr *w, uint8_t v)
{
	wr_le(w, v, 1);
}

void
wr_u16(struct wr *w, uint16_t v)
{
	wr_le(w, v, 2);
}

void
wr_u32(struct wr *w, uint32_t v)
{
	wr_le(w, v, 4);
}

void
wr_u64(struct wr *w, uint64_t v)
{
	wr_le(w, v, 8);
}

void
wr_varint(struct wr *w, uint64_t v)
{
	uint8_t b[VARINT_MAX_BYTES];
	size_t n = 0;

	while (v >= 0x80) {
		b[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	b[n++] = (uint8_t)v;
	wr_bytes(w, b, n);
}

void
wr_svarint(struct wr *w, int64_t v)
{
	wr_varint(w, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

void
wr_string(struct wr *w, const void *src, size_t len)
{
	wr_varint(w, len);
	wr_bytes(w, src, len);
}

void
wr_reset(struct wr *w)
{
	if (w->secret && w->buf != NULL)
		secret_wipe(w->buf, w->cap);
	w->len = 0;
	w->failed = false;
}

void
wr_clear(struct wr *w)
{
	if (w->secret && w->buf != NULL)
		secret_wipe(w->buf, w->cap);
	free(w->buf);
	memset(w, 0, sizeof(*w));
}

uint8_t *
wr_steal(struct wr *w)
{
	uint8_t *buf = w->buf;

	memset(w, 0, sizeof(*w));
	return buf;
}
