#include "snapshot/check/check_walk.h"

/* --- rules of FORMAT.md section 8 --------------------------------------- */

static bool
is_nothing(const struct dir_totals *t)
{
	return t->files == 0 && t->dirs == 0 && t->others == 0 && t->bytes == 0;
}

/* Files with several links are few; all others would take too much memory. */
static int
check_links(
    struct walk *w, const struct entry *e, struct span raw, struct err *err)
{
	int rc;

	if (e->nlink < 2)
		return 0;
	rc = inodes_same(&w->inodes, e->ino, raw, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return err_set(err, ERR_CORRUPT,
	    "another file has the same inode number, %ju", (uintmax_t)e->ino);
}

static int
check_rules(
    struct walk *w, const struct entry *e, struct span raw, struct err *err)
{
	if (e->ino >= w->snap->next_ino)
		return err_set(err, ERR_CORRUPT,
		    "inode number %ju was not given out yet",
		    (uintmax_t)e->ino);
	if (e->type == ENTRY_DIR && e->dir.entries == 0 &&
	    !is_nothing(&e->totals))
		return err_set(err, ERR_CORRUPT,
		    "an empty directory says that it holds something");
	return check_links(w, e, raw, err);
}

/* --- what it leads to --------------------------------------------------- */

/* An entry whose refs are looked at. */
struct visit {
	struct walk *w;
	struct frame *f;
	struct span name;
	const struct entry *e;
};

static int
visit_ref(void *arg, const struct ref *ref, struct err *err)
{
	const struct visit *v = arg;
	struct child child = {
	    .dir = true,
	    .totals = v->e->totals,
	    .ref = {.name = ref->name,
		.level = ref->level,
		.entries = ref->len},
	};

	if (ref->kind == REF_PAGE)
		return frame_add(v->f, &child, v->name, err);
	return content_visit(v->w, ref, v->f->page, err);
}

/* --- the entry ---------------------------------------------------------- */

static void
add_totals(const struct entry *e, struct dir_totals *t)
{
	switch (e->type) {
	case ENTRY_FILE:
		t->files++;
		t->bytes += e->size;
		break;
	case ENTRY_DIR:
		t->files += e->totals.files;
		t->dirs += e->totals.dirs + 1;
		t->others += e->totals.others;
		t->bytes += e->totals.bytes;
		break;
	default:
		t->others++;
		break;
	}
}

static void
note_ino(struct walk *w, uint32_t page, uint64_t ino)
{
	if (page != SEEN_NONE && w->seen.items[page].ino_max < ino)
		w->seen.items[page].ino_max = ino;
}

static int
entry_fault(struct walk *w, uint32_t page, int rc, const struct err *why,
    struct err *err)
{
	struct object_ref ref;
	const char *path;

	if (check_fatal(rc))
		return err_copy(err, why);
	rc = walk_object_at(w, page, &ref, err);
	path = walk_path(w, err);
	if (rc != 0 || path == NULL)
		return rc != 0 ? rc : ERR_NOMEM;
	return walk_damage(w, &ref, page, path, why, err);
}

static int
visit(struct walk *w, struct frame *f, struct span name, struct span raw,
    struct dir_totals *totals, struct err *err)
{
	struct entry e;
	struct visit v = {.w = w, .f = f, .name = name, .e = &e};
	struct err why;
	int rc = entry_decode(raw.p, raw.len, &e, &why);

	w->c->out->entries++;
	batch_begin(w);
	if (rc != 0)
		return entry_fault(w, f->page, rc, &why, err);
	add_totals(&e, totals);
	note_ino(w, f->page, e.ino);
	rc = check_rules(w, &e, raw, &why);
	if (rc != 0)
		rc = entry_fault(w, f->page, rc, &why, err);
	return rc != 0 ? rc : entry_refs(&e, visit_ref, &v, err);
}

int
entry_visit(struct walk *w, struct frame *f, struct span name, struct span raw,
    struct dir_totals *totals, struct err *err)
{
	size_t len = w->path.len;
	int rc = 0;

	if (name.len > 0)
		rc = walk_path_push(w, name, err);
	if (rc == 0)
		rc = visit(w, f, name, raw, totals, err);
	w->path.len = len;
	return rc;
}
