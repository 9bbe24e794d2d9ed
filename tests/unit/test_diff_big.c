/* Diffs of trees made at random, of big ones and of deep ones. */
#include "tests/unit/diff_fixture.h"

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

static void
set_root(struct stored *s, struct chunks *c, const struct dir_ref *ref)
{
	struct entry e = entry_dir(1, ref);

	wr_reset(&s->raw);
	entry_encode(&e, &s->raw);
	s->side = (struct diff_side){c, {s->raw.buf, s->raw.len}};
}

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
	set_root(s, c, &ref);
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
	set_root(s, c, &ref);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(run__agrees_with_a_reference),
	    cmocka_unit_test(run__costs_what_differs),
	    cmocka_unit_test(run__walks_paths_of_any_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
