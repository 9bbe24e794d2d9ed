/* The last seen state of directories, over a real database. */
#include "tests/unit/last_fixture.h"

#define RAW_MAX 512

static const uint8_t store_id[STORE_ID_LEN] = {1};

static struct state *
open_state(struct fixture *f)
{
	struct keyset ks;
	struct state *s = NULL;

	memset(&ks, 0, sizeof(ks));
	assert_ok(state_open(f->dir, store_id, &ks, &s, &err));
	return s;
}

static void
dir_key(struct state *s, const char *path, uint8_t key[HASH_LEN])
{
	assert_ok(state_dir_key(s, path, strlen(path), key, &err));
}

static void
begin(struct state *s)
{
	assert_ok(state_begin(s, &err));
}

static void
publish(struct state *s)
{
	static const struct state_base base = {.id = {1}, .source = {2}};

	assert_ok(state_publish(s, &base, &err));
}

static void
write_entry(struct last_writer *w, struct state *s, const char *dir,
    const struct last_entry *e)
{
	WR_AUTO struct wr record = {0};
	uint8_t key[HASH_LEN];

	dir_key(s, dir, key);
	last_record(e, &record);
	assert_ok(
	    last_write(w, s, key, (struct span){record.buf, record.len}, &err));
}

static void
write_one(struct last_writer *w, struct state *s, const char *dir,
    const char *name, uint64_t i)
{
	const struct last_entry e = entry_of(name, i);

	write_entry(w, s, dir, &e);
}

static void
write_end(struct last_writer *w, struct state *s, const char *dir)
{
	uint8_t key[HASH_LEN];

	dir_key(s, dir, key);
	assert_ok(last_write_end(w, s, key, &err));
}

/* Write a directory with ${n} ${names}, numbered from ${first}. */
static void
write_dir(struct state *s, const char *dir, const char *const *names, size_t n,
    uint64_t first)
{
	struct last_writer w = {0};

	for (size_t i = 0; i < n; i++)
		write_one(&w, s, dir, names[i], first + i);
	write_end(&w, s, dir);
	last_writer_clear(&w);
}

static struct last_cursor *
cursor(struct state *s, const char *dir)
{
	struct last_cursor *cur = NULL;

	assert_ok(last_cursor_new(s, dir, &cur, &err));
	return cur;
}

static void
assert_there(struct last_cursor *cur, const char *name, uint64_t i)
{
	const struct last_entry want = entry_of(name, i);
	struct last_entry e;

	assert_rc(1, last_find(cur, name, strlen(name), &e, &err));
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
assert_none(struct last_cursor *cur, const char *name)
{
	struct last_entry e;

	assert_rc(0, last_find(cur, name, strlen(name), &e, &err));
}

static void
assert_removed(struct last_cursor *cur, int removed)
{
	assert_rc(removed, last_removed(cur, &err));
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

	begin(s);
	write_dir(s, "d", some, ARRAY_LEN(some), 10);
	publish(s);
	cur = cursor(s, "d");
	assert_none(cur, "A");
	assert_there(cur, "a", 10);
	assert_none(cur, "a.");
	assert_there(cur, "a.b", 11);
	assert_none(cur, "a.bc");
	assert_none(cur, "aa");
	assert_there(cur, "ab", 12);
	assert_there(cur, "c", 13);
	assert_none(cur, "z");
	assert_there(cur, "\xc3\xa4", 14);
	assert_none(cur, "\xff");
	assert_removed(cur, 0);
}

/* The directory 'd' with the file 'f', as ${st} shows it. */
static void
write_file(struct state *s, const struct stat *st)
{
	static const uint8_t nothing[1] = {CONTENT_EMPTY};
	const struct entry e = {
	    .type = ENTRY_FILE,
	    .mode = st->st_mode & 07777,
	    .mtime = st->st_mtim.tv_sec,
	    .ino = 99,
	    .nlink = 1,
	    .content = {nothing, 1},
	};
	struct last_writer w = {0};
	WR_AUTO struct wr raw = {0};

	entry_encode(&e, &raw);
	const struct last_entry last = {
	    .name = {(const uint8_t *)"f", 1},
	    .ctime = {.s = st->st_ctim.tv_sec},
	    .ino = st->st_ino,
	    .raw = {raw.buf, raw.len},
	};
	write_entry(&w, s, "d", &last);
	write_end(&w, s, "d");
	last_writer_clear(&w);
}

static void
assert_meets(struct state *s, const char *name, const struct stat *st,
    bool known, bool unchanged)
{
	AUTO(last_cursor) struct last_cursor *cur = cursor(s, "d");
	struct last_entry was;
	bool same = !unchanged;

	assert_rc(known, last_meet(cur, name, st, &was, &same, &err));
	assert_int_equal(same, unchanged);
	assert_int_equal(was.name.len, known ? strlen(name) : 0);
	assert_int_equal(was.raw.len > 0, known);
	assert_int_equal(was.record.len > was.raw.len, known);
}

static void
last_meet__gives_what_the_snapshot_holds(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	struct stat st = {
	    .st_mode = S_IFREG | 0640,
	    .st_ino = 7,
	    .st_nlink = 1,
	    .st_mtim = {.tv_sec = 100},
	    .st_ctim = {.tv_sec = 200},
	};

	begin(s);
	write_file(s, &st);
	publish(s);
	assert_meets(s, "e", &st, false, false);
	assert_meets(s, "f", &st, true, true);
	assert_meets(s, "g", &st, false, false);
	st.st_ctim.tv_sec++;
	assert_meets(s, "f", &st, true, false);
}

static void
last_removed__tells_of_entries_never_asked_for(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	const size_t n = ARRAY_LEN(some);

	begin(s);
	write_dir(s, "", some, n, 0);
	publish(s);
	for (size_t skip = 0; skip <= n; skip++) {
		AUTO(last_cursor) struct last_cursor *cur = cursor(s, "");

		for (size_t i = 0; i < n; i++)
			if (i != skip)
				assert_there(cur, some[i], i);
		assert_removed(cur, skip < n);
		assert_removed(cur, skip < n);
	}
	AUTO(last_cursor) struct last_cursor *none = cursor(s, "");
	assert_removed(none, 1);
}

static void
last_find__finds_nothing_where_there_was_none(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	AUTO(last_cursor) struct last_cursor *unknown = cursor(s, "unknown");
	AUTO(last_cursor) struct last_cursor *without = cursor(NULL, "");

	assert_none(unknown, "a");
	assert_removed(unknown, 0);
	assert_none(without, "a");
	assert_removed(without, 0);
}

static void
last_find__takes_a_malformed_page_for_the_end(void **state)
{
	const struct last_entry one = entry_of("a", 1), two = entry_of("b", 2);
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	AUTO(last_cursor) struct last_cursor *cur = NULL;
	WR_AUTO struct wr page = {0};
	uint8_t key[HASH_LEN];

	begin(s);
	last_record(&one, &page);
	last_record(&two, &page);
	/* A name of 5 bytes of which one is there. */
	wr_bytes(&page, "\5c", 2);
	dir_key(s, "", key);
	assert_ok(state_dir_put(s, key, 0, page.buf, page.len, &err));
	publish(s);
	cur = cursor(s, "");
	assert_there(cur, "a", 1);
	assert_there(cur, "b", 2);
	assert_none(cur, "c");
	assert_none(cur, "d");
	assert_removed(cur, 0);
}

static void
last_find__takes_a_damaged_page_for_the_end(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	AUTO(last_cursor) struct last_cursor *cur = NULL;
	char path[SCRATCH_PATH + 256];
	glob_t g;

	begin(s);
	write_dir(s, "", some, ARRAY_LEN(some), 1);
	publish(s);
	assert_int_equal(glob(fixture_path(f, "*/*.db", path), 0, NULL, &g), 0);
	change_database(
	    g.gl_pathv[0], "UPDATE page SET box = zeroblob(length(box))");
	globfree(&g);
	cur = cursor(s, "");
	assert_none(cur, "a");
	assert_removed(cur, 0);
}

/* --- writing ------------------------------------------------------------ */

static void
last_write_end__leaves_kept_directories_alone(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	uint8_t key[HASH_LEN];

	begin(s);
	write_dir(s, "kept", some, 2, 10);
	write_dir(s, "changed", some, 2, 10);
	write_dir(s, "emptied", some, 2, 10);
	write_dir(s, "gone", some, 2, 10);
	publish(s);

	/* Other numbers, to see whether they are written. */
	begin(s);
	dir_key(s, "kept", key);
	assert_ok(state_dir_keep(s, key, &err));
	write_dir(s, "changed", some, 2, 20);
	write_dir(s, "emptied", NULL, 0, 0);
	publish(s);

	AUTO(last_cursor) struct last_cursor *kept = cursor(s, "kept");
	AUTO(last_cursor) struct last_cursor *changed = cursor(s, "changed");
	AUTO(last_cursor) struct last_cursor *emptied = cursor(s, "emptied");
	AUTO(last_cursor) struct last_cursor *gone = cursor(s, "gone");
	assert_there(kept, some[0], 10);
	assert_there(kept, some[1], 11);
	assert_there(changed, some[0], 20);
	assert_there(changed, some[1], 21);
	assert_removed(emptied, 0);
	assert_removed(gone, 0);
}

static void
last_write_end__leaves_the_old_until_publication(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	AUTO(last_cursor) struct last_cursor *cur = NULL;

	begin(s);
	write_dir(s, "", some, 2, 10);
	publish(s);
	begin(s);
	cur = cursor(s, "");
	write_dir(s, "", some, 3, 20);
	assert_there(cur, some[0], 10);
	assert_there(cur, some[1], 11);
	assert_removed(cur, 0);
	state_rollback(s);
	last_cursor_free(cur);
	cur = cursor(s, "");
	assert_there(cur, some[0], 10);
}

/* One writer serves one directory after the other. */
static void
last_write_end__starts_over(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);
	struct last_writer w = {0};

	begin(s);
	write_one(&w, s, "x", "a", 1);
	write_end(&w, s, "x");
	write_one(&w, s, "y", "b", 2);
	write_end(&w, s, "y");
	publish(s);
	last_writer_clear(&w);

	AUTO(last_cursor) struct last_cursor *x = cursor(s, "x");
	AUTO(last_cursor) struct last_cursor *y = cursor(s, "y");
	assert_there(x, "a", 1);
	assert_removed(x, 0);
	assert_there(y, "b", 2);
	assert_removed(y, 0);
}

/* --- big directories ---------------------------------------------------- */

#define MANY 100000
#define PAGE_MAX (300 * 1024)

static void
write_many(struct state *s, size_t n, size_t raw_len, uint64_t ino)
{
	struct last_writer w = {0};
	uint8_t raw[RAW_MAX] = {0};

	for (size_t i = 0; i < n; i++) {
		char name[16];
		struct last_entry e;

		(void)snprintf(name, sizeof(name), "file%06zu", i);
		e = entry_of(name, ino + i);
		e.raw = (struct span){raw, raw_len};
		write_entry(&w, s, "big", &e);
		assert_true(w.buf.len <= PAGE_MAX);
	}
	write_end(&w, s, "big");
	last_writer_clear(&w);
}

static void
assert_many(struct state *s, size_t n, size_t raw_len, uint64_t ino)
{
	AUTO(last_cursor) struct last_cursor *cur = cursor(s, "big");

	for (size_t i = 0; i < n; i++) {
		struct last_entry e;
		char name[16];

		(void)snprintf(name, sizeof(name), "file%06zu", i);
		assert_rc(1, last_find(cur, name, strlen(name), &e, &err));
		assert_int_equal(e.ino, ino + i);
		assert_int_equal(e.raw.len, raw_len);
	}
	assert_removed(cur, 0);
}

static void
last_write__takes_a_big_directory(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);

	begin(s);
	write_many(s, MANY, 100, 0);
	publish(s);
	assert_many(s, MANY, 100, 0);
	begin(s);
	write_many(s, MANY, RAW_MAX, 7);
	publish(s);
	assert_many(s, MANY, RAW_MAX, 7);
	/* Of the old one no page is left behind. */
	begin(s);
	write_many(s, 10, 100, 9);
	publish(s);
	assert_many(s, 10, 100, 9);
}

/* The last page may be full to the last entry. */
static void
last_write__ends_where_a_page_ends(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = open_state(f);

	for (size_t n = 1023; n <= 1025; n++) {
		begin(s);
		write_many(s, n, 100, n);
		publish(s);
		assert_many(s, n, 100, n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    state_test(last_find__goes_along_in_order_of_name),
	    state_test(last_meet__gives_what_the_snapshot_holds),
	    state_test(last_removed__tells_of_entries_never_asked_for),
	    state_test(last_find__finds_nothing_where_there_was_none),
	    state_test(last_find__takes_a_malformed_page_for_the_end),
	    state_test(last_find__takes_a_damaged_page_for_the_end),
	    state_test(last_write_end__leaves_kept_directories_alone),
	    state_test(last_write_end__leaves_the_old_until_publication),
	    state_test(last_write_end__starts_over),
	    state_test(last_write__takes_a_big_directory),
	    state_test(last_write__ends_where_a_page_ends),
	};

	return cmocka_run_group_tests_name("last", tests, NULL, NULL);
}
