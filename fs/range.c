#include "fs/range.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t zeros[64 * 1024];

static struct piece *
pieces(struct range *r)
{
	return r->v != NULL ? r->v : r->few;
}

static const struct piece *
piece(const struct range *r, size_t i)
{
	return r->v != NULL ? &r->v[i] : &r->few[i];
}

void
range_clear(struct range *r)
{
	for (size_t i = 0; i < r->n; i++)
		chunk_release(&pieces(r)[i].chunk);
	free(r->v);
}

/* --- plan -------------------------------------------------------------- */

static int
add(struct range *r, const struct element *el, uint64_t skip, size_t len,
    struct err *err)
{
	if (r->n == (r->v != NULL ? r->cap : ARRAY_LEN(r->few))) {
		size_t cap = r->n * 4;
		struct piece *v = realloc(r->v, cap * sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		if (r->v == NULL)
			memcpy(v, r->few, sizeof(r->few));
		r->v = v;
		r->cap = cap;
	}
	pieces(r)[r->n++] = (struct piece){.el = *el, .skip = skip, .len = len};
	return 0;
}

/* The part of an element that starts at ${start} within [off, off + len). */
static int
add_element(struct range *r, const struct element *el, uint64_t start,
    uint64_t off, size_t len, struct err *err)
{
	uint64_t from = start > off ? start : off;
	uint64_t to = start + el->len;

	if (to > off + len)
		to = off + len;
	if (from >= to)
		return 0;
	return add(r, el, from - start, (size_t)(to - from), err);
}

int
range_plan_list(struct range *r, const struct content *c, uint64_t off,
    size_t len, struct err *err)
{
	uint64_t start = 0;

	for (size_t i = 0; i < c->n; i++) {
		int rc = add_element(r, &c->inl[i], start, off, len, err);

		if (rc != 0)
			return rc;
		start += c->inl[i].len;
	}
	return 0;
}

int
range_plan_tree(struct range *r, struct content_cursor *cur, uint64_t off,
    size_t len, struct err *err)
{
	uint64_t at = off;

	while (at < off + len) {
		struct element el;
		uint64_t start;
		int rc = content_at(cur, at, &el, &start, err);

		if (rc == 0)
			rc = add_element(r, &el, start, off, len, err);
		if (rc != 0)
			return rc;
		at = start + el.len;
	}
	return 0;
}

/* --- fetch ------------------------------------------------------------- */

int
range_fetch(struct range *r, struct chunks *chunks, struct err *err)
{
	struct piece *v = pieces(r);

	for (size_t i = 1; i < r->n; i++)
		if (!v[i].el.hole)
			chunks_prefetch(chunks, &v[i].el.name);
	for (size_t i = 0; i < r->n; i++) {
		int rc;

		if (v[i].el.hole)
			continue;
		rc = chunks_get(
		    chunks, &v[i].el.name, CHUNK_DATA, &v[i].chunk, err);
		if (rc != 0)
			return rc;
		if (v[i].chunk.len != v[i].el.len)
			return err_set(err, ERR_CORRUPT,
			    "a chunk of %u bytes is listed as %llu",
			    v[i].chunk.len, (unsigned long long)v[i].el.len);
	}
	return 0;
}

/* --- gather ------------------------------------------------------------ */

/* Append bytes, joined with those before where they lie side by side. */
static bool
vector_add(struct range_vector *vec, const void *base, size_t len)
{
	if (vec->n > 0) {
		struct iovec *last = &vec->v[vec->n - 1];

		if ((char *)last->iov_base + last->iov_len == base) {
			last->iov_len += len;
			return true;
		}
	}
	if (vec->n == RANGE_IOV)
		return false;
	vec->v[vec->n++] =
	    (struct iovec){.iov_base = (void *)base, .iov_len = len};
	return true;
}

static bool
vector_piece(struct range_vector *vec, const struct piece *pc)
{
	if (!pc->el.hole)
		return vector_add(vec, pc->chunk.data + pc->skip, pc->len);
	for (size_t left = pc->len; left > 0;) {
		size_t len = left < sizeof(zeros) ? left : sizeof(zeros);

		if (!vector_add(vec, zeros, len))
			return false;
		left -= len;
	}
	return true;
}

bool
range_gather(const struct range *r, struct range_vector *vec)
{
	vec->n = 0;
	for (size_t i = 0; i < r->n; i++)
		if (!vector_piece(vec, piece(r, i)))
			return false;
	return true;
}

void
range_copy(const struct range *r, uint8_t *dst)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct piece *pc = piece(r, i);

		if (pc->el.hole)
			memset(dst, 0, pc->len);
		else
			memcpy(dst, pc->chunk.data + pc->skip, pc->len);
		dst += pc->len;
	}
}
