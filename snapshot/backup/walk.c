#include "snapshot/backup/walk.h"

#include "snapshot/backup/last.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A directory on the way down. */
struct level {
	struct dir_facts *facts;
	struct dirh *dir;  /* NULL while too far above: see SCOUT_OPEN_LEVELS */
	int lost;          /* not 0: why the scout found no way back into it */
	struct view *view; /* of the entries at hand */
	size_t at;         /* in the view */
	size_t next;       /* in the directory's list */
	struct last_cursor *last;
};

struct walk {
	const struct walk_options *opt;
	walk_sink_fn *sink;
	void *arg;
	struct scout *scout;
	struct level *levels;
	size_t depth, cap;
	struct job *batch; /* being filled, of the top level */
};

static struct level *
top(struct walk *w)
{
	return &w->levels[w->depth - 1];
}

/* The scout's next view has to be a ${kind} or ${other}. */
static int
next_view(struct walk *w, enum view_kind kind, enum view_kind other,
    struct view **out, struct err *err)
{
	int rc = scout_next(w->scout, out, err);

	if (rc == 0 && (*out)->kind != kind && (*out)->kind != other) {
		view_free(STEAL(*out));
		rc = err_set(err, ERR_BUG, "the scout went another way");
	}
	return rc;
}

static int
send_batch(struct walk *w, struct err *err)
{
	if (w->batch == NULL)
		return 0;
	return w->sink(w->arg, STEAL(w->batch), err);
}

/* The batch of the top directory's entries. */
static int
need_batch(struct walk *w, struct err *err)
{
	if (w->batch != NULL)
		return 0;
	w->batch = job_new(JOB_BATCH, top(w)->facts->path);
	if (w->batch == NULL)
		return err_nomem(err);
	if (top(w)->dir != NULL)
		w->batch->dir = dirh_ref(top(w)->dir);
	return 0;
}

/* What the batch may keep of the top directory: likely all, and at once. */
static size_t
rest(struct walk *w)
{
	size_t left = last_left(top(w)->last);

	return left < BATCH_KEPT ? left : BATCH_KEPT;
}

/* Add an entry of the top directory to the batch; takes ${it} over. */
static int
batch_add(struct walk *w, struct item *it, bool to_work, struct err *err)
{
	AUTO(item) struct item *own = it;
	int ret = need_batch(w, err);

	if (ret != 0)
		return ret;
	it->kept_before = w->batch->kept.len;
	w->batch->items[w->batch->n++] = STEAL(own);
	w->batch->to_work |= to_work;
	if (it->what == ITEM_READ)
		w->batch->bytes += (uint64_t)it->st.st_size;
	if (w->batch->n < BATCH_ITEMS && w->batch->bytes < BATCH_BYTES)
		return 0;
	return send_batch(w, err);
}

/* Likewise one that stays as it is. */
static int
batch_keep(
    struct walk *w, const struct stat *st, struct span record, struct err *err)
{
	struct job *b;
	int ret = need_batch(w, err);

	if (ret != 0)
		return ret;
	b = w->batch;
	if (b->kept.buf == NULL)
		wr_reserve(&b->kept, record.len + rest(w));
	wr_bytes(&b->kept, record.p, record.len);
	if (b->kept.failed)
		return err_nomem(err);
	b->kept_entries++;
	if (S_ISREG(st->st_mode)) {
		b->kept_files++;
		b->kept_bytes += (uint64_t)st->st_size;
	}
	return b->kept.len < BATCH_KEPT ? 0 : send_batch(w, err);
}

/* --- down and up ------------------------------------------------------- */

static void
level_clear(struct level *l)
{
	last_cursor_free(l->last);
	view_free(l->view);
	dirh_unref(l->dir);
	dir_facts_unref(l->facts);
}

/* Make the directory that ${v} shows the top level; takes ${v} over. */
static int
push_level(struct walk *w, struct view *v, struct err *err)
{
	AUTO(view) struct view *own = v;
	struct level *l;

	if (w->depth == w->cap) {
		size_t cap = w->cap * 2 + 16;

		l = realloc(w->levels, cap * sizeof(*l));
		if (l == NULL)
			return err_nomem(err);
		w->levels = l;
		w->cap = cap;
	}
	l = &w->levels[w->depth++];
	memset(l, 0, sizeof(*l));
	l->facts = STEAL(v->facts);
	l->dir = STEAL(v->dir);
	l->view = STEAL(own);
	if (w->depth > SCOUT_OPEN_LEVELS) {
		struct level *far =
		    &w->levels[w->depth - 1 - SCOUT_OPEN_LEVELS];

		dirh_unref(STEAL(far->dir));
	}
	return 0;
}

/* Send the start of the directory that ${v} shows; takes ${it} and ${v} over. */
static int
enter(struct walk *w, struct item *it, struct view *v, struct err *err)
{
	AUTO(item) struct item *self = it;
	AUTO(job) struct job *job = NULL;
	struct level *l;
	int ret;

	if ((ret = push_level(w, v, err)) != 0)
		return ret;
	l = top(w);
	if ((job = job_new(JOB_ENTER, l->facts->path)) == NULL)
		return err_nomem(err);
	self->st = l->facts->st;
	*w->opt->elsewhere += l->facts->elsewhere;
	*w->opt->met_store |= l->facts->is_store;
	if (l->facts->errnum != 0) {
		self->fate = ITEM_UNREADABLE;
		self->errnum = l->facts->errnum;
	}
	ret = last_cursor_new(w->opt->state, l->facts->path, &l->last, err);
	if (ret != 0)
		return ret;
	if (last_cursor_key(l->last) != NULL) {
		job->has_key = true;
		memcpy(job->key, last_cursor_key(l->last), sizeof(job->key));
	}
	job->dir = dirh_ref(l->dir);
	job->items[job->n++] = STEAL(self);
	return w->sink(w->arg, STEAL(job), err);
}

/* Back in a directory that was closed meanwhile. */
static int
take_again(struct walk *w, struct level *parent, struct err *err)
{
	AUTO(view) struct view *v = NULL;
	int ret = next_view(w, VIEW_AGAIN, VIEW_AGAIN, &v, err);

	if (ret != 0)
		return ret;
	parent->dir = STEAL(v->dir);
	parent->lost = v->errnum;
	return 0;
}

static int
leave(struct walk *w, struct err *err)
{
	AUTO(job) struct job *job = job_new(JOB_LEAVE, NULL);
	struct level *l = top(w);
	int ret;

	if (job == NULL)
		return err_nomem(err);
	if ((ret = send_batch(w, err)) != 0)
		return ret;
	if ((ret = last_removed(l->last, err)) < 0)
		return ret;
	job->removed = ret == 1;
	if (w->depth > 1 && l[-1].dir == NULL &&
	    (ret = take_again(w, l - 1, err)) != 0)
		return ret;
	level_clear(l);
	w->depth--;
	return w->sink(w->arg, STEAL(job), err);
}

/* --- entries ----------------------------------------------------------- */

static int
walk_dir(struct walk *w, struct item *it, struct err *err)
{
	AUTO(item) struct item *self = it;
	AUTO(view) struct view *v = NULL;
	int ret;

	if ((ret = send_batch(w, err)) != 0)
		return ret;
	ret = next_view(w, VIEW_DIR, VIEW_CLOSED, &v, err);
	if (ret != 0)
		return ret;
	if (v->kind == VIEW_DIR)
		return enter(w, STEAL(self), STEAL(v), err);
	/* Named, and kept as an empty directory; or gone. */
	it->errnum = v->errnum;
	it->fate = v->errnum == ENOENT || v->errnum == ENOTDIR
		       ? ITEM_VANISHED
		       : ITEM_UNREADABLE;
	it->what = ITEM_META;
	return batch_add(w, STEAL(self), false, err);
}

/* Say what is to be done. */
static int
decide(struct walk *w, struct item *it, bool unchanged, bool *to_work,
    struct err *err)
{
	int ret;

	*to_work = true;
	it->what = S_ISREG(it->st.st_mode) ? ITEM_READ : ITEM_META;
	if (unchanged && !S_ISDIR(it->st.st_mode)) {
		it->what = ITEM_KEEP;
		*to_work = false;
	}
	if (S_ISDIR(it->st.st_mode) || it->st.st_nlink < 2)
		return 0;
	if ((ret = links_meet(w->opt->links, &it->st, err)) < 0)
		return ret;
	if (ret == 1) {
		it->what = ITEM_LINK;
		*to_work = false;
	}
	return 0;
}

/* An entry of the top directory that can't be looked at. */
static int
walk_unseen(struct walk *w, const char *name, const struct look *look,
    struct moment seen, int errnum, struct err *err)
{
	struct item *it = item_new(name, strlen(name), &look->st);

	if (it == NULL)
		return err_nomem(err);
	it->seen = seen;
	it->what = ITEM_META;
	it->fate = errnum == ENOENT ? ITEM_VANISHED : ITEM_UNREADABLE;
	it->errnum = errnum;
	return batch_add(w, it, false, err);
}

/* The top directory's next entry, which was seen as ${look} at ${seen}. */
static int
walk_entry(struct walk *w, const char *name, const struct look *look,
    struct moment seen, struct err *err)
{
	AUTO(item) struct item *it = NULL;
	int errnum = look->errnum != 0 ? look->errnum : top(w)->lost, ret;
	struct last_entry was;
	bool unchanged, to_work;

	if (look->left_out)
		return 0;
	if (errnum != 0)
		return walk_unseen(w, name, look, seen, errnum, err);
	ret = last_meet(top(w)->last, name, &look->st, &was, &unchanged, err);
	if (ret < 0)
		return ret;
	unchanged = unchanged && !w->opt->full;
	if (unchanged && last_stays(&look->st, seen))
		return batch_keep(w, &look->st, was.record, err);
	it = item_new_after(name, strlen(name), &look->st, was.raw);
	if (it == NULL)
		return err_nomem(err);
	it->seen = seen;
	if ((ret = decide(w, it, unchanged, &to_work, err)) != 0)
		return ret;
	if (S_ISDIR(it->st.st_mode))
		return walk_dir(w, STEAL(it), err);
	return batch_add(w, STEAL(it), to_work, err);
}

static int
step(struct walk *w, struct err *err)
{
	struct level *l = top(w);
	const struct view *v;
	const char *name;
	int ret;

	if (l->next == l->facts->list.n)
		return leave(w, err);
	if (l->at == l->view->n) {
		view_free(STEAL(l->view));
		ret = next_view(w, VIEW_ENTRIES, VIEW_ENTRIES, &l->view, err);
		if (ret != 0)
			return ret;
		l->at = 0;
	}
	v = l->view;
	name = l->facts->list.names[l->next++];
	return walk_entry(w, name, &v->looks[l->at++], v->seen, err);
}

/* The root itself, and all that is in it; takes ${root} over. */
static int
walk_all(struct walk *w, struct item *root, struct err *err)
{
	AUTO(item) struct item *self = root;
	AUTO(view) struct view *v = NULL;
	int ret = next_view(w, VIEW_DIR, VIEW_DIR, &v, err);

	if (ret == 0)
		ret = enter(w, STEAL(self), STEAL(v), err);
	while (ret == 0 && w->depth > 0) {
		if (w->opt->stop != NULL && atomic_load(w->opt->stop))
			return err_set(err, ERR_CANCELLED, "stopped");
		ret = step(w, err);
	}
	return ret;
}

int
walk_run(struct scout *scout, struct item *root, const struct walk_options *opt,
    walk_sink_fn *sink, void *arg, struct err *err)
{
	struct walk w = {.opt = opt, .sink = sink, .arg = arg, .scout = scout};
	int ret = walk_all(&w, root, err);

	job_free(w.batch);
	while (w.depth > 0)
		level_clear(&w.levels[--w.depth]);
	free(w.levels);
	return ret;
}
