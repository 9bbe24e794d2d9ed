/* What differs between two trees, what it costs, and what goes wrong. */
#include "tests/unit/diff_fixture.h"

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

/* --- what goes wrong ------------------------------------------------------ */

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
	    cmocka_unit_test(run__says_what_cannot_be_read),
	    cmocka_unit_test(run__ends_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
