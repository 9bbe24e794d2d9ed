#include "snapshot/content/list.h"

#include <stdlib.h>
#include <string.h>

/*
 * An element (FORMAT.md section 4):
 *	varint length * 2 + hole, name unless hole
 */
void
list_put_element(const struct element *el, struct wr *w)
{
	wr_varint(w, el->len << 1 | (el->hole ? 1 : 0));
	if (!el->hole)
		wr_bytes(w, el->name.b, sizeof(el->name.b));
}

bool
list_get_element(struct rd *r, struct element *el)
{
	uint64_t v = rd_varint(r);

	el->len = v >> 1;
	el->hole = (v & 1) != 0;
	if (el->hole)
		memset(&el->name, 0, sizeof(el->name));
	else
		rd_copy(r, el->name.b, sizeof(el->name.b));
	if (el->len == 0 || (!el->hole && el->len > CHUNK_MAX))
		r->failed = true;
	return !r->failed;
}

/*
 * A list node (FORMAT.md section 4):
 *	u8 level, varint n, then n elements (level 0) or
 *	n times: varint bytes, varint holes, name
 */
void
list_put_head(uint8_t level, size_t n, struct wr *w)
{
	wr_u8(w, level);
	wr_varint(w, n);
}

void
list_put_child(
    uint64_t bytes, uint64_t holes, const struct chunk_name *name, struct wr *w)
{
	wr_varint(w, bytes);
	wr_varint(w, holes);
	wr_bytes(w, name->b, sizeof(name->b));
}

/* Both leave ${it}->end at how long the item is. */
static bool
get_child(struct rd *r, struct list_item *it)
{
	it->end = rd_varint(r);
	it->hole = false;
	it->holes = rd_varint(r);
	rd_copy(r, it->name.b, sizeof(it->name.b));
	if (it->end == 0 || it->holes > it->end)
		r->failed = true;
	return !r->failed;
}

static bool
get_element(struct rd *r, struct list_item *it)
{
	struct element el;

	if (!list_get_element(r, &el))
		return false;
	*it = (struct list_item){
	    .end = el.len,
	    .hole = el.hole,
	    .holes = el.hole ? el.len : 0,
	    .name = el.name,
	};
	return true;
}

int
list_reserve(struct list_node *node, size_t n, struct err *err)
{
	struct list_item *items;

	if (n <= node->cap)
		return 0;
	items = reallocarray(node->items, n, sizeof(*items));
	if (items == NULL)
		return err_nomem(err);
	node->items = items;
	node->cap = n;
	return 0;
}

static bool
get_items(struct rd *r, size_t n, struct list_node *out)
{
	uint64_t end = 0;

	for (size_t i = 0; i < n; i++) {
		struct list_item *it = &out->items[i];

		if (!(out->level == 0 ? get_element(r, it) : get_child(r, it)))
			return false;
		if (it->end > CONTENT_SIZE_MAX - end)
			return false;
		end += it->end;
		it->end = end;
		out->holes += it->holes;
	}
	out->n = n;
	return true;
}

int
list_decode(
    const uint8_t *buf, size_t len, struct list_node *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	size_t n;
	int rc;

	out->n = 0;
	out->holes = 0;
	out->level = rd_u8(&r);
	n = rd_count(&r, 1);
	if (r.failed || n == 0 || n > LIST_ITEMS_MAX ||
	    out->level >= CONTENT_LEVELS)
		return err_set(err, ERR_CORRUPT, "not a node of a chunk list");
	rc = list_reserve(out, n, err);
	if (rc < 0)
		return rc;
	if (!get_items(&r, n, out) || !rd_done(&r)) {
		out->n = 0;
		return err_set(
		    err, ERR_CORRUPT, "malformed node of a chunk list");
	}
	return 0;
}

void
list_clear(struct list_node *node)
{
	free(node->items);
	memset(node, 0, sizeof(*node));
}

uint64_t
list_start(const struct list_node *node, size_t i)
{
	return i > 0 ? node->items[i - 1].end : 0;
}

size_t
list_find(const struct list_node *node, uint64_t off)
{
	size_t lo = 0;
	size_t hi = node->n - 1;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (node->items[mid].end > off)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}
