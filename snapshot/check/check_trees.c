/*
 * The trees of all snapshots, the newest first. What was found whole is not
 * looked at again when an older snapshot leads to it; and of what was found
 * damaged it is only said that the older snapshot has it too.
 */
#include "snapshot/check/check_walk.h"

#include <stdlib.h>

static struct frame *
top(struct walk *w)
{
	return &w->frames[w->nframes - 1];
}

static int
push(struct walk *w, uint32_t page, struct span upper, struct err *err)
{
	if (w->nframes == w->frames_cap) {
		size_t cap = w->frames_cap == 0 ? 16 : 2 * w->frames_cap;
		struct frame *v = reallocarray(w->frames, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		w->frames = v;
		w->frames_cap = cap;
	}
	w->frames[w->nframes++] = (struct frame){
	    .page = page, .path_len = w->path.len, .upper = upper};
	return 0;
}

/* --- down --------------------------------------------------------------- */

/* The name that all names below the child precede. */
static struct span
upper_of(const struct frame *f, const struct child *child)
{
	if (child->dir)
		return (struct span){0};
	if (child + 1 < f->children + f->n)
		return frame_name(f, child + 1);
	return f->upper;
}

static int
claim_of(struct walk *w, const struct page_ref *ref, struct span upper,
    uint64_t *out, struct err *err)
{
	struct wr *text = &w->scratch;

	*out = 0;
	wr_reset(text);
	wr_u8(text, ref->level);
	wr_u64(text, ref->entries);
	wr_string(text, ref->first.p, ref->first.len);
	wr_string(text, upper.p, upper.len);
	if (text->failed)
		return err_nomem(err);
	return mix_bytes(&w->c->mix, text->buf, text->len, out, err);
}

/* --- up ----------------------------------------------------------------- */

static bool
same_totals(const struct dir_totals *a, const struct dir_totals *b)
{
	return a->files == b->files && a->dirs == b->dirs &&
	       a->others == b->others && a->bytes == b->bytes;
}

static int
check_totals(struct walk *w, const struct frame *f, const struct child *child,
    const struct seen_item *item, struct err *err)
{
	struct object_ref ref;
	struct err why;
	const char *path;
	int rc;

	if (item->damage != 0 || same_totals(&item->totals, &child->totals))
		return 0;
	(void)err_set(
	    &why, ERR_CORRUPT, "a directory's totals are not what it holds");
	rc = walk_object_at(w, f->page, &ref, err);
	path = walk_path(w, err);
	if (rc != 0 || path == NULL)
		return rc != 0 ? rc : ERR_NOMEM;
	return walk_damage(w, &ref, f->page, path, &why, err);
}

/* The child that was last taken of the top frame is done: it is page ${at}. */
static int
finish(struct walk *w, uint32_t at, struct err *err)
{
	struct frame *f = top(w);
	const struct child *child = &f->children[f->next - 1];
	const struct seen_item *item = &w->seen.items[at];
	struct seen_item *page =
	    f->page == SEEN_NONE ? NULL : &w->seen.items[f->page];
	int rc = 0;

	if (page != NULL && page->ino_max < item->ino_max)
		page->ino_max = item->ino_max;
	if (child->dir) {
		rc = check_totals(w, f, child, item, err);
	} else if (page != NULL) {
		page->totals.files += item->totals.files;
		page->totals.dirs += item->totals.dirs;
		page->totals.others += item->totals.others;
		page->totals.bytes += item->totals.bytes;
	}
	w->path.len = f->path_len;
	return rc;
}

static int
leave(struct walk *w, struct err *err)
{
	uint32_t at = top(w)->page;

	frame_clear(top(w));
	w->nframes--;
	return w->nframes == 0 ? 0 : finish(w, at, err);
}

/* --- the walk ----------------------------------------------------------- */

/* A newer snapshot has given out all numbers that this one has. */
static int
check_known(struct walk *w, uint32_t at, uint32_t parent, struct err *err)
{
	const struct seen_item *item = &w->seen.items[at];
	const char *path = walk_path(w, err);
	struct err why;

	if (path == NULL)
		return ERR_NOMEM;
	if (item->damage != 0)
		return walk_shared(w, at, parent, path, err);
	if (item->ino_max < w->snap->next_ino)
		return 0;
	(void)err_set(&why, ERR_CORRUPT,
	    "inode number %ju was not given out yet", (uintmax_t)item->ino_max);
	return walk_fault(w, why.code, &item->name, parent, &why, err);
}

static int
enter(struct walk *w, const struct page_ref *ref, struct span upper,
    struct err *err)
{
	uint32_t parent = top(w)->page, at;
	uint64_t claim;
	struct err why;
	int rc = claim_of(w, ref, upper, &claim, err);

	if (rc == 0)
		rc = walk_meet(w, &ref->name, claim, parent, &at, err);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		rc = check_known(w, at, parent, err);
		return rc != 0 ? rc : finish(w, at, err);
	}
	rc = push(w, at, upper, err);
	if (rc != 0)
		return rc;
	rc = page_visit(w, top(w), ref, &why);
	return walk_fault(w, rc, &ref->name, at, &why, err);
}

static int
step(struct walk *w, struct err *err)
{
	struct frame *f = top(w);
	const struct child *child;
	struct page_ref ref;
	int rc = walk_stopped(w, err);

	if (rc != 0)
		return rc;
	if (f->next == f->n)
		return leave(w, err);
	child = &f->children[f->next++];
	ref = child->ref;
	if (!child->dir)
		ref.first = frame_name(f, child);
	else if (child->name_len > 0)
		rc = walk_path_push(w, frame_name(f, child), err);
	return rc != 0 ? rc : enter(w, &ref, upper_of(f, child), err);
}

/* --- snapshots ---------------------------------------------------------- */

static int
visit_problems(void *w, const struct ref *ref, struct err *err)
{
	return content_visit(w, ref, SEEN_NONE, err);
}

static int
walk_problems(struct walk *w, struct err *err)
{
	const struct snapshot *snap = w->snap;

	batch_begin(w);
	return content_refs(
	    &snap->problems, snap->problems_size, visit_problems, w, err);
}

/* The root's entry is in the record, as it would be in a page above it. */
static int
walk_snapshot(struct walk *w, const struct snapshot *snap, struct err *err)
{
	struct span raw = {snap->root, snap->root_len};
	struct dir_totals totals = {0};
	int rc = walk_begin(w, snap, err);

	w->c->out->snapshots++;
	if (rc == 0)
		rc = push(w, SEEN_NONE, (struct span){0}, err);
	if (rc == 0)
		rc =
		    entry_visit(w, top(w), (struct span){0}, raw, &totals, err);
	while (rc == 0 && w->nframes > 0)
		rc = step(w, err);
	if (rc == 0)
		rc = walk_problems(w, err);
	return rc == 0 ? batch_flush(w, err) : rc;
}

int
check_trees(struct scope *s, struct err *err)
{
	WALK_AUTO struct walk w = {0};
	int rc = 0;

	if (s->nsnapshots == 0)
		return 0;
	rc = walk_init(&w, s, err);
	for (size_t i = s->nsnapshots; rc == 0 && i > 0; i--)
		rc = walk_snapshot(&w, s->snapshots[i - 1], err);
	return rc;
}
