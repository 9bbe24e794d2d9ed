#include "snapshot/diff/diff.h"
#include "snapshot/diff/fields.h"
#include "snapshot/diff/stack.h"
#include "snapshot/tree/span.h"

/*
 * Both trees are walked at once, name by name, as two sorted lists are merged:
 *
 *	stack		the pairs of directories on the way here
 *	path		the path to what is being compared, NUL at its end
 */
struct walk {
	const struct diff_side *side[2];
	const struct diff_options *opt;
	struct stack stack;
	struct wr path;
};

static const char *
path_of(const struct walk *w)
{
	return (const char *)w->path.buf;
}

/* Cut the path back to ${len} bytes and append ${name}. */
static int
path_set(struct walk *w, size_t len, struct span name, struct err *err)
{
	w->path.len = len;
	if (len > 0)
		wr_u8(&w->path, '/');
	wr_bytes(&w->path, name.p, name.len);
	wr_u8(&w->path, 0);
	return w->path.failed ? err_nomem(err) : 0;
}

static size_t
path_len(const struct walk *w)
{
	return w->path.len - 1;
}

/* ${rc} befell what the path names: go on (0) where that is wanted. */
static int
problem(struct walk *w, int rc, struct err *err)
{
	if (rc != ERR_CORRUPT && rc != ERR_AUTH && rc != ERR_IO)
		return rc;
	if (w->opt->on_problem == NULL) {
		(void)err_wrap(err, "'%.256s'", path_of(w));
		return rc;
	}
	rc = w->opt->on_problem(w->opt->arg, path_of(w), path_len(w), err);
	if (rc == 0)
		*err = (struct err){0};
	return rc;
}

static int
report(struct walk *w, enum diff_kind kind, unsigned fields,
    const struct dir_entry *const de[2], bool *descend, struct err *err)
{
	const struct diff_item item = {
	    .kind = kind,
	    .fields = fields,
	    .path = path_of(w),
	    .path_len = path_len(w),
	    .a = de[0],
	    .b = de[1],
	};
	int rc;

	*descend = false;
	rc = w->opt->on_item(w->opt->arg, &item, descend, err);
	return rc < 0 ? rc : 0;
}

/* Enter the directories among the two; of one that isn't there, nothing. */
static int
enter(struct walk *w, const struct dir_entry *const de[2], struct err *err)
{
	struct dir_ref refs[2] = {{0}, {0}};

	for (size_t i = 0; i < 2; i++)
		if (de[i] != NULL && de[i]->e.type == ENTRY_DIR)
			refs[i] = de[i]->e.dir;
	if (refs[0].entries == 0 && refs[1].entries == 0)
		return 0;
	return stack_push(&w->stack, refs, path_len(w), err);
}

static int
compare_one(
    struct walk *w, const struct dir_entry *const de[2], struct err *err)
{
	enum diff_kind kind = de[0] != NULL ? DIFF_REMOVED : DIFF_ADDED;
	bool descend;
	int rc = report(w, kind, 0, de, &descend, err);

	return rc == 0 && descend ? enter(w, de, err) : rc;
}

static bool
same_dir(const struct dir_ref *a, const struct dir_ref *b)
{
	return a->entries == b->entries && a->level == b->level &&
	       memcmp(&a->root, &b->root, sizeof(a->root)) == 0;
}

static int
compare_both(
    struct walk *w, const struct dir_entry *const de[2], struct err *err)
{
	const struct fields_side a = {w->side[0]->chunks, &de[0]->e};
	const struct fields_side b = {w->side[1]->chunks, &de[1]->e};
	bool dirs = a.e->type == ENTRY_DIR && b.e->type == ENTRY_DIR;
	unsigned fields;
	bool descend = false;
	int rc;

	if (w->opt->same_names && span_equal(de[0]->raw, de[1]->raw))
		return 0;
	rc = fields_compare(&a, &b, w->opt, &fields, err);
	if (rc < 0) {
		rc = problem(w, rc, err);
		return rc == 0 && dirs ? enter(w, de, err) : rc;
	}
	if (fields != 0)
		rc = report(w, DIFF_CHANGED, fields, de, &descend, err);
	if (dirs)
		descend =
		    !w->opt->same_names || !same_dir(&a.e->dir, &b.e->dir);
	return rc == 0 && descend ? enter(w, de, err) : rc;
}

static int
compare(struct walk *w, const struct dir_entry *const de[2], struct err *err)
{
	if (de[0] == NULL || de[1] == NULL)
		return compare_one(w, de, err);
	return compare_both(w, de, err);
}

/* Have the side's next entry at hand, unless there is none. */
static int
fill(struct stack_listing *l, struct err *err)
{
	int rc = 0;

	if (!l->have)
		rc = dir_cursor_next(l->cur, &l->next, err);
	if (rc > 0)
		l->have = true;
	return rc < 0 ? rc : 0;
}

/* Open both listings, pass over equal pages, and have the next entries. */
static int
fill_both(struct walk *w, struct stack_frame *f, struct err *err)
{
	struct stack_side *s = f->side;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 2; i++)
		rc = stack_open(&s[i], w->side[i]->chunks, err);
	if (rc < 0)
		return rc;
	if (w->opt->same_names && !s[0].open->have && !s[1].open->have)
		while (dir_cursor_skip_page(s[0].open->cur, s[1].open->cur) > 0)
			;
	rc = fill(s[0].open, err);
	return rc < 0 ? rc : fill(s[1].open, err);
}

/* Which of the next entries comes first; one that isn't there comes last. */
static int
compare_next(const struct stack_listing *a, const struct stack_listing *b)
{
	if (!a->have)
		return 1;
	if (!b->have)
		return -1;
	return span_compare(a->next.name, b->next.name);
}

/* The rest of the directory can't be read. */
static int
give_up(struct walk *w, const struct stack_frame *f, int rc, struct err *err)
{
	w->path.len = f->path_len;
	wr_u8(&w->path, 0);
	rc = problem(w, rc, err);
	stack_pop(&w->stack);
	return rc;
}

/* Compare what is next in the directories on top, or leave them. */
static int
step(struct walk *w, struct stack_frame *f, struct err *err)
{
	const struct dir_entry *de[2] = {NULL, NULL};
	struct stack_listing *l[2];
	int order;
	int rc = fill_both(w, f, err);

	if (rc < 0)
		return give_up(w, f, rc, err);
	l[0] = f->side[0].open;
	l[1] = f->side[1].open;
	if (!l[0]->have && !l[1]->have) {
		stack_pop(&w->stack);
		return 0;
	}
	order = compare_next(l[0], l[1]);
	if (order <= 0)
		de[0] = &l[0]->next;
	if (order >= 0)
		de[1] = &l[1]->next;
	for (size_t i = 0; i < 2; i++)
		if (de[i] != NULL)
			l[i]->have = false;
	rc = path_set(
	    w, f->path_len, de[0] != NULL ? de[0]->name : de[1]->name, err);
	return rc < 0 ? rc : compare(w, de, err);
}

static int
walk_all(struct walk *w, struct err *err)
{
	struct stack_frame *f;
	int rc = 0;

	while (rc == 0 && (f = stack_top(&w->stack)) != NULL) {
		if (w->opt->stop != NULL && atomic_load(w->opt->stop))
			return err_set(err, ERR_CANCELLED, "stopped");
		rc = step(w, f, err);
	}
	return rc;
}

/* The root's entry stands by itself, in no directory. */
static int
decode_root(const struct diff_side *side, struct dir_entry *de,
    const struct dir_entry **out, struct err *err)
{
	*out = NULL;
	if (side->root.len == 0)
		return 0;
	*de = (struct dir_entry){.raw = side->root};
	*out = de;
	return entry_decode(side->root.p, side->root.len, &de->e, err);
}

static int
compare_roots(struct walk *w, struct err *err)
{
	struct dir_entry de[2];
	const struct dir_entry *at[2];
	int rc = path_set(w, 0, (struct span){NULL, 0}, err);

	for (size_t i = 0; rc == 0 && i < 2; i++)
		rc = decode_root(w->side[i], &de[i], &at[i], err);
	if (rc < 0 || (at[0] == NULL && at[1] == NULL))
		return rc;
	return compare(w, at, err);
}

int
diff_run(const struct diff_side *a, const struct diff_side *b,
    const struct diff_options *opt, struct err *err)
{
	struct walk w = {.side = {a, b}, .opt = opt};
	struct err own = {0}; /* for on_problem, where the caller has none */
	int rc;

	if (err == NULL)
		err = &own;
	rc = compare_roots(&w, err);
	if (rc == 0)
		rc = walk_all(&w, err);
	stack_clear(&w.stack);
	wr_clear(&w.path);
	return rc;
}
