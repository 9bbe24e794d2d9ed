#include "snapshot/tree/dir.h"
#include "snapshot/tree/page.h"
#include "snapshot/tree/span.h"

#include <stdlib.h>

/*
 * A cursor holds a page of each level from the root's down to ${at}; pages are
 * opened when their first entry is asked for and let go when the next thing
 * after their last is. Before the root page is opened, and after it was let go,
 * ${at} is one above its level:
 *
 *	at = level + 1 --open--> level --open--> ... --open--> 0
 *	               <--end---       <--end---     <--end---
 */
struct frame {
	struct chunk ch;
	struct chunk_name name;
	struct page page;
};

struct dir_cursor {
	struct chunks *chunks;
	struct dir_ref ref;
	uint64_t pos; /* entries passed */
	size_t at;
	struct frame frame[DIR_LEVELS];
	size_t lastlen; /* a name that what follows has to pass; 0: none */
	uint8_t last[ENTRY_NAME_MAX];
};

int
dir_cursor_new(struct chunks *chunks, const struct dir_ref *ref,
    struct dir_cursor **out, struct err *err)
{
	struct dir_cursor *cur;

	*out = NULL;
	if (ref->level >= DIR_LEVELS)
		return err_set(err, ERR_BUG, "a directory of too many levels");
	cur = calloc(1, sizeof(*cur));
	if (cur == NULL)
		return err_nomem(err);
	cur->chunks = chunks;
	cur->ref = *ref;
	cur->at = ref->level + (size_t)1;
	*out = cur;
	return 0;
}

static void
let_go(struct dir_cursor *cur)
{
	struct frame *f = &cur->frame[cur->at];

	chunk_release(&f->ch);
	*f = (struct frame){0};
	cur->at++;
}

static void
let_go_all(struct dir_cursor *cur)
{
	while (cur->at <= cur->ref.level)
		let_go(cur);
}

void
dir_cursor_free(struct dir_cursor *cur)
{
	if (cur == NULL)
		return;
	let_go_all(cur);
	free(cur);
}

/* A page ends. The last name in one of level 0 is what the next has to pass. */
static void
end_page(struct dir_cursor *cur)
{
	const struct span *last = &cur->frame[cur->at].page.last;

	if (cur->at == 0) {
		memcpy(cur->last, last->p, last->len);
		cur->lastlen = last->len;
	}
	let_go(cur);
}

/* The root page as if a page above listed it. */
static int
peek_root(const struct dir_cursor *cur, struct page_item *item)
{
	if (cur->pos > 0 || cur->ref.entries == 0)
		return 0;
	*item = (struct page_item){.child = {.name = cur->ref.root,
				       .level = cur->ref.level,
				       .entries = cur->ref.entries}};
	return 1;
}

/*
 * The next item: 1, or 0 at the end. It is an entry when cur->at is 0, a page
 * of one level less otherwise. ${after} is cur->at's page beyond it.
 */
static int
peek(struct dir_cursor *cur, struct page *after, struct page_item *item,
    struct err *err)
{
	while (cur->at <= cur->ref.level) {
		int rc;

		*after = cur->frame[cur->at].page;
		rc = page_next(after, item, err);
		if (rc < 0)
			page_damaged(&cur->frame[cur->at].name, err);
		if (rc != 0)
			return rc;
		end_page(cur);
	}
	return peek_root(cur, item);
}

/* Go beyond what peek() found, which holds that many entries. */
static void
pass(struct dir_cursor *cur, const struct page *after, uint64_t entries)
{
	if (cur->at <= cur->ref.level)
		cur->frame[cur->at].page = *after;
	cur->pos += entries;
}

/* Open the page that peek() found. */
static int
open_page(struct dir_cursor *cur, const struct page *after,
    const struct page_item *item, struct err *err)
{
	struct span last = {cur->last, cur->lastlen};
	struct frame *f = &cur->frame[cur->at - 1];
	int rc;

	if (item->name.len > 0 && span_compare(last, item->name) >= 0)
		return err_set(err, ERR_CORRUPT,
		    "a directory's names are out of order between pages");
	rc = page_open(cur->chunks, &item->child, &f->ch, &f->page, err);
	if (rc < 0)
		return rc;
	f->name = item->child.name;
	pass(cur, after, 0);
	cur->at--;
	return 0;
}

/* Go to the next entry, opening what pages are on the way. */
static int
peek_entry(struct dir_cursor *cur, struct page *after, struct page_item *item,
    struct err *err)
{
	int rc;

	while ((rc = peek(cur, after, item, err)) > 0 && cur->at > 0) {
		rc = open_page(cur, after, item, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int
dir_cursor_next(struct dir_cursor *cur, struct dir_entry *out, struct err *err)
{
	struct page after;
	struct page_item item;
	int rc = peek_entry(cur, &after, &item, err);

	memset(out, 0, sizeof(*out));
	if (rc <= 0)
		return rc;
	rc = entry_decode(item.entry.p, item.entry.len, &out->e, err);
	if (rc < 0) {
		page_damaged(&cur->frame[0].name, err);
		return rc;
	}
	out->page = cur->frame[0].ch;
	out->name = item.name;
	out->raw = item.entry;
	pass(cur, &after, 1);
	return 1;
}

uint64_t
dir_cursor_tell(const struct dir_cursor *cur)
{
	return cur->pos;
}

/* Where to, while no page is open. */
static void
rewind_cursor(struct dir_cursor *cur, uint64_t pos)
{
	let_go_all(cur);
	cur->pos = pos;
	cur->lastlen = 0;
}

int
dir_cursor_seek(struct dir_cursor *cur, uint64_t n, struct err *err)
{
	struct page after;
	struct page_item item;

	if (n == cur->pos)
		return 0;
	if (n >= cur->ref.entries) {
		rewind_cursor(cur, cur->ref.entries);
		return 0;
	}
	rewind_cursor(cur, 0);
	while (cur->pos < n) {
		int rc = peek(cur, &after, &item, err);

		if (rc == 0)
			rc = err_set(err, ERR_BUG, "a directory's end is lost");
		if (rc < 0)
			return rc;
		if (cur->at == 0)
			pass(cur, &after, 1);
		else if (item.child.entries <= n - cur->pos)
			pass(cur, &after, item.child.entries);
		else
			rc = open_page(cur, &after, &item, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool
same_page(const struct page_item *a, const struct page_item *b)
{
	return a->child.entries == b->child.entries &&
	       memcmp(&a->child.name, &b->child.name, sizeof(a->child.name)) ==
		   0;
}

uint64_t
dir_cursor_skip_page(struct dir_cursor *cur, struct dir_cursor *other)
{
	struct page after[2];
	struct page_item item[2];

	/* What fails here fails again, and with a reason, in _next. */
	while (peek(cur, &after[0], &item[0], NULL) > 0 &&
	       peek(other, &after[1], &item[1], NULL) > 0 && cur->at > 0 &&
	       other->at > 0) {
		size_t at[2] = {cur->at, other->at};

		if (at[0] == at[1] && same_page(&item[0], &item[1])) {
			pass(cur, &after[0], item[0].child.entries);
			pass(other, &after[1], item[1].child.entries);
			return item[0].child.entries;
		}
		if (at[0] == 1 && at[1] == 1)
			return 0;
		if (at[0] >= at[1] &&
		    open_page(cur, &after[0], &item[0], NULL) < 0)
			return 0;
		if (at[1] >= at[0] &&
		    open_page(other, &after[1], &item[1], NULL) < 0)
			return 0;
	}
	return 0;
}
