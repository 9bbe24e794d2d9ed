#include "snapshot/find/find.h"
#include "tests/unit/tree_model.h"

#define SNAPSHOTS_MAX 64

/* A dataset's snapshots of one model that a test changes in between. */
struct history {
	struct chunks *c;
	struct node *model;
	struct wr raw[SNAPSHOTS_MAX];
	struct find_snapshot snapshot[SNAPSHOTS_MAX];
	size_t n;
	char problems[512];
};

static void
history_init(struct history *h)
{
	*h = (struct history){
	    .c = fake_chunks_new(0), .model = node_new(ENTRY_DIR, "")};
}

static void
history_clear(struct history *h)
{
	for (size_t i = 0; i < h->n; i++)
		wr_clear(&h->raw[i]);
	node_free(h->model);
	fake_chunks_free(h->c);
}

static void
snap(struct history *h)
{
	struct wr *w = &h->raw[h->n];

	node_store(h->model, h->c, w);
	h->snapshot[h->n++] = (struct find_snapshot){h->c, {w->buf, w->len}};
}

static int
on_problem(void *arg, size_t at, const char *path, size_t path_len,
    const struct err *problem)
{
	struct history *h = arg;
	size_t len = strlen(h->problems);

	assert_int_equal(strlen(path), path_len);
	(void)snprintf(h->problems + len, sizeof(h->problems) - len,
	    "%zu:%s:%d ", at, path, problem->code);
	return 0;
}

/* The versions as text: "path first-last size, ...". */
static void
assert_finds(struct history *h, const char *pattern, const char *want)
{
	const struct find_options opt = {
	    .pattern = pattern, .on_problem = on_problem, .arg = h};
	AUTO(find) struct find *f = NULL;
	char text[4096] = "";
	size_t len = 0;

	h->problems[0] = '\0';
	assert_ok(find_run(h->snapshot, h->n, &opt, &f, &err));
	for (size_t i = 0; i < find_count(f); i++) {
		const struct find_version *v = find_version(f, i);

		assert_int_equal(strlen(v->path), v->path_len);
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s %zu-%zu %llu", i > 0 ? ", " : "", v->path, v->first,
		    v->last, (unsigned long long)v->e.size);
	}
	assert_string_equal(text, want);
}

static void
run__finds_every_version(void **state)
{
	struct history h;
	struct node *d, *f;

	(void)state;
	history_init(&h);
	d = node_dir(h.model, "docs");
	node_file(d, "other", "unchanged");
	snap(&h); /* 0 */
	f = node_file(d, "report.txt", "1");
	node_file(h.model, "report.txt", "root");
	snap(&h); /* 1 */
	snap(&h); /* 2 */
	memcpy(f->data, "22", 3);
	snap(&h); /* 3 */
	f->mode = 0600;
	snap(&h); /* 4 */
	f->ino = 4711;
	node_at(h.model, "docs/other")->mtime++;
	snap(&h); /* 5 */
	node_remove(h.model, "docs/report.txt");
	snap(&h); /* 6 */
	f = node_file(d, "report.txt", "22");
	f->mode = 0600;
	snap(&h); /* 7 */

	assert_finds(&h, "report.txt",
	    "docs/report.txt 1-2 1, docs/report.txt 3-3 2, "
	    "docs/report.txt 4-5 2, docs/report.txt 7-7 2, report.txt 1-7 4");
	assert_finds(&h, "other", "docs/other 0-4 9, docs/other 5-7 9");
	assert_finds(&h, "nothing", "");
	h.n = 0;
	assert_finds(&h, "*", "");
	h.n = 8;
	history_clear(&h);
}

static void
run__matches_names_or_whole_paths(void **state)
{
	struct history h;
	struct node *d;

	(void)state;
	history_init(&h);
	d = node_dir(h.model, "d");
	node_file(d, "a.txt", "");
	node_file(d, ".hidden.txt", "");
	node_file(node_dir(d, "e"), "b.txt", "");
	node_file(h.model, "a\xff", "");
	snap(&h);
	assert_finds(
	    &h, "*.txt", "d/.hidden.txt 0-0 0, d/a.txt 0-0 0, d/e/b.txt 0-0 0");
	assert_finds(&h, "d", "d 0-0 0");
	assert_finds(&h, "d/*.txt",
	    "d/.hidden.txt 0-0 0, d/a.txt 0-0 0, d/e/b.txt 0-0 0");
	assert_finds(&h, "/d", "d 0-0 0");
	assert_finds(&h, "d/?.txt", "d/a.txt 0-0 0");
	assert_finds(&h, "/?/e/*", "d/e/b.txt 0-0 0");
	assert_finds(&h, "*.txt/", "");
	assert_finds(&h, "a\xff", "a\xff 0-0 0");
	assert_finds(&h, "a?", "a\xff 0-0 0");
	history_clear(&h);
}

static void
run__follows_whole_directories(void **state)
{
	struct history h;
	struct node *d, *taken;

	(void)state;
	history_init(&h);
	d = node_dir(h.model, "d");
	node_file(node_dir(d, "e"), "f", "x");
	snap(&h); /* 0 */
	taken = node_take(h.model, 0);
	snap(&h); /* 1: gone */
	node_add(h.model, taken);
	snap(&h); /* 2: back */
	node_remove(h.model, "d/e");
	node_file(d, "e", "now a file");
	snap(&h); /* 3: another type */
	node_remove(h.model, "d/e");
	node_file(node_dir(d, "e"), "f", "yy");
	snap(&h); /* 4: a directory again */
	assert_finds(&h, "f", "d/e/f 0-0 1, d/e/f 2-2 1, d/e/f 4-4 2");
	assert_finds(&h, "e", "d/e 0-0 0, d/e 2-2 0, d/e 3-3 10, d/e 4-4 0");
	/* What happens inside is not a version of the directory. */
	assert_finds(&h, "d", "d 0-0 0, d 2-4 0");
	history_clear(&h);
}

static void
run__reads_only_what_differs(void **state)
{
	struct history h;
	char name[MODEL_NAME];
	size_t gets, first;

	(void)state;
	history_init(&h);
	for (unsigned i = 0; i < 20; i++) {
		struct node *d;

		(void)snprintf(name, sizeof(name), "d%02u", i);
		d = node_dir(h.model, name);
		for (unsigned k = 0; k < 20; k++) {
			(void)snprintf(name, sizeof(name), "f%02u", k);
			node_file(d, name, "bytes");
		}
	}
	snap(&h);
	gets = fake_gets(h.c);
	assert_finds(&h, "d07/f11", "d07/f11 0-0 5");
	first = fake_gets(h.c) - gets;
	assert_int_equal(first, 21);
	for (unsigned i = 1; i < 40; i++) {
		node_at(h.model, "d07/f11")->mtime += i == 20;
		snap(&h);
	}
	gets = fake_gets(h.c);
	assert_finds(&h, "d07/f11", "d07/f11 0-19 5, d07/f11 20-39 5");
	/* Once more: both sides' root pages, and d07's. */
	assert_int_equal(fake_gets(h.c) - gets, first + 4);
	history_clear(&h);
}

/* Versions of all paths by brute force, from the models' copies. */
struct seen {
	char path[64];
	struct node copy;
	size_t first, last;
};

struct seen_list {
	struct seen *v;
	size_t n;
};

static bool
same_version(const struct node *a, const struct node *b)
{
	return a->type == b->type && a->mode == b->mode &&
	       a->mtime == b->mtime && strcmp(a->data, b->data) == 0;
}

static void
note(struct seen_list *l, const struct node *n, const char *path, size_t at)
{
	for (size_t i = 0; i < l->n; i++) {
		struct seen *s = &l->v[i];

		if (s->last == at - 1 && strcmp(s->path, path) == 0 &&
		    same_version(&s->copy, n)) {
			s->last = at;
			return;
		}
	}
	l->v = reallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n] = (struct seen){.copy = *n, .first = at, .last = at};
	(void)snprintf(l->v[l->n].path, sizeof(l->v[0].path), "%s", path);
	l->n++;
}

static void
note_all(
    struct seen_list *l, const struct node *dir, const char *path, size_t at)
{
	for (size_t i = 0; i < dir->n; i++) {
		char sub[64];

		(void)snprintf(sub, sizeof(sub), "%s%s%s", path,
		    *path != '\0' ? "/" : "", dir->child[i]->name);
		note(l, dir->child[i], sub, at);
		note_all(l, dir->child[i], sub, at);
	}
}

static int
compare_seen(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order != 0 ? order
			  : (x->first > y->first) - (x->first < y->first);
}

/* Change something in a tree of directories d0.. with files f0... */
static void
random_change(struct rng *g, struct node *dir, unsigned depth)
{
	char name[8];
	struct node *n;

	(void)snprintf(name, sizeof(name), "%c%u",
	    depth < 3 && rng_below(g, 2) > 0 ? 'd' : 'f',
	    (unsigned)rng_below(g, 4));
	n = node_at(dir, name);
	if (n == NULL && name[0] == 'd')
		n = node_dir(dir, name);
	if (n == NULL)
		node_file(dir, name, "new");
	else if (rng_below(g, 12) == 0)
		node_remove(dir, name);
	else if (rng_below(g, 4) == 0)
		n->mtime += (int64_t)rng_below(g, 2);
	else if (n->type == ENTRY_DIR)
		random_change(g, n, depth + 1);
	else
		n->data[0] = (char)('a' + rng_below(g, 3));
}

static void
run__agrees_with_a_reference(void **state)
{
	struct rng g = rng_new();

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		const struct find_options opt = {.pattern = "*"};
		struct seen_list want = {0};
		AUTO(find) struct find *f = NULL;
		struct history h;

		history_init(&h);
		for (size_t at = 0; at < 40; at++) {
			for (uint64_t k = rng_below(&g, 6); k > 0; k--)
				random_change(&g, h.model, 0);
			snap(&h);
			note_all(&want, h.model, "", at);
		}
		qsort(want.v, want.n, sizeof(*want.v), compare_seen);
		assert_ok(find_run(h.snapshot, h.n, &opt, &f, &err));
		assert_int_equal(find_count(f), want.n);
		for (size_t i = 0; i < want.n; i++) {
			const struct find_version *v = find_version(f, i);

			assert_string_equal(v->path, want.v[i].path);
			assert_int_equal(v->first, want.v[i].first);
			assert_int_equal(v->last, want.v[i].last);
			assert_int_equal(v->e.type, want.v[i].copy.type);
			assert_int_equal(v->e.mtime, want.v[i].copy.mtime);
		}
		free(want.v);
		history_clear(&h);
	}
}

static void
run__goes_on_beyond_damage(void **state)
{
	struct history h;
	const struct find_options strict = {.pattern = "f"};
	struct find *f;
	struct dir_entry de;
	struct node *d;

	(void)state;
	history_init(&h);
	d = node_dir(h.model, "d");
	node_file(d, "f", "x");
	node_file(node_dir(h.model, "e"), "f", "y");
	snap(&h); /* 0 */
	d->child[0]->mode = 0600;
	snap(&h); /* 1: d's page is about to be lost */
	node_at(h.model, "e/f")->mode = 0600;
	snap(&h); /* 2: with the same page of d */
	d->child[0]->mode = 0640;
	snap(&h); /* 3: another page of d; e as before */
	assert_ok(dir_resolve(h.c, &h.snapshot[1].root, "d", &de, &err));
	fake_drop(h.c, &de.e.dir.root);
	dir_entry_release(&de);

	assert_finds(&h, "f", "d/f 0-0 1, d/f 3-3 1, e/f 0-1 1, e/f 2-3 1");
	assert_string_equal(h.problems, "1:d:-4 ");
	f = NULL;
	assert_fails(ERR_CORRUPT, "'d': no index lists",
	    find_run(h.snapshot, h.n, &strict, &f, &err));
	assert_null(f);
	history_clear(&h);
}

static void
run__refuses_an_empty_pattern(void **state)
{
	struct find_options opt = {.pattern = ""};
	struct find *f;

	(void)state;
	assert_rc(ERR_USAGE, find_run(NULL, 0, &opt, &f, &err));
	opt.pattern = "/";
	assert_rc(ERR_USAGE, find_run(NULL, 0, &opt, &f, &err));
	assert_null(f);
}

static void
run__stops_when_told(void **state)
{
	atomic_bool stop = true;
	const struct find_options opt = {
	    .pattern = "*", .on_problem = on_problem, .stop = &stop};
	struct history h;
	struct find *f;

	(void)state;
	history_init(&h);
	node_file(h.model, "f", "x");
	snap(&h);
	assert_rc(ERR_CANCELLED, find_run(h.snapshot, h.n, &opt, &f, &err));
	history_clear(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(run__finds_every_version),
	    cmocka_unit_test(run__matches_names_or_whole_paths),
	    cmocka_unit_test(run__follows_whole_directories),
	    cmocka_unit_test(run__reads_only_what_differs),
	    cmocka_unit_test(run__agrees_with_a_reference),
	    cmocka_unit_test(run__goes_on_beyond_damage),
	    cmocka_unit_test(run__refuses_an_empty_pattern),
	    cmocka_unit_test(run__stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
