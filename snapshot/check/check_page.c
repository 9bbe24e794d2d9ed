/* A page of a directory: what is in it is gathered, then it is let go. */
#include "snapshot/check/check_walk.h"
#include "snapshot/tree/span.h"

#include <stdlib.h>

/* --- frames ------------------------------------------------------------- */

void
frame_clear(struct frame *f)
{
	free(f->children);
	wr_clear(&f->names);
	memset(f, 0, sizeof(*f));
}

int
frame_add(struct frame *f, const struct child *child, struct span name,
    struct err *err)
{
	if (f->n == f->cap) {
		size_t cap = f->cap == 0 ? 16 : 2 * f->cap;
		struct child *v = reallocarray(f->children, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		f->children = v;
		f->cap = cap;
	}
	f->children[f->n] = *child;
	f->children[f->n].name = f->names.len;
	f->children[f->n++].name_len = name.len;
	wr_bytes(&f->names, name.p, name.len);
	return f->names.failed ? err_nomem(err) : 0;
}

struct span
frame_name(const struct frame *f, const struct child *child)
{
	if (child->name_len == 0)
		return (struct span){0};
	return (struct span){f->names.buf + child->name, child->name_len};
}

/* --- the page ----------------------------------------------------------- */

static int
add_page(struct frame *f, const struct page_item *item, struct err *err)
{
	struct child child = {.ref = item->child};

	child.ref.first = (struct span){0};
	return frame_add(f, &child, item->name, err);
}

static int
visit_items(struct walk *w, struct frame *f, struct page *p,
    struct dir_totals *totals, struct err *err)
{
	struct page_item item;
	int rc;

	while ((rc = page_next(p, &item, err)) > 0) {
		if (p->level > 0)
			rc = add_page(f, &item, err);
		else
			rc = entry_visit(
			    w, f, item.name, item.entry, totals, err);
		if (rc != 0)
			return rc;
	}
	if (rc == 0 && f->upper.len > 0 && span_compare(p->last, f->upper) >= 0)
		return err_set(err, ERR_CORRUPT,
		    "a directory's names are out of order between pages");
	return rc;
}

int
page_visit(struct walk *w, struct frame *f, const struct page_ref *ref,
    struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};
	struct dir_totals totals = {0};
	struct page p;
	int rc = page_open(w->chunks, ref, &ch, &p, err);

	if (rc == 0)
		rc = visit_items(w, f, &p, &totals, err);
	w->seen.items[f->page].totals = totals;
	return rc;
}
