/* Contents that are authentic and wrong: see test_check_lies.c. */
#include "tests/unit/forge.h"

static void
check_run__finds_chunks_that_no_index_lists(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct chunk_name nothing = {{0}};

	(void)state;
	forge_file_of(&f, "a", forge_chunk(&f, CHUNK_DATA, "data", 4), 4);
	forge_file_of(&f, "b", nothing, 4);
	forge_publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "no index of the dataset lists it", LIES "b");
}

static void
check_run__finds_attributes_that_no_index_lists(void **state)
{
	static const char name[] = "user.a";
	FORGE_AUTO struct forge f = forge_new();
	WR_AUTO struct wr w = {0};
	struct xattr x = {.name = {(const uint8_t *)name, strlen(name)},
	    .in_chunk = true,
	    .value_len = 2000,
	    .chunk = {{1}}};
	struct entry e;

	(void)state;
	xattr_encode(&x, &w);
	e = forge_entry(&f, ENTRY_FIFO);
	e.nxattrs = 1;
	e.xattrs = (struct span){w.buf, w.len};
	forge_add(&f, "fifo", &e);
	f.totals.others = 1;
	forge_publish_dir(&f);
	assert_caught(&f, CHECK_STRUCTURE, "no index of the dataset lists it",
	    LIES "fifo");
}

/* The file is named once; the older snapshot, by what it has in common. */
static void
check_run__names_older_snapshots_with_the_same_damage(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	FINDINGS_AUTO struct findings got;
	struct chunk_name nothing = {{1}};
	struct entry dir, root;

	(void)state;
	forge_file_of(&f, "a", nothing, 4);
	dir = forge_dir(&f);
	forge_add(&f, "dir", &dir);
	root = forge_dir(&f);
	forge_publish(&f, &root);
	f.hours = 1;
	forge_publish_again(&f, &root);
	check_realm(f.r, CHECK_STRUCTURE, &got);
	assert_int_equal(got.n, 2);
	assert_string_equal(
	    got.v[0].affects, "lies@2023-11-14T23:13:20Z:/dir/a");
	assert_string_equal(got.v[1].affects, LIES);
	assert_string_equal(got.v[0].object, got.v[1].object);
}

static void
check_run__finds_a_directory_as_a_file(void **state)
{
	static const char *const names[] = {"x"};
	FORGE_AUTO struct forge f = forge_new();
	struct page_ref page;

	(void)state;
	page = forge_page(&f, names, 1);
	f.totals.others = 0;
	forge_file_of(&f, "a", page.name, 100);
	forge_publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "listed in a pack of metadata", LIES "a");
}

/* Only who has read the chunk knows how long it is. */
static void
check_run__finds_wrong_lengths_of_chunks(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct chunk_name data;

	(void)state;
	data = forge_chunk(&f, CHUNK_DATA, "data", 4);
	forge_file_of(&f, "a", data, 4);
	forge_file_of(&f, "b", data, 5);
	forge_publish_dir(&f);
	assert_caught(
	    &f, CHECK_READ_DATA, "has 4 bytes where 5 are listed", LIES "b");
}

/* More than stand in an entry, and fewer than may be cut in two. */
#define LISTED 12

/* A node of so many chunks "data"; a file of it, of which this is said. */
static void
add_list(struct forge *f, const char *name, uint8_t level, uint64_t size,
    uint64_t holes)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	struct element el = {.len = 4};
	struct content c;
	uint64_t len;

	el.name = forge_chunk(f, CHUNK_DATA, "data", 4);
	assert_ok(content_builder_new(&b, &err));
	for (size_t i = 0; i < LISTED; i++)
		assert_ok(content_builder_add(b, f->lane, &el, &err));
	assert_ok(content_builder_finish(b, f->lane, &c, &len, &err));
	assert_int_equal(c.form, CONTENT_TREE);
	assert_int_equal(len, 4 * LISTED);
	c.level = level;
	c.holes = holes;
	forge_file(f, name, &c, size);
}

#define MANY 70000 /* more than are looked up at a time */

/* A file of as many chunks; ${nothing} of them, if any, is not there. */
static void
add_many(struct forge *f, const char *name, uint64_t nothing)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	struct content c;
	uint64_t len;

	assert_ok(content_builder_new(&b, &err));
	for (uint64_t i = 0; i < MANY; i++) {
		struct element el = {.len = sizeof(i)};

		el.name = forge_chunk(f, CHUNK_DATA, &i, sizeof(i));
		if (i == nothing)
			el.name.b[0] ^= 1;
		assert_ok(content_builder_add(b, f->lane, &el, &err));
	}
	assert_ok(content_builder_finish(b, f->lane, &c, &len, &err));
	forge_file(f, name, &c, len);
}

static void
check_run__finds_one_chunk_of_many(void **state)
{
	FORGE_AUTO struct forge f = forge_new();

	(void)state;
	add_many(&f, "whole", MANY);
	add_many(&f, "z", 4711);
	forge_publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "no index of the dataset lists it", LIES "z");
}

/* A file of which the truth is said, and then one of which this is. */
static void
assert_list_caught(
    uint8_t level, uint64_t size, uint64_t holes, const char *what)
{
	FORGE_AUTO struct forge f = forge_new();

	add_list(&f, "a", 0, 4 * LISTED, 0);
	add_list(&f, "b", level, size, holes);
	forge_publish_dir(&f);
	assert_caught(&f, CHECK_STRUCTURE, what, LIES "b");
}

static void
check_run__finds_wrong_lengths_of_lists(void **state)
{
	(void)state;
	assert_list_caught(0, 4 * LISTED + 1, 0, "level, length");
}

/* A level and a length that are wrong by the same bits. */
static void
check_run__finds_wrong_levels_of_lists(void **state)
{
	(void)state;
	assert_list_caught(1, 4 * LISTED, 0, "level, length");
	assert_list_caught(1, 4 * LISTED + 1, 0, "level, length");
}

static void
check_run__finds_wrong_numbers_of_holes(void **state)
{
	(void)state;
	assert_list_caught(0, 4 * LISTED, 4, "bytes in holes than listed");
}

/* Two files with one list of chunks, of which one is missing. */
static void
check_run__names_all_files_with_a_damaged_list(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	FINDINGS_AUTO struct findings got;
	struct files packs;
	struct original o;

	(void)state;
	add_list(&f, "a", 0, 4 * LISTED, 0);
	add_list(&f, "b", 0, 4 * LISTED, 0);
	forge_publish_dir(&f);
	assert_whole(&f);
	files_find(f.r, "/packs/", &packs);
	assert_int_equal(packs.n, 2);
	o = original_take(f.r,
	    packs.name[object_kind(f.r, packs.name[0]) == PACK_DATA ? 0 : 1]);
	original_flip(&o, PACK_HEADER_LEN + 20);
	check_realm(f.r, CHECK_READ_DATA, &got);
	assert_int_equal(got.n, 3);
	assert_true(found(&got, strstr(o.path, "datasets"), ""));
	assert_true(found(&got, strstr(o.path, "datasets"), LIES "a"));
	assert_true(found(&got, strstr(o.path, "datasets"), LIES "b"));
	original_put(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_run__finds_chunks_that_no_index_lists),
	    cmocka_unit_test(check_run__finds_attributes_that_no_index_lists),
	    cmocka_unit_test(
		check_run__names_older_snapshots_with_the_same_damage),
	    cmocka_unit_test(check_run__finds_a_directory_as_a_file),
	    cmocka_unit_test(check_run__finds_wrong_lengths_of_chunks),
	    cmocka_unit_test(check_run__finds_one_chunk_of_many),
	    cmocka_unit_test(check_run__finds_wrong_lengths_of_lists),
	    cmocka_unit_test(check_run__finds_wrong_levels_of_lists),
	    cmocka_unit_test(check_run__finds_wrong_numbers_of_holes),
	    cmocka_unit_test(check_run__names_all_files_with_a_damaged_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
