/* The nodes that the kernel knows: fs/node.c. */
#include "fs/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SCOPE 7
#define PRIVATE (UINT64_C(3) << 62)

static struct span
text(const char *s)
{
	return (struct span){(const uint8_t *)s, strlen(s)};
}

static int
setup(void **state)
{
	struct node_key root = {.kind = NODE_FOLDER, .st_ino = 1};
	struct nodes *t;

	if (nodes_new(&root, &t, NULL) != 0)
		return -1;
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	nodes_free(*state);
	return 0;
}

#define node_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct node *
intern(struct nodes *t, const struct node_key *key)
{
	struct node *n;

	assert_int_equal(nodes_intern(t, key, &n, NULL), 0);
	return n;
}

/* An entry: its natural st_ino is its number plus 100. */
static struct node *
entry(struct nodes *t, enum node_kind kind, struct node *parent,
    const char *name, uint64_t ino, const char *raw)
{
	struct node_key key = {
	    .kind = kind,
	    .parent = parent,
	    .name = text(name),
	    .raw = text(raw),
	    .scope = SCOPE,
	    .ino = ino,
	    .st_ino = ino + 100,
	};

	return intern(t, &key);
}

/* The root, as long as the table lives. */
static struct node *
root_of(struct nodes *t)
{
	struct node *root = nodes_get(t, NODE_ROOT_ID);

	assert_non_null(root);
	nodes_put(t, root);
	return root;
}

/* --- identity ---------------------------------------------------------- */

static void
nodes_intern__equal_files_are_one_node(void **state)
{
	struct nodes *t = *state;
	struct node *root = root_of(t);
	struct node *mon = entry(t, NODE_DIR, root, "mon", 1, "m");
	struct node *tue = entry(t, NODE_DIR, root, "tue", 2, "t");
	struct node *a = entry(t, NODE_FILE, mon, "file", 5, "same");
	struct node *b = entry(t, NODE_FILE, tue, "file", 5, "same");

	assert_ptr_equal(a, b);
	assert_int_equal(a->nlookup, 2);
	assert_int_equal(a->st_ino, 105);
}

static void
nodes_intern__other_bytes_are_another_node(void **state)
{
	struct nodes *t = *state;
	struct node *root = root_of(t);
	struct node *a = entry(t, NODE_FILE, root, "a", 5, "one");
	struct node *b = entry(t, NODE_FILE, root, "b", 5, "two");
	struct node *c = entry(t, NODE_FILE, root, "c", 5, "two");

	assert_ptr_not_equal(a, b);
	assert_int_equal(a->st_ino, 105);
	assert_int_equal(b->st_ino, PRIVATE);
	assert_ptr_equal(b, c);
}

static void
nodes_intern__natural_number_is_free_again(void **state)
{
	struct nodes *t = *state;
	struct node *root = root_of(t);
	uint64_t first = entry(t, NODE_FILE, root, "a", 5, "one")->id;

	nodes_forget(t, first, 1);
	assert_int_equal(entry(t, NODE_FILE, root, "b", 5, "two")->st_ino, 105);
}

static void
nodes_intern__many_liars_stay_apart(void **state)
{
	struct nodes *t = *state;
	struct node *root = root_of(t);
	struct node *n[100];
	char raw[16];

	for (int i = 0; i < 100; i++) {
		(void)snprintf(raw, sizeof(raw), "%d", i);
		n[i] = entry(t, NODE_FILE, root, raw, 5, raw);
	}
	for (int i = 0; i < 100; i++)
		for (int j = 0; j < i; j++)
			assert_int_not_equal(n[i]->st_ino, n[j]->st_ino);
}

static void
nodes_intern__directory_is_one_node_a_path(void **state)
{
	struct nodes *t = *state;
	struct node *root = root_of(t);
	struct node *mon = entry(t, NODE_DIR, root, "mon", 1, "m");
	struct node *tue = entry(t, NODE_DIR, root, "tue", 2, "t");
	struct node *a = entry(t, NODE_DIR, mon, "etc", 5, "same");
	struct node *b = entry(t, NODE_DIR, tue, "etc", 5, "same");

	assert_ptr_not_equal(a, b);
	assert_int_not_equal(a->id, b->id);
	assert_int_equal(a->st_ino, 105);
	assert_int_equal(b->st_ino, 105);
	assert_ptr_equal(entry(t, NODE_DIR, mon, "etc", 5, "same"), a);
}

static void
nodes_intern__lying_directory_shows_another_number(void **state)
{
	struct nodes *t = *state;
	struct node *root = root_of(t);
	struct node *a = entry(t, NODE_DIR, root, "a", 5, "one");
	struct node *b = entry(t, NODE_DIR, a, "b", 5, "two");

	assert_int_equal(a->st_ino, 105);
	assert_int_equal(b->st_ino, PRIVATE);
}

static void
nodes_intern__scopes_are_apart(void **state)
{
	struct nodes *t = *state;
	struct node_key key = {
	    .kind = NODE_FILE,
	    .parent = root_of(t),
	    .name = text("f"),
	    .raw = text("same"),
	    .scope = 1,
	    .ino = 5,
	    .st_ino = 15,
	};
	struct node *a = intern(t, &key), *b;

	key.scope = 2;
	key.st_ino = 25;
	b = intern(t, &key);
	assert_ptr_not_equal(a, b);
	assert_int_equal(b->st_ino, 25);
}

static void
nodes_intern__link_that_points_elsewhere_is_new(void **state)
{
	struct nodes *t = *state;
	struct node_key key = {
	    .kind = NODE_LINK,
	    .parent = root_of(t),
	    .name = text("latest"),
	    .raw = text("14-20-00Z"),
	};
	struct node *a = intern(t, &key), *b;

	assert_ptr_equal(intern(t, &key), a);
	key.raw = text("14-40-00Z");
	b = intern(t, &key);
	assert_int_not_equal(a->id, b->id);
	assert_int_not_equal(a->st_ino, b->st_ino);
}

static void
nodes_intern__equal_snapshots_of_one_name_are_apart(void **state)
{
	struct nodes *t = *state;
	int x, y;
	struct node_key key = {
	    .kind = NODE_DIR,
	    .parent = root_of(t),
	    .name = text("@1h"),
	    .raw = text("root"),
	    .scope = SCOPE,
	    .ino = 1,
	    .st_ino = 101,
	    .s = (const struct snapshot *)&x,
	};
	struct node *a = intern(t, &key), *b;

	key.s = (const struct snapshot *)&y;
	b = intern(t, &key);
	assert_int_not_equal(a->id, b->id);
	assert_int_equal(a->st_ino, b->st_ino);
}

/* --- lifetime ---------------------------------------------------------- */

static void
nodes_forget__frees_at_the_last_lookup(void **state)
{
	struct nodes *t = *state;
	struct node *root = root_of(t);
	size_t bytes = nodes_bytes(t);
	uint64_t id = entry(t, NODE_FILE, root, "f", 5, "x")->id;

	(void)entry(t, NODE_FILE, root, "f", 5, "x");
	nodes_forget(t, id, 1);
	assert_int_equal(nodes_count(t), 2);
	nodes_forget(t, id, 1);
	assert_int_equal(nodes_count(t), 1);
	assert_null(nodes_get(t, id));
	assert_int_equal(nodes_bytes(t), bytes);
}

static void
nodes_forget__ids_are_never_used_again(void **state)
{
	struct nodes *t = *state;
	struct node *root = root_of(t);
	uint64_t last = 0;

	for (int i = 0; i < 100; i++) {
		uint64_t id = entry(t, NODE_FILE, root, "f", 5, "x")->id;

		assert_true(id > last);
		last = id;
		nodes_forget(t, id, 1);
	}
}

static void
nodes_forget__parent_stays_as_long_as_its_children(void **state)
{
	struct nodes *t = *state;
	struct node *dir = entry(t, NODE_DIR, root_of(t), "d", 1, "d");
	uint64_t dir_id = dir->id;
	uint64_t id = entry(t, NODE_FILE, dir, "f", 5, "x")->id;

	nodes_forget(t, dir_id, 1);
	assert_int_equal(nodes_count(t), 3);
	nodes_forget(t, id, 1);
	assert_int_equal(nodes_count(t), 1);
}

static void
nodes_forget__known_again_before_it_went(void **state)
{
	struct nodes *t = *state;
	struct node *dir = entry(t, NODE_DIR, root_of(t), "d", 1, "d");
	uint64_t id = dir->id;

	(void)entry(t, NODE_FILE, dir, "f", 5, "x");
	nodes_forget(t, id, 1);
	assert_int_equal(entry(t, NODE_DIR, root_of(t), "d", 1, "d")->id, id);
}

static void
nodes_forget__more_than_was_looked_up(void **state)
{
	struct nodes *t = *state;
	uint64_t id = entry(t, NODE_FILE, root_of(t), "f", 5, "x")->id;

	nodes_forget(t, id, 1000);
	nodes_forget(t, id, 1);
	nodes_forget(t, NODE_ROOT_ID, 1);
	assert_int_equal(nodes_count(t), 1);
	assert_ptr_equal(root_of(t), root_of(t));
}

static void
nodes_put__the_last_reference_frees(void **state)
{
	struct nodes *t = *state;
	struct node *n = entry(t, NODE_FILE, root_of(t), "f", 5, "x");

	assert_ptr_equal(nodes_get(t, n->id), n);
	nodes_forget(t, n->id, 1);
	assert_int_equal(nodes_count(t), 2);
	nodes_put(t, n);
	assert_int_equal(nodes_count(t), 1);
}

/* --- many -------------------------------------------------------------- */

#define MANY 50000

static void
nodes_intern__tables_grow(void **state)
{
	struct nodes *t = *state;
	struct node *root = root_of(t);
	uint64_t *ids = calloc(MANY, sizeof(*ids));
	char name[32];

	assert_non_null(ids);
	for (unsigned i = 0; i < MANY; i++) {
		enum node_kind kind = i % 2 ? NODE_DIR : NODE_FILE;

		(void)snprintf(name, sizeof(name), "name-%u", i);
		ids[i] = entry(t, kind, root, name, i + 1, name)->id;
	}
	assert_int_equal(nodes_count(t), MANY + 1);
	for (unsigned i = 0; i < MANY; i++) {
		struct node *n = nodes_get(t, ids[i]);
		struct span raw;

		(void)snprintf(name, sizeof(name), "name-%u", i);
		assert_non_null(n);
		raw = node_raw(n);
		assert_int_equal(raw.len, strlen(name));
		assert_memory_equal(raw.p, name, raw.len);
		nodes_put(t, n);
		nodes_forget(t, ids[i], 1);
	}
	assert_int_equal(nodes_count(t), 1);
	free(ids);
}

static void
nodes_idle__goes_round_all_that_may_go(void **state)
{
	struct nodes *t = *state;
	struct node *dir = entry(t, NODE_DIR, root_of(t), "d", 1, "d");
	bool seen[2048] = {false};
	uint64_t ids[64];
	char name[32];
	size_t n, total = 0;

	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		(void)entry(t, NODE_FILE, dir, name, i + 2, name);
	}
	for (int round = 0; round < 100 && total < 1000; round++) {
		n = nodes_idle(t, ids, 64);
		assert_true(n > 0 && n <= 64);
		for (size_t i = 0; i < n; i++) {
			assert_true(ids[i] < 2048);
			assert_int_not_equal(ids[i], dir->id);
			assert_int_not_equal(ids[i], NODE_ROOT_ID);
			total += !seen[ids[i]];
			seen[ids[i]] = true;
		}
	}
	assert_int_equal(total, 1000);
}

static void
nodes_idle__passes_over_what_is_in_use(void **state)
{
	struct nodes *t = *state;
	struct node *n = entry(t, NODE_FILE, root_of(t), "f", 5, "x");
	uint64_t ids[4];

	(void)nodes_get(t, n->id);
	assert_int_equal(nodes_idle(t, ids, 4), 0);
	nodes_put(t, n);
	assert_int_equal(nodes_idle(t, ids, 4), 1);
	assert_int_equal(ids[0], n->id);
}

/* --- paths ------------------------------------------------------------- */

static void
assert_path(const struct node *n, const char *want)
{
	WR_AUTO struct wr w = {0};

	node_path(n, &w);
	wr_u8(&w, 0);
	assert_string_equal((const char *)w.buf, want);
}

static void
node_path__from_the_root(void **state)
{
	struct nodes *t = *state;
	struct node *a = entry(t, NODE_DIR, root_of(t), "a", 1, "a");
	struct node *b = entry(t, NODE_DIR, a, "b", 2, "b");

	assert_path(root_of(t), "");
	assert_path(a, "a");
	assert_path(entry(t, NODE_FILE, b, "c d", 3, "c"), "a/b/c d");
}

static void
node_path__escapes_what_breaks_lines(void **state)
{
	struct nodes *t = *state;

	assert_path(entry(t, NODE_FILE, root_of(t), "x\ny\\\033[1m\177", 3, ""),
	    "x\\012y\\134\\033[1m\\177");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(nodes_intern__equal_files_are_one_node),
	    node_test(nodes_intern__other_bytes_are_another_node),
	    node_test(nodes_intern__natural_number_is_free_again),
	    node_test(nodes_intern__many_liars_stay_apart),
	    node_test(nodes_intern__directory_is_one_node_a_path),
	    node_test(nodes_intern__lying_directory_shows_another_number),
	    node_test(nodes_intern__scopes_are_apart),
	    node_test(nodes_intern__link_that_points_elsewhere_is_new),
	    node_test(nodes_intern__equal_snapshots_of_one_name_are_apart),
	    node_test(nodes_forget__frees_at_the_last_lookup),
	    node_test(nodes_forget__ids_are_never_used_again),
	    node_test(nodes_forget__parent_stays_as_long_as_its_children),
	    node_test(nodes_forget__known_again_before_it_went),
	    node_test(nodes_forget__more_than_was_looked_up),
	    node_test(nodes_put__the_last_reference_frees),
	    node_test(nodes_intern__tables_grow),
	    node_test(nodes_idle__goes_round_all_that_may_go),
	    node_test(nodes_idle__passes_over_what_is_in_use),
	    node_test(node_path__from_the_root),
	    node_test(node_path__escapes_what_breaks_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
