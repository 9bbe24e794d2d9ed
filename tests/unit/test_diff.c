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

static void
report_add(struct report *r, const char *line)
{
	r->line = reallocarray(r->line, r->n + 1, sizeof(char *));
	r->line[r->n++] = strdup(line);
}

static void
report_clear(struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->line[i]);
	free(r->line);
	r->line = NULL;
	r->n = 0;
}

static int
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

static int
on_problem(
    void *arg, const char *path, size_t path_len, const struct err *problem)
{
	char line[256];

	assert_int_equal(strlen(path), path_len);
	(void)snprintf(line, sizeof(line), "!%.200s %d", path, problem->code);
	report_add(arg, line);
	return 0;
}

/* A stored tree. */
struct stored {
	struct wr raw;
	struct diff_side side;
};

static void
store(struct stored *s, const struct node *root, struct chunks *c)
{
	wr_reset(&s->raw);
	node_store(root, c, &s->raw);
	s->side = (struct diff_side){c, {s->raw.buf, s->raw.len}};
}

static int
run(const struct stored *a, const struct stored *b, bool same_names,
    struct report *r, struct err *err)
{
	const struct diff_options opt = {
	    .same_names = same_names, .on_item = on_item, .arg = r};

	return diff_run(&a->side, &b->side, &opt, err);
}

/* Exactly these lines, in this order; then the report is cleared. */
static void
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

static struct node *
sample(void)
{
	struct node *root = node_new(ENTRY_DIR, "");
	struct node *d = node_dir(root, "docs");

	node_file(root, "a", "alpha");
	node_file(root, "z", "omega");
	node_file(d, "one", "1");
	node_file(d, "two", "22");
	node_file(node_dir(d, "deep"), "er", "...");
	node_dir(root, "empty");
	node_add(root, node_new(ENTRY_SYMLINK, "link"));
	return root;
}

struct pair {
	struct chunks *c;
	struct node *model;
	struct stored a, b;
	struct report r;
};

static void
pair_init(struct pair *p)
{
	*p = (struct pair){.c = fake_chunks_new(0), .model = sample()};
	p->r.descend = true;
	store(&p->a, p->model, p->c);
}

static void
pair_run(struct pair *p)
{
	store(&p->b, p->model, p->c);
	assert_ok(run(&p->a, &p->b, true, &p->r, &err));
}

static void
pair_clear(struct pair *p)
{
	report_clear(&p->r);
	node_free(p->model);
	wr_clear(&p->a.raw);
	wr_clear(&p->b.raw);
	fake_chunks_free(p->c);
}

static void
run__finds_nothing_in_equal_trees(void **state)
{
	struct pair p;
	size_t gets;

	(void)state;
	pair_init(&p);
	gets = fake_gets(p.c);
	pair_run(&p);
	assert_int_equal(p.r.n, 0);
	assert_int_equal(fake_gets(p.c), gets);
	/* Read whole, they are equal too. */
	assert_ok(run(&p.a, &p.b, false, &p.r, &err));
	assert_int_equal(p.r.n, 0);
	assert_true(fake_gets(p.c) > gets + 6);
	pair_clear(&p);
}

static void
run__names_each_field(void **state)
{
	struct pair p;
	struct node *n;

	(void)state;
	pair_init(&p);
	n = node_at(p.model, "docs/two");
	memcpy(n->data, "23", 3);
	pair_run(&p);
	assert_lines(&p.r, LINES("*docs/two 2"));
	memcpy(n->data, "234", 4);
	pair_run(&p);
	assert_lines(&p.r, LINES("*docs/two 6"));
	memcpy(n->data, "22", 3);
	n->mode = 0600;
	pair_run(&p);
	assert_lines(&p.r, LINES("*docs/two 8"));
	n->mode = 0644;
	n->uid = 5;
	pair_run(&p);
	assert_lines(&p.r, LINES("*docs/two 10"));
	n->uid = 0;
	n->mtime++;
	pair_run(&p);
	assert_lines(&p.r, LINES("*docs/two 20"));
	n->mtime--;
	memcpy(n->xattr, "v", 2);
	pair_run(&p);
	assert_lines(&p.r, LINES("*docs/two 40"));
	n->xattr[0] = '\0';
	n->nlink = 2;
	pair_run(&p);
	assert_lines(&p.r, LINES("*docs/two 200"));
	n->nlink = 1;
	n = node_at(p.model, "link");
	memcpy(n->data, "other", 6);
	pair_run(&p);
	assert_lines(&p.r, LINES("*link 80"));
	memcpy(n->data, "target", 7);
	p.model->mtime++;
	node_at(p.model, "docs/deep")->mode = 0700;
	pair_run(&p);
	assert_lines(&p.r, LINES("* 20", "*docs/deep 8"));
	pair_clear(&p);
}

static void
run__ignores_a_number_and_a_cut(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	node_at(p.model, "docs")->ino = 999;
	node_at(p.model, "docs/two")->ino = 888;
	node_at(p.model, "a")->cut = 2;
	pair_run(&p);
	assert_int_equal(p.r.n, 0);
	pair_clear(&p);
}

static void
run__unread_goes_by_names_alone(void **state)
{
	struct pair p;
	struct diff_options opt = {
	    .same_names = true, .unread = true, .on_item = on_item};
	struct chunk_name name;

	(void)state;
	pair_init(&p);
	node_at(p.model, "a")->cut = 2;
	store(&p.b, p.model, p.c);
	assert_ok(
	    ingest_chunk(fake_lane(p.c), CHUNK_DATA, "alpha", 5, &name, &err));
	fake_drop(p.c, &name);
	opt.arg = &p.r;
	assert_ok(diff_run(&p.a.side, &p.b.side, &opt, &err));
	assert_lines(&p.r, LINES("*a 2"));
	pair_clear(&p);
}

static void
run__compares_attributes_wherever_they_lie(void **state)
{
	struct pair p;
	struct node *n;

	(void)state;
	pair_init(&p);
	n = node_at(p.model, "a");
	memcpy(n->xattr, "same", 5);
	store(&p.a, p.model, p.c);
	n->xattr_in_chunk = true;
	pair_run(&p);
	assert_int_equal(p.r.n, 0);
	assert_ok(run(&p.b, &p.a, true, &p.r, &err));
	assert_int_equal(p.r.n, 0);
	store(&p.a, p.model, p.c);
	memcpy(n->xattr, "sane", 5);
	pair_run(&p);
	assert_lines(&p.r, LINES("*a 40"));
	pair_clear(&p);
}

static void
run__reports_added_and_removed_trees(void **state)
{
	struct pair p;
	struct stored nothing = {.side = {NULL, {NULL, 0}}};

	(void)state;
	pair_init(&p);
	node_remove(p.model, "docs");
	node_file(node_dir(p.model, "new"), "n", "n");
	pair_run(&p);
	assert_lines(&p.r, LINES("-docs", "-docs/deep", "-docs/deep/er",
			       "-docs/one", "-docs/two", "+new", "+new/n"));
	p.r.descend = false;
	pair_run(&p);
	assert_lines(&p.r, LINES("-docs", "+new"));
	p.r.descend = true;
	assert_ok(run(&nothing, &p.b, true, &p.r, &err));
	assert_lines(
	    &p.r, LINES("+", "+a", "+empty", "+link", "+new", "+new/n", "+z"));
	assert_ok(run(&p.b, &nothing, true, &p.r, &err));
	assert_int_equal(p.r.n, 7);
	report_clear(&p.r);
	assert_ok(run(&nothing, &nothing, true, &p.r, &err));
	assert_int_equal(p.r.n, 0);
	pair_clear(&p);
}

static void
run__descends_where_a_directory_became_a_file(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	node_remove(p.model, "docs/deep");
	node_file(node_at(p.model, "docs"), "deep", "now a file");
	pair_run(&p);
	assert_lines(&p.r, LINES("*docs/deep 9", "-docs/deep/er"));
	p.r.descend = false;
	pair_run(&p);
	assert_lines(&p.r, LINES("*docs/deep 9"));
	/* And the other way round. */
	p.r.descend = true;
	assert_ok(run(&p.b, &p.a, true, &p.r, &err));
	assert_lines(&p.r, LINES("*docs/deep 9", "+docs/deep/er"));
	pair_clear(&p);
}

static void
run__compares_roots_that_are_files(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct node *n = node_new(ENTRY_FILE, "");
	struct stored a = {0}, b = {0};
	struct report r = {0};

	(void)state;
	store(&a, n, c);
	memcpy(n->data, "x", 2);
	store(&b, n, c);
	assert_ok(run(&a, &b, true, &r, &err));
	assert_lines(&r, LINES("* 6"));
	node_free(n);
	wr_clear(&a.raw);
	wr_clear(&b.raw);
	fake_chunks_free(c);
}

/* --- at random, against the models ------------------------------------- */

static struct node *
random_node(struct rng *g, unsigned depth)
{
	char name[8];
	uint64_t kind = rng_below(g, 10);
	struct node *n;

	(void)snprintf(name, sizeof(name), "n%02u", (unsigned)rng_below(g, 60));
	if (kind < 4 && depth < 5) {
		n = node_new(ENTRY_DIR, name);
		for (uint64_t i = rng_below(g, 14); i > 0; i--) {
			struct node *child = random_node(g, depth + 1);

			if (node_at(n, child->name) == NULL)
				node_add(n, child);
			else
				node_free(child);
		}
		return n;
	}
	n = node_new(kind < 9 ? ENTRY_FILE : ENTRY_SYMLINK, name);
	for (size_t i = 0; i < 1 + kind; i++)
		n->data[i] = (char)('a' + rng_below(g, 3));
	n->data[1 + kind] = '\0';
	return n;
}

static struct node *
random_tree(struct rng *g)
{
	struct node *root = node_new(ENTRY_DIR, "");

	for (unsigned i = 0; i < 6; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "top%u", i);
		node_add(node_dir(root, name), random_node(g, 0));
	}
	return root;
}

/* Change about one node in ${rate}. */
static void
mutate(struct rng *g, struct node *dir, unsigned rate)
{
	for (size_t i = 0; i < dir->n; i++) {
		struct node *n = dir->child[i];

		if (n->type == ENTRY_DIR)
			mutate(g, n, rate);
		if (rng_below(g, rate) > 0)
			continue;
		switch (rng_below(g, 6)) {
		case 0:
			node_free(node_take(dir, i--));
			break;
		case 1:
			n->mtime += (int64_t)rng_below(g, 2);
			break;
		case 2:
			if (n->type != ENTRY_DIR)
				n->data[0] = (char)('a' + rng_below(g, 3));
			break;
		case 3:
			n->cut = n->type == ENTRY_FILE ? 1 : 0;
			break;
		case 4:
			n->ino++;
			break;
		default:
			node_free(node_take(dir, i));
			n = random_node(g, 3);
			if (node_at(dir, n->name) == NULL)
				node_add(dir, n);
			else
				node_free(n);
		}
	}
}

static unsigned
expected_fields(const struct node *a, const struct node *b)
{
	unsigned fields = 0;

	if (a->type != b->type)
		fields |= DIFF_TYPE;
	if (a->mode != b->mode)
		fields |= DIFF_MODE;
	if (a->mtime != b->mtime)
		fields |= DIFF_MTIME;
	if (a->type != b->type || a->type == ENTRY_DIR)
		return fields;
	if (strcmp(a->data, b->data) == 0)
		return fields;
	if (a->type == ENTRY_SYMLINK)
		return fields | DIFF_TARGET;
	if (strlen(a->data) != strlen(b->data))
		fields |= DIFF_SIZE;
	return fields | DIFF_CONTENT;
}

static void expect(struct report *r, const char *path, const struct node *a,
    const struct node *b);

/* Merge the children of both, either of which may be missing. */
static void
expect_children(struct report *r, const char *path, const struct node *a,
    const struct node *b)
{
	size_t na = a != NULL ? a->n : 0, nb = b != NULL ? b->n : 0;
	size_t i = 0, k = 0;

	while (i < na || k < nb) {
		int order = i == na ? 1
			    : k == nb
				? -1
				: strcmp(a->child[i]->name, b->child[k]->name);
		char sub[200];

		(void)snprintf(sub, sizeof(sub), "%s%s%s", path,
		    *path != '\0' ? "/" : "",
		    order <= 0 ? a->child[i]->name : b->child[k]->name);
		expect(r, sub, order <= 0 ? a->child[i] : NULL,
		    order >= 0 ? b->child[k] : NULL);
		i += order <= 0;
		k += order >= 0;
	}
}

static void
expect(struct report *r, const char *path, const struct node *a,
    const struct node *b)
{
	char line[256];
	unsigned fields;

	if (a == NULL || b == NULL) {
		(void)snprintf(
		    line, sizeof(line), "%c%s", a == NULL ? '+' : '-', path);
		report_add(r, line);
	} else if ((fields = expected_fields(a, b)) != 0) {
		(void)snprintf(line, sizeof(line), "*%s %x", path, fields);
		report_add(r, line);
	}
	expect_children(r, path, a, b);
}

static void
run__agrees_with_a_reference(void **state)
{
	struct chunks *c = fake_chunks_new(0), *d = fake_chunks_new(1);
	struct rng g = rng_new();
	struct report want = {0}, got = {.descend = true};
	struct stored a = {0}, b = {0}, other = {0};
	size_t total = 0;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		/* The same tree twice, by the same numbers. */
		struct rng again = g;
		struct node *before = random_tree(&again);
		struct node *m = random_tree(&g);

		store(&a, before, c);
		mutate(&g, m, 1 + (unsigned)rng_below(&g, 8));
		store(&b, m, c);
		store(&other, m, d);

		expect_children(&want, "", before, m);
		total += want.n;
		assert_ok(run(&a, &b, true, &got, &err));
		assert_lines(&got, (const char *const *)want.line, want.n);
		assert_ok(run(&a, &other, false, &got, &err));
		assert_lines(&got, (const char *const *)want.line, want.n);
		report_clear(&want);
		node_free(before);
		node_free(m);
	}
	assert_true(total > 1000);
	wr_clear(&a.raw);
	wr_clear(&b.raw);
	wr_clear(&other.raw);
	fake_chunks_free(c);
	fake_chunks_free(d);
}

/* --- cost and depth ----------------------------------------------------- */

static void
run__costs_what_differs(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct node *root = node_new(ENTRY_DIR, "");
	struct stored a = {0}, b = {0};
	struct report r = {0};
	char name[MODEL_NAME];
	size_t gets;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		struct node *d;

		(void)snprintf(name, sizeof(name), "dir%02u", i);
		d = node_dir(root, name);
		for (unsigned k = 0; k < 400; k++) {
			(void)snprintf(name, sizeof(name), "f%03u", k);
			node_file(d, name, "bytes");
		}
	}
	store(&a, root, c);
	node_at(root, "dir31/f200")->mtime++;
	store(&b, root, c);
	gets = fake_gets(c);
	assert_ok(run(&a, &b, true, &r, &err));
	assert_lines(&r, LINES("*dir31/f200 20"));
	/* On each side the root's page, and one of two levels of dir31. */
	assert_int_equal(fake_gets(c) - gets, 2 * 3);
	node_free(root);
	wr_clear(&a.raw);
	wr_clear(&b.raw);
	fake_chunks_free(c);
}

#define DEEP 10000

/* A chain of directories; each but the last holds the next and a file. */
static void
store_deep(struct stored *s, struct chunks *c, int64_t mtime)
{
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct dir_ref ref;
	struct entry e = entry_file(1);

	assert_ok(dir_builder_new(&b, &err));
	e.mtime += mtime;
	add_entry(b, c, "end", &e);
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	for (size_t i = 0; i < DEEP; i++) {
		e = entry_file(i + 2);
		add_entry(b, c, "a", &e);
		e = entry_dir(i + 2, &ref);
		add_entry(b, c, "d", &e);
		/* After the directory: what comes after coming back. */
		e = entry_file(i + 2);
		e.mtime += mtime * (i % 100 == 0);
		add_entry(b, c, "z", &e);
		assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	}
	e = entry_dir(1, &ref);
	wr_reset(&s->raw);
	entry_encode(&e, &s->raw);
	s->side = (struct diff_side){c, {s->raw.buf, s->raw.len}};
}

/* The chain's top without what is below it. */
static void
store_shallow(struct stored *s, struct chunks *c)
{
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct dir_ref ref;
	struct entry e = entry_file(DEEP + 1);

	assert_ok(dir_builder_new(&b, &err));
	add_entry(b, c, "a", &e);
	add_entry(b, c, "z", &e);
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	e = entry_dir(1, &ref);
	wr_reset(&s->raw);
	entry_encode(&e, &s->raw);
	s->side = (struct diff_side){c, {s->raw.buf, s->raw.len}};
}

static void
run__walks_paths_of_any_depth(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct stored a = {0}, b = {0}, nothing = {0};
	struct report r = {.watched = c, .descend = true};

	(void)state;
	store_deep(&a, c, 0);
	store_deep(&b, c, 1);
	assert_ok(run(&a, &b, true, &r, &err));
	assert_int_equal(r.n, 1 + DEEP / 100);
	assert_int_equal(r.longest, 2 * DEEP + 3);
	/* Only those on top keep pages. */
	assert_in_range(r.pinned, 10, 2 * 64 + 2);
	report_clear(&r);
	assert_ok(run(&nothing, &b, true, &r, &err));
	assert_int_equal(r.n, 1 + 3 * DEEP + 1);
	report_clear(&r);
	/* Coming back to where the other side had an entry waiting. */
	store_shallow(&a, c);
	assert_ok(run(&a, &b, true, &r, &err));
	assert_int_equal(r.n, 3 * (DEEP - 1) + 1 + 1);
	assert_string_equal(r.line[0], "+d");
	assert_int_equal(r.line[r.n - 1][0], '+');
	report_clear(&r);
	wr_clear(&a.raw);
	wr_clear(&b.raw);
	fake_chunks_free(c);
}

/* --- what goes wrong ---------------------------------------------------- */

/* The root page of the directory ${path} goes missing. */
static void
damage_dir(const struct stored *s, struct chunks *c, const char *path)
{
	DIR_ENTRY_AUTO struct dir_entry de = {0};

	assert_ok(dir_resolve(c, &s->side.root, path, &de, &err));
	fake_drop(c, &de.e.dir.root);
}

static void
run__says_what_cannot_be_read(void **state)
{
	struct pair p;
	struct diff_options opt = {
	    .same_names = true, .on_item = on_item, .on_problem = on_problem};
	struct chunk_name name;

	(void)state;
	pair_init(&p);
	opt.arg = &p.r;
	node_file(node_at(p.model, "docs/deep"), "new", "n");
	node_at(p.model, "z")->mtime++;
	memcpy(node_at(p.model, "a")->data, "ALPHA", 5);
	store(&p.b, p.model, p.c);
	damage_dir(&p.b, p.c, "docs/deep");
	assert_ok(
	    ingest_chunk(fake_lane(p.c), CHUNK_DATA, "ALPHA", 5, &name, &err));
	fake_drop(p.c, &name);
	assert_ok(diff_run(&p.a.side, &p.b.side, &opt, &err));
	assert_lines(&p.r, LINES("!a -4", "!docs/deep -4", "*z 20"));

	assert_fails(ERR_CORRUPT, "'a': no index lists",
	    run(&p.a, &p.b, true, &p.r, &err));
	memcpy(node_at(p.model, "a")->data, "alpha", 5);
	store(&p.b, p.model, p.c);
	damage_dir(&p.b, p.c, "docs/deep");
	assert_fails(ERR_CORRUPT, "'docs/deep': no index lists",
	    run(&p.a, &p.b, true, &p.r, &err));
	assert_int_equal(fake_pinned(p.c), 0);
	pair_clear(&p);
}

static void
run__ends_when_told(void **state)
{
	struct pair p;
	atomic_bool stop = true;
	struct diff_options opt = {
	    .same_names = true, .on_item = on_item, .stop = &stop};

	(void)state;
	pair_init(&p);
	opt.arg = &p.r;
	node_at(p.model, "a")->mtime++;
	node_at(p.model, "z")->mtime++;
	store(&p.b, p.model, p.c);
	p.r.fail = ERR_FULL;
	assert_rc(ERR_FULL, run(&p.a, &p.b, true, &p.r, &err));
	assert_int_equal(p.r.n, 1);
	p.r.fail = 0;
	assert_rc(ERR_CANCELLED, diff_run(&p.a.side, &p.b.side, &opt, &err));
	pair_clear(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(run__finds_nothing_in_equal_trees),
	    cmocka_unit_test(run__names_each_field),
	    cmocka_unit_test(run__ignores_a_number_and_a_cut),
	    cmocka_unit_test(run__unread_goes_by_names_alone),
	    cmocka_unit_test(run__compares_attributes_wherever_they_lie),
	    cmocka_unit_test(run__reports_added_and_removed_trees),
	    cmocka_unit_test(run__descends_where_a_directory_became_a_file),
	    cmocka_unit_test(run__compares_roots_that_are_files),
	    cmocka_unit_test(run__agrees_with_a_reference),
	    cmocka_unit_test(run__costs_what_differs),
	    cmocka_unit_test(run__walks_paths_of_any_depth),
	    cmocka_unit_test(run__says_what_cannot_be_read),
	    cmocka_unit_test(run__ends_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
