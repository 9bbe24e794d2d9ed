/* Directories: building them, listing and looking up. */
#include "snapshot/tree/page.h"
#include "tests/unit/dir_fixture.h"

#define MILLION 1000000

/* Listing, looking up and seeking in a directory of ${n} entries. */
static void
check_all(size_t n, size_t step)
{
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref ref = build(c, n, SIZE_MAX);
	struct dir_cursor *cur = open_cursor(c, &ref);
	struct dir_entry de;
	char name[24];

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(dir_cursor_tell(cur), i);
		assert_rc(1, dir_cursor_next(cur, &de, &err));
		assert_is_nth(&de, i);
	}
	assert_rc(0, dir_cursor_next(cur, &de, &err));
	assert_rc(0, dir_cursor_next(cur, &de, &err));
	assert_int_equal(dir_cursor_tell(cur), n);
	for (size_t i = 0; i < n; i += step) {
		DIR_ENTRY_AUTO struct dir_entry found = {0};

		nth_name(i, name);
		assert_ok(lookup(c, &ref, name, &found, &err));
		assert_is_nth(&found, i);
		assert_ok(dir_cursor_seek(cur, n - 1 - i, &err));
		assert_int_equal(dir_cursor_tell(cur), n - 1 - i);
		assert_rc(1, dir_cursor_next(cur, &de, &err));
		assert_is_nth(&de, n - 1 - i);
	}
	assert_ok(dir_cursor_seek(cur, n, &err));
	assert_rc(0, dir_cursor_next(cur, &de, &err));
	assert_ok(dir_cursor_seek(cur, n + 10, &err));
	assert_rc(0, dir_cursor_next(cur, &de, &err));
	assert_rc(ERR_NOT_FOUND, lookup(c, &ref, "", &de, &err));
	assert_rc(ERR_NOT_FOUND, lookup(c, &ref, "a", &de, &err));
	assert_rc(ERR_NOT_FOUND, lookup(c, &ref, "file-", &de, &err));
	assert_rc(ERR_NOT_FOUND, lookup(c, &ref, "file-0000000", &de, &err));
	assert_rc(
	    ERR_NOT_FOUND, lookup(c, &ref, "file-00000000.txta", &de, &err));
	assert_rc(ERR_NOT_FOUND, lookup(c, &ref, "z", &de, &err));
	dir_cursor_free(cur);
	assert_int_equal(fake_pinned(c), 0);
	fake_chunks_free(c);
}

static void
dir__holds_any_number_of_entries(void **state)
{
	(void)state;
	check_all(0, 1);
	check_all(1, 1);
	check_all(2, 1);
	check_all(1000, 1);
	check_all(10000, 1);
}

static void
dir__holds_a_million_entries(void **state)
{
	(void)state;
	check_all(MILLION, 997);
}

static int
compare_names(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->p, y->p, n);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* Names of every length and of any byte, sorted, without doubles. */
static size_t
random_names(struct rng *g, struct span *names, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len =
		    i < ENTRY_NAME_MAX ? i + 1 : 1 + (size_t)rng_below(g, 3);
		uint8_t *p = malloc(len);

		for (size_t k = 0; k < len; k++) {
			p[k] = (uint8_t)(1 + rng_below(g, 255));
			if (p[k] == '/' || p[k] == '.')
				p[k] = 0xff;
		}
		names[i] = (struct span){p, len};
	}
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++)
		if (kept > 0 && compare_names(&names[kept - 1], &names[i]) == 0)
			free((void *)(uintptr_t)names[i].p);
		else
			names[kept++] = names[i];
	return kept;
}

static void
dir__holds_names_of_any_byte(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct rng g = rng_new();
	struct span *names = calloc(5000, sizeof(*names));
	size_t n = random_names(&g, names, 5000);
	struct dir_cursor *cur;
	struct dir_entry de;
	struct dir_ref ref;

	(void)state;
	assert_ok(dir_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++) {
		WR_AUTO struct wr w = {0};
		struct entry e = entry_file(i + 1);

		entry_encode(&e, &w);
		assert_ok(dir_builder_add(b, fake_lane(c), names[i].p,
		    names[i].len, w.buf, w.len, &err));
	}
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	cur = open_cursor(c, &ref);
	for (size_t i = 0; i < n; i++) {
		DIR_ENTRY_AUTO struct dir_entry found = {0};

		assert_rc(1, dir_cursor_next(cur, &de, &err));
		assert_int_equal(de.name.len, names[i].len);
		assert_memory_equal(de.name.p, names[i].p, de.name.len);
		assert_ok(dir_lookup(
		    c, &ref, names[i].p, names[i].len, &found, &err));
		assert_int_equal(found.e.ino, i + 1);
		free((void *)(uintptr_t)names[i].p);
	}
	assert_rc(0, dir_cursor_next(cur, &de, &err));
	dir_cursor_free(cur);
	free(names);
	fake_chunks_free(c);
}

/* --- building ------------------------------------------------------------- */

static void
lookup__reads_a_page_a_level(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref ref = build(c, 200000, SIZE_MAX);
	struct dir_cursor *cur = open_cursor(c, &ref);
	struct dir_entry de;
	size_t gets = fake_gets(c);

	(void)state;
	assert_int_equal(ref.level, 2);
	assert_ok(lookup(c, &ref, "file-00123456.txt", &de, &err));
	dir_entry_release(&de);
	assert_int_equal(fake_gets(c) - gets, 3);
	gets = fake_gets(c);
	assert_ok(dir_cursor_seek(cur, 123456, &err));
	assert_rc(1, dir_cursor_next(cur, &de, &err));
	assert_int_equal(fake_gets(c) - gets, 3);
	dir_cursor_free(cur);
	fake_chunks_free(c);
}

static void
builder__rewrites_one_page_a_level(void **state)
{
	static const size_t places[] = {0, 1, 77777, 199999};
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref a = build(c, 200000, SIZE_MAX), b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		size_t before = fake_count(c, CHUNK_TREE);

		b = build(c, 200000, places[i]);
		assert_int_equal(b.level, a.level);
		assert_int_equal(
		    fake_count(c, CHUNK_TREE) - before, a.level + 1);
	}
	fake_chunks_free(c);
}

/* Where pages end, and all their bytes: what was stored has to stay known. */
static void
builder__always_makes_the_same_pages(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref ref = build(c, 100000, SIZE_MAX);
	char text[CONTENT_NAME_TEXT];

	(void)state;
	content_name_text(&ref.root, text);
	assert_string_equal(text, "72af1a07b6fe3646");
	assert_int_equal(fake_count(c, CHUNK_TREE), 583);
	fake_chunks_free(c);
}

/* A page above the others has two children at least. */
static void
builder__leaves_out_a_root_of_one_child(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	size_t levels[3] = {0};

	(void)state;
	for (size_t n = 1; n < 1200; n++) {
		struct dir_ref ref = build(c, n, SIZE_MAX);
		CHUNK_AUTO struct chunk ch = {0};
		struct page p;

		assert_ok(page_open(c,
		    &(struct page_ref){
			.name = ref.root, .level = ref.level, .entries = n},
		    &ch, &p, &err));
		assert_true(ref.level == 0 || p.left > 1);
		levels[ref.level]++;
	}
	assert_true(levels[0] > 50 && levels[1] > 50);
	fake_chunks_free(c);
}

/* A new entry may move a cut, but no further than a few pages. */
static void
builder__keeps_most_pages_when_an_entry_comes(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct dir_ref ref;
	size_t before;
	char name[24];

	(void)state;
	(void)build(c, 100000, SIZE_MAX);
	before = fake_count(c, CHUNK_TREE);
	assert_ok(dir_builder_new(&b, &err));
	for (size_t i = 0; i < 100000; i++) {
		struct entry e = entry_file(i + 1);

		nth_name(i, name);
		add_entry(b, c, name, &e);
		if (i == 50000) {
			e = entry_file(999999);
			add_entry(b, c, "file-00050000.txt~", &e);
		}
	}
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_true(fake_count(c, CHUNK_TREE) - before <= 8);
	fake_chunks_free(c);
}

static int
add_raw(struct dir_builder *b, struct chunks *c, const char *name, size_t len,
    size_t entry_len, struct err *err)
{
	uint8_t *entry = calloc(1, entry_len);
	int rc = dir_builder_add(
	    b, fake_lane(c), (const uint8_t *)name, len, entry, entry_len, err);

	free(entry);
	return rc;
}

static void
builder__refuses_what_cannot_be_stored(void **state)
{
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct chunks *c = fake_chunks_new(0);
	struct dir_ref ref;

	(void)state;
	assert_ok(dir_builder_new(&b, &err));
	assert_rc(ERR_USAGE, add_raw(b, c, "", 0, 1, &err));
	assert_rc(ERR_USAGE, add_raw(b, c, "..", 2, 1, &err));
	assert_rc(ERR_USAGE, add_raw(b, c, "a/b", 3, 1, &err));
	assert_rc(ERR_USAGE, add_raw(b, c, "m", 1, ENTRY_MAX + 1, &err));
	assert_ok(add_raw(b, c, "m", 1, ENTRY_MAX, &err));
	assert_rc(ERR_BUG, add_raw(b, c, "m", 1, 1, &err));
	assert_rc(ERR_BUG, add_raw(b, c, "l", 1, 1, &err));
	assert_ok(add_raw(b, c, "ma", 2, 1, &err));
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_int_equal(ref.entries, 2);
	/* It starts over: any name may come first. */
	assert_ok(add_raw(b, c, "a", 1, 1, &err));
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_int_equal(ref.entries, 1);
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_int_equal(ref.entries, 0);
	assert_ok(add_raw(b, c, "a", 1, 1, &err));
	fake_fail_at(c, 1);
	assert_rc(ERR_FULL, dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_int_equal(ref.entries, 0);
	fake_chunks_free(c);
}

/* --- paths ------------------------------------------------------------- */

static void
resolve__walks_a_path(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct dir_ref ref = {0};
	struct entry e = entry_file(100);
	WR_AUTO struct wr w = {0};
	DIR_ENTRY_AUTO struct dir_entry de = {0};
	struct span root;

	(void)state;
	/* d2/d1/d0/file, and a file beside each. */
	assert_ok(dir_builder_new(&b, &err));
	add_entry(b, c, "file", &e);
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	for (unsigned i = 0; i < 3; i++) {
		char name[] = {'d', (char)('0' + i), 0};

		e = entry_dir(10 + i, &ref);
		add_entry(b, c, name, &e);
		e = entry_file(20 + i);
		add_entry(b, c, "x", &e);
		assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	}
	e = entry_dir(1, &ref);
	entry_encode(&e, &w);
	root = (struct span){w.buf, w.len};

	assert_ok(dir_resolve(c, &root, "d2/d1/d0/file", &de, &err));
	assert_int_equal(de.e.ino, 100);
	assert_int_equal(de.name.len, 4);
	dir_entry_release(&de);
	assert_ok(dir_resolve(c, &root, "/d2//x/", &de, &err));
	assert_int_equal(de.e.ino, 21);
	dir_entry_release(&de);
	assert_ok(dir_resolve(c, &root, "", &de, &err));
	assert_int_equal(de.e.ino, 1);
	assert_int_equal(de.name.len, 0);
	assert_ptr_equal(de.raw.p, w.buf);
	dir_entry_release(&de);
	assert_fails(ERR_NOT_FOUND, "'d2/y': no such name",
	    dir_resolve(c, &root, "d2/y/z", &de, &err));
	assert_fails(ERR_USAGE, "'d2/x/y': not a directory",
	    dir_resolve(c, &root, "d2/x/y", &de, &err));
	assert_rc(ERR_NOT_FOUND, dir_resolve(c, &root, "d2/..", &de, &err));
	root.len--;
	assert_rc(ERR_CORRUPT, dir_resolve(c, &root, "d2", &de, &err));
	assert_int_equal(fake_pinned(c), 0);
	fake_chunks_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dir__holds_any_number_of_entries),
	    cmocka_unit_test(dir__holds_a_million_entries),
	    cmocka_unit_test(dir__holds_names_of_any_byte),
	    cmocka_unit_test(lookup__reads_a_page_a_level),
	    cmocka_unit_test(builder__rewrites_one_page_a_level),
	    cmocka_unit_test(builder__always_makes_the_same_pages),
	    cmocka_unit_test(builder__leaves_out_a_root_of_one_child),
	    cmocka_unit_test(builder__keeps_most_pages_when_an_entry_comes),
	    cmocka_unit_test(builder__refuses_what_cannot_be_stored),
	    cmocka_unit_test(resolve__walks_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
