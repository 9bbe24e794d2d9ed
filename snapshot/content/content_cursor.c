#include "snapshot/content/content.h"
#include "snapshot/content/list.h"

#include <stdlib.h>
#include <string.h>

/* The node last walked on a level, and the bytes of the file it covers. */
struct level {
	struct list_node node;
	uint64_t start;
	uint64_t len; /* 0: none is loaded */
};

/*
 * A short content is a node of level 0 that is there from the start. Nodes are
 * copied out of their chunks: a cursor may be kept for long, and would keep
 * whole segments in memory.
 */
struct content_cursor {
	struct chunks *chunks;
	uint64_t size;
	uint64_t holes;
	size_t top; /* level of the root node */
	bool tree;
	struct chunk_name root;
	struct level lv[CONTENT_LEVELS];
};

static int
load_inline(
    struct content_cursor *cur, const struct content *c, struct err *err)
{
	struct level *lv = &cur->lv[0];
	int rc = list_reserve(&lv->node, c->n, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < c->n; i++) {
		const struct element *el = &c->inl[i];

		lv->len += el->len;
		if (el->hole)
			cur->holes += el->len;
		lv->node.items[i] = (struct list_item){.end = lv->len,
		    .hole = el->hole,
		    .holes = el->hole ? el->len : 0,
		    .name = el->name};
	}
	lv->node.n = c->n;
	return 0;
}

int
content_cursor_new(struct chunks *chunks, const struct content *c,
    uint64_t size, struct content_cursor **out, struct err *err)
{
	AUTO(content_cursor) struct content_cursor *cur = NULL;
	int rc = 0;

	*out = NULL;
	cur = calloc(1, sizeof(*cur));
	if (cur == NULL)
		return err_nomem(err);
	cur->chunks = chunks;
	cur->size = size;
	cur->tree = c->form == CONTENT_TREE;
	if (cur->tree) {
		cur->top = c->level;
		cur->root = c->root;
		cur->holes = c->holes;
	} else {
		rc = load_inline(cur, c, err);
	}
	if (rc < 0)
		return rc;
	if (cur->top >= CONTENT_LEVELS ||
	    (!cur->tree && cur->lv[0].len != size))
		return err_set(err, ERR_CORRUPT,
		    "the lengths of a file's chunks don't add up");
	*out = STEAL(cur);
	return 0;
}

void
content_cursor_free(struct content_cursor *cur)
{
	if (cur == NULL)
		return;
	for (size_t l = 0; l < CONTENT_LEVELS; l++)
		list_clear(&cur->lv[l].node);
	free(cur);
}

uint64_t
content_cursor_size(const struct content_cursor *cur)
{
	return cur->size;
}

struct chunks *
content_cursor_chunks(const struct content_cursor *cur)
{
	return cur->chunks;
}

/*
 * The node ${name} of level ${l} is to cover ${len} bytes from ${start}, with
 * ${holes} of them in holes.
 */
static int
load(struct content_cursor *cur, size_t l, uint64_t start, uint64_t len,
    uint64_t holes, const struct chunk_name *name, struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};
	struct level *lv = &cur->lv[l];
	char text[CONTENT_NAME_TEXT];
	int rc;

	lv->len = 0;
	rc = content_chunk(cur->chunks, name, CHUNK_LIST, 0, &ch, err);
	if (rc < 0)
		return rc;
	content_name_text(name, text);
	rc = list_decode(ch.data, ch.len, &lv->node, err);
	if (rc < 0) {
		(void)err_wrap(err, "chunk '%s'", text);
		return rc;
	}
	if (lv->node.level != l || lv->node.items[lv->node.n - 1].end != len ||
	    lv->node.holes != holes)
		return err_set(err, ERR_CORRUPT,
		    "chunk '%s': node of another level, length or number of"
		    " bytes in holes than listed",
		    text);
	lv->start = start;
	lv->len = len;
	return 0;
}

static bool
covers(const struct level *lv, uint64_t off)
{
	return off >= lv->start && off - lv->start < lv->len;
}

/* Have the node of level ${l} (<= top) loaded that covers ${off}. */
static int
descend(struct content_cursor *cur, size_t l, uint64_t off, struct err *err)
{
	size_t at = l;
	int rc = 0;

	while (at <= cur->top && !covers(&cur->lv[at], off))
		at++;
	if (at > cur->top) {
		at = cur->top;
		rc = load(cur, at, 0, cur->size, cur->holes, &cur->root, err);
	}
	for (; rc == 0 && at > l; at--) {
		const struct level *lv = &cur->lv[at];
		size_t i = list_find(&lv->node, off - lv->start);
		uint64_t start = list_start(&lv->node, i);
		const struct list_item *it = &lv->node.items[i];

		rc = load(cur, at - 1, lv->start + start, it->end - start,
		    it->holes, &it->name, err);
	}
	return rc;
}

/* The item of level ${l} that covers ${off}, as an element. */
static int
item_at(struct content_cursor *cur, size_t l, uint64_t off, struct element *el,
    uint64_t *start, struct err *err)
{
	const struct level *lv = &cur->lv[l];
	int rc = descend(cur, l, off, err);
	uint64_t from;
	size_t i;

	if (rc < 0)
		return rc;
	i = list_find(&lv->node, off - lv->start);
	from = list_start(&lv->node, i);
	*start = lv->start + from;
	el->len = lv->node.items[i].end - from;
	el->hole = lv->node.items[i].hole;
	el->name = lv->node.items[i].name;
	return 0;
}

int
content_at(struct content_cursor *cur, uint64_t off, struct element *el,
    uint64_t *start, struct err *err)
{
	if (off >= cur->size)
		return err_set(err, ERR_BUG, "look-up beyond a file's end");
	return item_at(cur, 0, off, el, start, err);
}

#define APART (1024 * 1024) /* bytes; chunks that are stored in order */

void
content_fetch(struct content_cursor *cur, uint64_t off)
{
	struct element a, b;
	uint64_t start;

	if (off >= cur->size || cur->size - off <= APART ||
	    content_at(cur, off, &a, &start, NULL) != 0 || a.hole ||
	    content_at(cur, off + APART, &b, &start, NULL) != 0 || b.hole)
		return;
	chunks_fetch_pack(cur->chunks, &a.name, &b.name);
}

/* Copy ${n} bytes from ${skip} on out of an element. */
static int
read_element(struct content_cursor *cur, const struct element *el,
    uint64_t skip, uint8_t *dst, size_t n, struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};
	int rc;

	if (el->hole) {
		memset(dst, 0, n);
		return 0;
	}
	rc = content_chunk(
	    cur->chunks, &el->name, CHUNK_DATA, el->len, &ch, err);
	if (rc == 0)
		memcpy(dst, ch.data + skip, n);
	return rc;
}

int
content_read(struct content_cursor *cur, uint64_t off, void *buf, size_t len,
    size_t *got, struct err *err)
{
	uint8_t *dst = buf;

	*got = 0;
	if (off >= cur->size)
		return 0;
	if (len > cur->size - off)
		len = (size_t)(cur->size - off);
	while (*got < len) {
		struct element el;
		uint64_t start;
		size_t n = len - *got;
		int rc = content_at(cur, off, &el, &start, err);

		if (rc < 0)
			return rc;
		if (n > el.len - (off - start))
			n = (size_t)(el.len - (off - start));
		rc = read_element(cur, &el, off - start, dst + *got, n, err);
		if (rc < 0)
			return rc;
		*got += n;
		off += n;
	}
	return 0;
}

/*
 * 1: an item above level 0 covers ${off} that is said to have no hole; it ends at
 * *${end}. The largest one that there is: from the top down. If that is a lie,
 * who goes on to read there is told. That one is nothing but holes is not
 * believed unread: who passes over it would never look.
 */
static int
skip_solid(
    struct content_cursor *cur, uint64_t off, uint64_t *end, struct err *err)
{
	for (size_t l = cur->top; l > 0; l--) {
		const struct level *lv = &cur->lv[l];
		const struct list_item *it;
		int rc = descend(cur, l, off, err);

		if (rc < 0)
			return rc;
		it = &lv->node.items[list_find(&lv->node, off - lv->start)];
		if (it->holes == 0) {
			*end = lv->start + it->end;
			return 1;
		}
	}
	return 0;
}

/* Walk the loaded node of level 0 from ${off}; true when ${off} is found. */
static bool
walk_leaf(const struct level *lv, bool hole, uint64_t *off)
{
	size_t i = list_find(&lv->node, *off - lv->start);

	for (; i < lv->node.n; i++) {
		if (lv->node.items[i].hole == hole)
			return true;
		*off = lv->start + lv->node.items[i].end;
	}
	return false;
}

int
content_seek(struct content_cursor *cur, uint64_t off, bool hole, uint64_t *pos,
    struct err *err)
{
	*pos = off;
	if (hole && off < cur->size && cur->holes == 0)
		*pos = cur->size;
	while (*pos < cur->size) {
		int rc = hole ? skip_solid(cur, *pos, pos, err) : 0;

		if (rc == 0 && (rc = descend(cur, 0, *pos, err)) == 0 &&
		    walk_leaf(&cur->lv[0], hole, pos))
			return 0;
		if (rc < 0)
			return rc;
	}
	/* The end counts as a hole, but only for who stands before it. */
	if (hole && off < cur->size)
		return 0;
	return err_set(err, ERR_NOT_FOUND, "no %s from byte %llu on",
	    hole ? "hole" : "data", (unsigned long long)off);
}

/* Whether the same item of level ${l} starts at ${off} in both. */
static int
same_item(struct content_cursor *a, struct content_cursor *b, size_t l,
    uint64_t off, uint64_t *end, struct err *err)
{
	struct element ea;
	struct element eb;
	uint64_t sa;
	uint64_t sb;
	int rc = item_at(a, l, off, &ea, &sa, err);

	if (rc == 0)
		rc = item_at(b, l, off, &eb, &sb, err);
	if (rc < 0 || sa != off || sb != off)
		return rc;
	if (ea.len != eb.len || ea.hole != eb.hole)
		return 0;
	if (ea.hole || memcmp(&ea.name, &eb.name, sizeof(ea.name)) == 0)
		*end = off + ea.len;
	return 0;
}

int
content_skip_same(struct content_cursor *a, struct content_cursor *b,
    uint64_t off, uint64_t *end, struct err *err)
{
	size_t top = a->top < b->top ? a->top : b->top;

	*end = off;
	if (off == 0 && a->tree && b->tree && a->top == b->top &&
	    a->size == b->size &&
	    memcmp(&a->root, &b->root, sizeof(a->root)) == 0) {
		*end = a->size;
		return 0;
	}
	for (size_t l = top + 1; l-- > 0 && *end == off;) {
		int rc = same_item(a, b, l, off, end, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}
