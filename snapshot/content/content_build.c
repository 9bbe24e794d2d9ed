#include "snapshot/content/content.h"
#include "snapshot/content/list.h"

#include <stdlib.h>
#include <string.h>

/*
 * Making a chunk list: one open node a level. An item goes to the node of its
 * level; when that ends, it is stored and becomes an item of the level above.
 *
 *	level 1		[ node node node ...
 *	level 0		[ element element element element ...
 *
 * Where a node ends follows from the names in it, so that a change inside a
 * file leaves the nodes before and (soon) after it as they were.
 */
#define NODE_MAX 1024

/* Where a node may end: after ${least} items, at a name that begins so. */
struct node_rule {
	size_t least;
	unsigned below; /* this, the name's first byte */
};

static const struct node_rule by_content = {16, 2};
/* At the bottom and above it; the depth must stay within CONTENT_LEVELS. */
static const struct node_rule by_page[2] = {{4, 64}, {8, 16}};

struct level {
	struct wr items;
	size_t n;
	uint64_t bytes;
	uint64_t holes;         /* of these */
	bool cut;               /* the last item proposes to end the node */
	struct chunk_name last; /* that of the last item; level > 0 */
};

struct content_builder {
	struct level lv[CONTENT_LEVELS];
	struct wr node;
	uint64_t size;
	uint64_t holes;         /* of these */
	bool pages;             /* see content_builder_pages() */
	struct element pending; /* a hole that may go on; len 0: none */
	size_t n;               /* elements so far, and the first of them: */
	struct element inl[CONTENT_INLINE];
};

int
content_builder_new(struct content_builder **out, struct err *err)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? 0 : err_nomem(err);
}

void
content_builder_free(struct content_builder *b)
{
	if (b == NULL)
		return;
	for (size_t l = 0; l < CONTENT_LEVELS; l++)
		wr_clear(&b->lv[l].items);
	wr_clear(&b->node);
	free(b);
}

static void
level_reset(struct level *lv)
{
	wr_reset(&lv->items);
	lv->n = 0;
	lv->bytes = 0;
	lv->holes = 0;
	lv->cut = false;
}

static void
builder_reset(struct content_builder *b)
{
	for (size_t l = 0; l < CONTENT_LEVELS; l++)
		level_reset(&b->lv[l]);
	b->size = 0;
	b->holes = 0;
	b->pages = false;
	b->pending.len = 0;
	b->n = 0;
}

void
content_builder_pages(struct content_builder *b, bool pages)
{
	b->pages = pages;
}

static const struct node_rule *
rule_of(const struct content_builder *b, size_t l)
{
	return b->pages ? &by_page[l > 0] : &by_content;
}

static bool
proposes_cut(
    const struct content_builder *b, size_t l, const struct chunk_name *name)
{
	return name->b[0] < rule_of(b, l)->below;
}

static bool
level_full(const struct content_builder *b, size_t l)
{
	const struct level *lv = &b->lv[l];

	return lv->n >= NODE_MAX || (lv->n >= rule_of(b, l)->least && lv->cut);
}

static int
node_store(struct content_builder *b, struct ingest_lane *lane, size_t l,
    struct chunk_name *name, struct err *err)
{
	struct level *lv = &b->lv[l];

	wr_reset(&b->node);
	list_put_head((uint8_t)l, lv->n, &b->node);
	wr_bytes(&b->node, lv->items.buf, lv->items.len);
	if (b->node.failed || lv->items.failed)
		return err_nomem(err);
	return ingest_chunk(
	    lane, CHUNK_LIST, b->node.buf, b->node.len, name, err);
}

/* Store the node of level ${l} and list it one level up. */
static int
node_end(struct content_builder *b, struct ingest_lane *lane, size_t l,
    struct err *err)
{
	struct level *lv = &b->lv[l];
	struct level *up = lv + 1;
	int rc;

	if (l + 1 == CONTENT_LEVELS)
		return err_set(err, ERR_USAGE,
		    "the file has too many pieces to be listed");
	rc = node_store(b, lane, l, &up->last, err);
	if (rc < 0)
		return rc;
	list_put_child(lv->bytes, lv->holes, &up->last, &up->items);
	up->n++;
	up->bytes += lv->bytes;
	up->holes += lv->holes;
	up->cut = proposes_cut(b, l + 1, &up->last);
	level_reset(lv);
	return 0;
}

static int
put_element(struct content_builder *b, struct ingest_lane *lane,
    const struct element *el, struct err *err)
{
	struct level *lv = &b->lv[0];
	int rc = 0;

	if (b->n < CONTENT_INLINE)
		b->inl[b->n] = *el;
	b->n++;
	list_put_element(el, &lv->items);
	lv->n++;
	lv->bytes += el->len;
	if (el->hole)
		lv->holes += el->len;
	lv->cut = !el->hole && proposes_cut(b, 0, &el->name);
	for (size_t l = 0; rc == 0 && level_full(b, l); l++)
		rc = node_end(b, lane, l, err);
	return rc;
}

static int
put_pending(
    struct content_builder *b, struct ingest_lane *lane, struct err *err)
{
	struct element hole = b->pending;

	if (hole.len == 0)
		return 0;
	b->pending.len = 0;
	return put_element(b, lane, &hole, err);
}

int
content_builder_add(struct content_builder *b, struct ingest_lane *lane,
    const struct element *el, struct err *err)
{
	int rc;

	if (el->len == 0 || (!el->hole && el->len > CHUNK_MAX))
		return err_set(err, ERR_BUG,
		    "element of %llu bytes in a file's content",
		    (unsigned long long)el->len);
	if (el->len > CONTENT_SIZE_MAX - b->size)
		return err_set(err, ERR_USAGE, "the file is too large");
	b->size += el->len;
	if (el->hole) {
		b->pending.hole = true;
		b->pending.len += el->len;
		b->holes += el->len;
		return 0;
	}
	rc = put_pending(b, lane, err);
	return rc < 0 ? rc : put_element(b, lane, el, err);
}

static size_t
top_level(const struct content_builder *b)
{
	size_t top = CONTENT_LEVELS - 1;

	while (top > 0 && b->lv[top].n == 0)
		top--;
	return top;
}

/* End all open nodes. A node above the others with one child is left out. */
static int
end_nodes(struct content_builder *b, struct ingest_lane *lane,
    struct content *out, struct err *err)
{
	size_t top = top_level(b);

	out->form = CONTENT_TREE;
	for (size_t l = 0; l < top; l++) {
		int rc = b->lv[l].n > 0 ? node_end(b, lane, l, err) : 0;

		if (rc < 0)
			return rc;
	}
	if (top > 0 && b->lv[top].n == 1) {
		out->level = (uint8_t)(top - 1);
		out->root = b->lv[top].last;
		return 0;
	}
	out->level = (uint8_t)top;
	return node_store(b, lane, top, &out->root, err);
}

int
content_builder_finish(struct content_builder *b, struct ingest_lane *lane,
    struct content *out, uint64_t *size, struct err *err)
{
	int rc = put_pending(b, lane, err);

	memset(out, 0, sizeof(*out));
	*size = b->size;
	out->holes = b->holes;
	if (rc == 0 && b->n > CONTENT_INLINE) {
		rc = end_nodes(b, lane, out, err);
	} else if (rc == 0 && b->n > 0) {
		out->form = CONTENT_INLINE_LIST;
		out->n = b->n;
		memcpy(out->inl, b->inl, b->n * sizeof(b->inl[0]));
	}
	if (rc < 0)
		memset(out, 0, sizeof(*out));
	builder_reset(b);
	return rc;
}
