/* The last seen state of directories, over a real database. */
#include "tests/unit/last_fixture.h"

#define RAW_MAX 512

static const uint8_t store_id[STORE_ID_LEN] = {1};

static const uint8_t snapshot_id[OBJECT_NAME_LEN] = {2};

static const uint8_t source[HASH_LEN] = {3};

static struct state *
open_state(struct fixture *f)
{
	struct keyset ks;
	struct state *s = NULL;

	memset(&ks, 0, sizeof(ks));
	assert_ok(state_open(f->dir, store_id, &ks, &s, &f->err));
	return s;
}

static void
dir_key(
    struct fixture *f, struct state *s, const char *path, uint8_t key[HASH_LEN])
{
	assert_ok(state_dir_key(s, path, strlen(path), key, &f->err));
}

static void
begin(struct fixture *f, struct state *s)
{
	assert_ok(state_begin(s, &f->err));
}

static void
publish(struct fixture *f, struct state *s)
{
	assert_ok(state_publish(s, snapshot_id, source, &f->err));
}

static void
write_one(struct fixture *f, struct last_writer *w, struct state *s,
    const char *dir, const char *name, uint64_t i)
{
	const struct last_entry e = entry_of(name, i);
	uint8_t key[HASH_LEN];

	dir_key(f, s, dir, key);
	assert_ok(last_write(w, s, key, &e, &f->err));
}

static void
write_end(
    struct fixture *f, struct last_writer *w, struct state *s, const char *dir)
{
	uint8_t key[HASH_LEN];

	dir_key(f, s, dir, key);
	assert_ok(last_write_end(w, s, key, &f->err));
}

/* Write a directory with ${n} ${names}, numbered from ${first}. */
static void
write_dir(struct fixture *f, struct state *s, const char *dir, bool dirty,
    const char *const *names, size_t n, uint64_t first)
{
	struct last_writer w = {.dirty = dirty};

	for (size_t i = 0; i < n; i++)
		write_one(f, &w, s, dir, names[i], first + i);
	write_end(f, &w, s, dir);
	assert_false(w.dirty);
	last_writer_clear(&w);
}

static struct last_cursor *
cursor(struct fixture *f, struct state *s, const char *dir)
{
	struct last_cursor *cur = NULL;

	assert_ok(last_cursor_new(s, dir, &cur, &f->err));
	return cur;
}

static void
assert_there(
    struct fixture *f, struct last_cursor *cur, const char *name, uint64_t i)
{
	const struct last_entry want = entry_of(name, i);
	struct last_entry e;

	assert_rc(1, last_find(cur, name, strlen(name), &e, &f->err));
	assert_int_equal(e.name.len, want.name.len);
	assert_memory_equal(e.name.p, name, want.name.len);
	assert_int_equal(e.ctime.s, want.ctime.s);
	assert_int_equal(e.ctime.ns, want.ctime.ns);
	assert_int_equal(e.ino, i);
	assert_int_equal(e.doubtful, want.doubtful);
	assert_int_equal(e.raw.len, want.raw.len);
	assert_memory_equal(e.raw.p, name, want.raw.len);
}

static void
assert_none(struct fixture *f, struct last_cursor *cur, const char *name)
{
	struct last_entry e;

	assert_rc(0, last_find(cur, name, strlen(name), &e, &f->err));
}

static void
assert_removed(struct fixture *f, struct last_cursor *cur, int removed)
{
	assert_rc(removed, last_removed(cur, &f->err));
}

/* --- reading ------------------------------------------------------------ */

/* As bytes: a prefix first, and what is above 0x7f last. */
static const char *const some[] = {"a", "a.b", "ab", "c", "\xc3\xa4"};

static void
last_find__goes_along_in_order_of_name(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	AUTO(last_cursor) struct last_cursor *cur = NULL;

	begin(f, s);
	write_dir(f, s, "d", true, some, ARRAY_LEN(some), 10);
	publish(f, s);
	cur = cursor(f, s, "d");
	assert_none(f, cur, "A");
	assert_there(f, cur, "a", 10);
	assert_none(f, cur, "a.");
	assert_there(f, cur, "a.b", 11);
	assert_none(f, cur, "a.bc");
	assert_none(f, cur, "aa");
	assert_there(f, cur, "ab", 12);
	assert_there(f, cur, "c", 13);
	assert_none(f, cur, "z");
	assert_there(f, cur, "\xc3\xa4", 14);
	assert_none(f, cur, "\xff");
	assert_removed(f, cur, 0);
}

static void
last_removed__tells_of_entries_never_asked_for(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	const size_t n = ARRAY_LEN(some);

	begin(f, s);
	write_dir(f, s, "", true, some, n, 0);
	publish(f, s);
	for (size_t skip = 0; skip <= n; skip++) {
		AUTO(last_cursor) struct last_cursor *cur = cursor(f, s, "");

		for (size_t i = 0; i < n; i++)
			if (i != skip)
				assert_there(f, cur, some[i], i);
		assert_removed(f, cur, skip < n);
		assert_removed(f, cur, skip < n);
	}
	AUTO(last_cursor) struct last_cursor *none = cursor(f, s, "");
	assert_removed(f, none, 1);
}

static void
last_find__finds_nothing_where_there_was_none(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	AUTO(last_cursor) struct last_cursor *unknown = cursor(f, s, "unknown");
	AUTO(last_cursor) struct last_cursor *without = cursor(f, NULL, "");

	assert_none(f, unknown, "a");
	assert_removed(f, unknown, 0);
	assert_none(f, without, "a");
	assert_removed(f, without, 0);
}

static void
last_find__takes_a_malformed_page_for_the_end(void **state)
{
	static const char *const two[] = {"a", "b"};
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	AUTO(last_cursor) struct last_cursor *cur = NULL;
	uint8_t key[HASH_LEN];

	begin(f, s);
	write_dir(f, s, "", true, two, 2, 1);
	dir_key(f, s, "", key);
	/* A name of 5 bytes of which one is there. */
	assert_ok(state_dir_put(s, key, 1, "\5c", 2, &f->err));
	publish(f, s);
	cur = cursor(f, s, "");
	assert_there(f, cur, "a", 1);
	assert_there(f, cur, "b", 2);
	assert_none(f, cur, "c");
	assert_none(f, cur, "d");
	assert_removed(f, cur, 0);
}

static void
last_find__takes_a_damaged_page_for_the_end(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	AUTO(last_cursor) struct last_cursor *cur = NULL;
	char path[SCRATCH_PATH + 256];
	glob_t g;

	begin(f, s);
	write_dir(f, s, "", true, some, ARRAY_LEN(some), 1);
	publish(f, s);
	assert_int_equal(glob(fixture_path(f, "*/*.db", path), 0, NULL, &g), 0);
	change_database(
	    g.gl_pathv[0], "UPDATE page SET box = zeroblob(length(box))");
	globfree(&g);
	cur = cursor(f, s, "");
	assert_none(f, cur, "a");
	assert_removed(f, cur, 0);
}

/* --- writing ------------------------------------------------------------ */

static void
last_write_end__keeps_what_has_not_changed(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);

	begin(f, s);
	write_dir(f, s, "kept", true, some, 2, 10);
	write_dir(f, s, "changed", true, some, 2, 10);
	write_dir(f, s, "emptied", true, some, 2, 10);
	write_dir(f, s, "gone", true, some, 2, 10);
	publish(f, s);

	/* Other numbers, to see whether they are written. */
	begin(f, s);
	write_dir(f, s, "kept", false, some, 2, 20);
	write_dir(f, s, "changed", true, some, 2, 20);
	write_dir(f, s, "emptied", true, NULL, 0, 0);
	publish(f, s);

	AUTO(last_cursor) struct last_cursor *kept = cursor(f, s, "kept");
	AUTO(last_cursor) struct last_cursor *changed = cursor(f, s, "changed");
	AUTO(last_cursor) struct last_cursor *emptied = cursor(f, s, "emptied");
	AUTO(last_cursor) struct last_cursor *gone = cursor(f, s, "gone");
	assert_there(f, kept, some[0], 10);
	assert_there(f, kept, some[1], 11);
	assert_there(f, changed, some[0], 20);
	assert_there(f, changed, some[1], 21);
	assert_removed(f, emptied, 0);
	assert_removed(f, gone, 0);
}

static void
last_write_end__leaves_the_old_until_publication(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	AUTO(last_cursor) struct last_cursor *cur = NULL;

	begin(f, s);
	write_dir(f, s, "", true, some, 2, 10);
	publish(f, s);
	begin(f, s);
	cur = cursor(f, s, "");
	write_dir(f, s, "", true, some, 3, 20);
	assert_there(f, cur, some[0], 10);
	assert_there(f, cur, some[1], 11);
	assert_removed(f, cur, 0);
	state_rollback(s);
	last_cursor_free(cur);
	cur = cursor(f, s, "");
	assert_there(f, cur, some[0], 10);
}

/* One writer serves one directory after the other. */
static void
last_write_end__starts_over(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	struct last_writer w = {.dirty = true};

	begin(f, s);
	write_one(f, &w, s, "x", "a", 1);
	write_end(f, &w, s, "x");
	w.dirty = true;
	write_one(f, &w, s, "y", "b", 2);
	write_end(f, &w, s, "y");
	publish(f, s);
	last_writer_clear(&w);

	AUTO(last_cursor) struct last_cursor *x = cursor(f, s, "x");
	AUTO(last_cursor) struct last_cursor *y = cursor(f, s, "y");
	assert_there(f, x, "a", 1);
	assert_removed(f, x, 0);
	assert_there(f, y, "b", 2);
	assert_removed(f, y, 0);
}

/* --- big directories ---------------------------------------------------- */

#define MANY 100000
#define HELD_MAX (40 * 1024 * 1024)

/* Write MANY entries of ${raw_len} bytes; dirty from the ${from}-th on. */
static void
write_many(struct fixture *f, struct state *s, size_t n, size_t from,
    size_t raw_len, uint64_t ino)
{
	struct last_writer w = {0};
	uint8_t key[HASH_LEN], raw[RAW_MAX] = {0};

	dir_key(f, s, "big", key);
	for (size_t i = 0; i < n; i++) {
		char name[16];
		struct last_entry e;

		(void)snprintf(name, sizeof(name), "file%06zu", i);
		e = entry_of(name, ino + i);
		e.raw = (struct span){raw, raw_len};
		if (i == from)
			w.dirty = true;
		assert_ok(last_write(&w, s, key, &e, &f->err));
		assert_true(w.buf.len <= HELD_MAX);
	}
	assert_ok(last_write_end(&w, s, key, &f->err));
	last_writer_clear(&w);
}

static void
assert_many(
    struct fixture *f, struct state *s, size_t n, size_t raw_len, uint64_t ino)
{
	AUTO(last_cursor) struct last_cursor *cur = cursor(f, s, "big");

	for (size_t i = 0; i < n; i++) {
		struct last_entry e;
		char name[16];

		(void)snprintf(name, sizeof(name), "file%06zu", i);
		assert_rc(1, last_find(cur, name, strlen(name), &e, &f->err));
		assert_int_equal(e.ino, ino + i);
		assert_int_equal(e.raw.len, raw_len);
	}
	assert_removed(f, cur, 0);
}

static void
last_write__takes_a_big_directory(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);

	begin(f, s);
	write_many(f, s, MANY, 0, 100, 0);
	publish(f, s);
	assert_many(f, s, MANY, 100, 0);
	/* Held back to the end, and not written. */
	begin(f, s);
	write_many(f, s, MANY, MANY, 100, 5);
	publish(f, s);
	assert_many(f, s, MANY, 100, 0);
	/* Held back until the last entry changes it all. */
	begin(f, s);
	write_many(f, s, MANY, MANY - 1, 100, 7);
	publish(f, s);
	assert_many(f, s, MANY, 100, 7);
	/* Of the old one no page is left behind. */
	begin(f, s);
	write_many(f, s, 10, 5, 100, 9);
	publish(f, s);
	assert_many(f, s, 10, 100, 9);
}

/* Unchanged, but more than it holds back. */
static void
last_write__bounds_what_it_holds(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);

	begin(f, s);
	write_many(f, s, MANY, MANY, RAW_MAX, 3);
	publish(f, s);
	assert_many(f, s, MANY, RAW_MAX, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    state_test(last_find__goes_along_in_order_of_name),
	    state_test(last_removed__tells_of_entries_never_asked_for),
	    state_test(last_find__finds_nothing_where_there_was_none),
	    state_test(last_find__takes_a_malformed_page_for_the_end),
	    state_test(last_find__takes_a_damaged_page_for_the_end),
	    state_test(last_write_end__keeps_what_has_not_changed),
	    state_test(last_write_end__leaves_the_old_until_publication),
	    state_test(last_write_end__starts_over),
	    state_test(last_write__takes_a_big_directory),
	    state_test(last_write__bounds_what_it_holds),
	};

	return cmocka_run_group_tests_name("last", tests, NULL, NULL);
}
