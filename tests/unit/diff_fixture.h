#ifndef TESTS_UNIT_DIFF_FIXTURE_H
#define TESTS_UNIT_DIFF_FIXTURE_H

/* Stored trees, and what a diff reports of two of them. */
#include "snapshot/diff/diff.h"
#include "tests/unit/tree_model.h"

/* What was reported, a line each: "+path", "-path", "*path fields". */
struct report {
	char **line;
	size_t n;
	bool descend;
	int fail; /* returned by the callback */
	size_t longest;
	size_t pinned; /* most chunks held at any time */
	struct chunks *watched;
};

static inline UNUSED void
report_add(struct report *r, const char *line)
{
	r->line = reallocarray(r->line, r->n + 1, sizeof(char *));
	r->line[r->n++] = strdup(line);
}

static inline UNUSED void
report_clear(struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->line[i]);
	free(r->line);
	r->line = NULL;
	r->n = 0;
}

static inline UNUSED int
on_item(void *arg, const struct diff_item *item, bool *descend, struct err *err)
{
	struct report *r = arg;
	char line[256];

	assert_int_equal(strlen(item->path), item->path_len);
	assert_int_equal(item->a == NULL, item->kind == DIFF_ADDED);
	assert_int_equal(item->b == NULL, item->kind == DIFF_REMOVED);
	if (item->kind == DIFF_CHANGED)
		(void)snprintf(
		    line, sizeof(line), "*%.200s %x", item->path, item->fields);
	else
		(void)snprintf(line, sizeof(line), "%c%.200s",
		    item->kind == DIFF_ADDED ? '+' : '-', item->path);
	report_add(r, line);
	*descend = r->descend;
	if (item->path_len > r->longest)
		r->longest = item->path_len;
	if (r->watched != NULL && fake_pinned(r->watched) > r->pinned)
		r->pinned = fake_pinned(r->watched);
	return r->fail < 0 ? err_set(err, r->fail, "as told") : 0;
}

/* A stored tree. */
struct stored {
	struct wr raw;
	struct diff_side side;
};

static inline UNUSED void
store(struct stored *s, const struct node *root, struct chunks *c)
{
	wr_reset(&s->raw);
	node_store(root, c, &s->raw);
	s->side = (struct diff_side){c, {s->raw.buf, s->raw.len}};
}

static inline UNUSED int
run(const struct stored *a, const struct stored *b, bool same_names,
    struct report *r, struct err *err)
{
	const struct diff_options opt = {
	    .same_names = same_names, .on_item = on_item, .arg = r};

	return diff_run(&a->side, &b->side, &opt, err);
}

/* Exactly these lines, in this order; then the report is cleared. */
static inline UNUSED void
assert_lines(struct report *r, const char *const *want, size_t n)
{
	for (size_t i = 0; i < r->n && i < n; i++)
		assert_string_equal(r->line[i], want[i]);
	assert_int_equal(r->n, n);
	report_clear(r);
}

#define LINES(...)                                                             \
	((const char *const[]){__VA_ARGS__}),                                  \
	    ARRAY_LEN(((const char *const[]){__VA_ARGS__}))

#endif
