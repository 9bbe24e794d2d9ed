#include "snapshot/tree/dir.h"
#include "snapshot/tree/page.h"
#include "snapshot/tree/span.h"

#include <stdlib.h>

/*
 * Making a directory's pages: one open page a level. An entry goes to the page
 * of level 0; a page that ends is stored and becomes an item one level up.
 *
 * Where a page ends follows from the names in it, so that a change inside a
 * directory leaves the pages before and (soon) after it as they were.
 */
#define PAGE_MIN (4 * 1024)
#define PAGE_MAX (32 * 1024)
#define CUT_BITS 6

struct level {
	struct wr items;
	struct wr first; /* name of the first item */
	size_t n;
	uint64_t entries;
	bool cut;               /* the last item proposes to end the page */
	struct chunk_name last; /* the last item's child; level > 0 */
};

struct dir_builder {
	struct level lv[DIR_LEVELS];
	struct wr page;
	struct wr last; /* the name added last */
};

int
dir_builder_new(struct dir_builder **out, struct err *err)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? 0 : err_nomem(err);
}

void
dir_builder_free(struct dir_builder *b)
{
	if (b == NULL)
		return;
	for (size_t l = 0; l < DIR_LEVELS; l++) {
		wr_clear(&b->lv[l].items);
		wr_clear(&b->lv[l].first);
	}
	wr_clear(&b->page);
	wr_clear(&b->last);
	free(b);
}

static void
level_reset(struct level *lv)
{
	wr_reset(&lv->items);
	wr_reset(&lv->first);
	lv->n = 0;
	lv->entries = 0;
	lv->cut = false;
}

/*
 * FNV-1a, and a multiplication that carries what the last bytes did to the top:
 * names are often numbers that differ in nothing else.
 */
static bool
proposes_cut(struct span name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name.len; i++)
		h = (h ^ name.p[i]) * UINT64_C(0x100000001b3);
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h >> (64 - CUT_BITS) == 0;
}

static bool
level_full(const struct level *lv)
{
	return lv->items.len >= PAGE_MAX ||
	       (lv->items.len >= PAGE_MIN && lv->cut);
}

static struct span
wr_span(const struct wr *w)
{
	return (struct span){w->buf, w->len};
}

/* Account for an item of ${entries} entries just put in a page. */
static int
level_count(
    struct level *lv, struct span name, uint64_t entries, struct err *err)
{
	if (lv->n == 0)
		wr_bytes(&lv->first, name.p, name.len);
	lv->n++;
	lv->entries += entries;
	lv->cut = proposes_cut(name);
	return lv->items.failed || lv->first.failed ? err_nomem(err) : 0;
}

static int
page_store(struct dir_builder *b, struct ingest_lane *lane, size_t l,
    struct chunk_name *name, struct err *err)
{
	const struct level *lv = &b->lv[l];

	wr_reset(&b->page);
	page_put_head((uint8_t)l, lv->n, &b->page);
	wr_bytes(&b->page, lv->items.buf, lv->items.len);
	if (b->page.failed)
		return err_nomem(err);
	return ingest_chunk(
	    lane, CHUNK_TREE, b->page.buf, b->page.len, name, err);
}

/* Store the page of level ${l} and list it one level up. */
static int
page_end(
    struct dir_builder *b, struct ingest_lane *lane, size_t l, struct err *err)
{
	struct level *lv = &b->lv[l];
	struct level *up = lv + 1;
	struct page_ref ref = {
	    .entries = lv->entries, .first = wr_span(&lv->first)};
	int rc;

	if (l + 1 == DIR_LEVELS)
		return err_set(err, ERR_USAGE, "the directory is too large");
	rc = page_store(b, lane, l, &ref.name, err);
	if (rc < 0)
		return rc;
	page_put_child(&ref, &up->items);
	up->last = ref.name;
	rc = level_count(up, ref.first, ref.entries, err);
	level_reset(lv);
	return rc;
}

static int
check_entry(
    const struct dir_builder *b, struct span name, size_t len, struct err *err)
{
	if (!entry_name_ok(name.p, name.len))
		return err_set(err, ERR_USAGE,
		    "a name of %zu bytes can't be stored", name.len);
	if (len > ENTRY_MAX)
		return err_set(
		    err, ERR_USAGE, "an entry of %zu bytes is too large", len);
	if (span_compare(wr_span(&b->last), name) >= 0)
		return err_set(
		    err, ERR_BUG, "a directory's names don't ascend");
	return 0;
}

int
dir_builder_add(struct dir_builder *b, struct ingest_lane *lane,
    const uint8_t *name, size_t namelen, const uint8_t *entry, size_t len,
    struct err *err)
{
	struct span nm = {name, namelen};
	int rc = check_entry(b, nm, len, err);

	if (rc < 0)
		return rc;
	page_put_entry(nm, (struct span){entry, len}, &b->lv[0].items);
	rc = level_count(&b->lv[0], nm, 1, err);
	for (size_t l = 0; rc == 0 && level_full(&b->lv[l]); l++)
		rc = page_end(b, lane, l, err);
	wr_reset(&b->last);
	wr_bytes(&b->last, name, namelen);
	return rc == 0 && b->last.failed ? err_nomem(err) : rc;
}

static size_t
top_level(const struct dir_builder *b)
{
	size_t top = DIR_LEVELS - 1;

	while (top > 0 && b->lv[top].n == 0)
		top--;
	return top;
}

/* End all open pages. A page above the others with one child is left out. */
static int
end_pages(struct dir_builder *b, struct ingest_lane *lane, struct dir_ref *out,
    struct err *err)
{
	size_t top = top_level(b);
	struct level *lv = &b->lv[top];

	for (size_t l = 0; l < top; l++) {
		int rc = b->lv[l].n > 0 ? page_end(b, lane, l, err) : 0;

		if (rc < 0)
			return rc;
	}
	out->entries = lv->entries;
	if (lv->n == 0)
		return 0;
	if (top > 0 && lv->n == 1) {
		out->level = (uint8_t)(top - 1);
		out->root = lv->last;
		return 0;
	}
	out->level = (uint8_t)top;
	return page_store(b, lane, top, &out->root, err);
}

int
dir_builder_finish(struct dir_builder *b, struct ingest_lane *lane,
    struct dir_ref *out, struct err *err)
{
	struct dir_ref ref = {0};
	int rc;

	*out = (struct dir_ref){0};
	rc = end_pages(b, lane, &ref, err);
	if (rc == 0)
		*out = ref;
	for (size_t l = 0; l < DIR_LEVELS; l++)
		level_reset(&b->lv[l]);
	wr_reset(&b->last);
	return rc;
}
