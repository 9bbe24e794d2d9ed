#include "snapshot/content/content.h"

#include <string.h>

/* One side of a comparison: the element at hand. */
struct side {
	struct content_cursor *cur;
	struct element el;
	uint64_t skip; /* where in the element the comparison stands */
};

static int
side_at(struct side *s, uint64_t off, struct err *err)
{
	uint64_t start;
	int rc = content_at(s->cur, off, &s->el, &start, err);

	if (rc == 0)
		s->skip = off - start;
	return rc;
}

static int
side_chunk(const struct side *s, struct chunk *ch, struct err *err)
{
	return content_chunk(content_cursor_chunks(s->cur), &s->el.name,
	    CHUNK_DATA, s->el.len, ch, err);
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Compare ${n} bytes of which ${s} has data and the other side a hole. */
static int
equal_to_hole(const struct side *s, uint64_t n, bool *equal, struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};
	int rc = side_chunk(s, &ch, err);

	if (rc == 0)
		*equal = all_zero(ch.data + s->skip, (size_t)n);
	return rc;
}

static int
equal_data(const struct side *a, const struct side *b, uint64_t n, bool *equal,
    struct err *err)
{
	CHUNK_AUTO struct chunk ca = {0};
	CHUNK_AUTO struct chunk cb = {0};
	int rc = side_chunk(a, &ca, err);

	if (rc == 0)
		rc = side_chunk(b, &cb, err);
	if (rc == 0)
		*equal = memcmp(ca.data + a->skip, cb.data + b->skip,
			     (size_t)n) == 0;
	return rc;
}

/* Compare as far as both elements reach from ${off}; *${off} moves on. */
static int
equal_run(
    struct side *a, struct side *b, uint64_t *off, bool *equal, struct err *err)
{
	uint64_t n;
	int rc = side_at(a, *off, err);

	if (rc == 0)
		rc = side_at(b, *off, err);
	if (rc < 0)
		return rc;
	n = a->el.len - a->skip;
	if (n > b->el.len - b->skip)
		n = b->el.len - b->skip;
	*off += n;
	if (a->el.hole && b->el.hole)
		return 0;
	if (a->el.hole)
		return equal_to_hole(b, n, equal, err);
	if (b->el.hole)
		return equal_to_hole(a, n, equal, err);
	return equal_data(a, b, n, equal, err);
}

int
content_equal(struct content_cursor *a, struct content_cursor *b,
    bool same_names, bool *equal, struct err *err)
{
	struct side sa = {.cur = a};
	struct side sb = {.cur = b};
	uint64_t size = content_cursor_size(a);
	uint64_t off = 0;

	*equal = size == content_cursor_size(b);
	while (*equal && off < size) {
		uint64_t end = off;
		int rc = 0;

		if (same_names)
			rc = content_skip_same(a, b, off, &end, err);
		if (rc == 0 && end > off)
			off = end;
		else if (rc == 0)
			rc = equal_run(&sa, &sb, &off, equal, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
