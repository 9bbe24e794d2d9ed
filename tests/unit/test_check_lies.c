/*
 * Stores whose objects are all authentic and all wrong: snapshot/check/. Here,
 * the trees.
 */
#include "tests/unit/forge.h"

/* --- honest ones -------------------------------------------------------- */

static void
check_run__accepts_what_is_true(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry dir;

	(void)state;
	forge_file_of(&f, "a", forge_chunk(&f, CHUNK_DATA, "data", 4), 4);
	dir = forge_dir(&f);
	forge_add(&f, "dir", &dir);
	dir = forge_entry(&f, ENTRY_DIR);
	forge_add(&f, "empty", &dir);
	forge_publish_dir(&f);
	assert_whole(&f);
}

#define DEEP 30000

/* Deeper than any stack would bear. */
static void
check_run__goes_as_deep_as_it_has_to(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	FINDINGS_AUTO struct findings got;
	struct entry dir;

	(void)state;
	dir = forge_entry(&f, ENTRY_DIR);
	for (int i = 0; i < DEEP; i++) {
		dir.ino = 11;
		forge_add(&f, "d", &dir);
		dir = forge_dir(&f);
		f.ino = 12;
	}
	forge_publish(&f, &dir);
	check_realm(f.r, CHECK_STRUCTURE, &got);
	assert_clean(&got);
	assert_int_equal(got.result.entries, DEEP + 1);
}

/* --- trees -------------------------------------------------------------- */

static void
check_run__finds_wrong_totals_of_the_root(void **state)
{
	FORGE_AUTO struct forge f = forge_new();

	(void)state;
	forge_file_of(&f, "a", forge_chunk(&f, CHUNK_DATA, "data", 4), 4);
	f.totals.bytes++;
	forge_publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "totals are not what it holds", LIES);
}

static void
check_run__finds_wrong_totals_of_a_directory(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry dir;

	(void)state;
	forge_file_of(&f, "a", forge_chunk(&f, CHUNK_DATA, "data", 4), 4);
	f.totals.others++;
	dir = forge_dir(&f);
	forge_add(&f, "dir", &dir);
	f.totals.others = 1; /* as it would be, were it true */
	forge_publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "totals are not what it holds", LIES "dir");
}

static void
check_run__finds_totals_of_nothing(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry dir;

	(void)state;
	dir = forge_entry(&f, ENTRY_DIR);
	dir.totals.files = 1;
	forge_add(&f, "dir", &dir);
	forge_publish_dir(&f);
	assert_caught(&f, CHECK_STRUCTURE, "an empty directory", LIES "dir");
}

static void
check_run__finds_inode_numbers_from_the_future(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry e;

	(void)state;
	e = forge_entry(&f, ENTRY_FIFO);
	e.ino = NEXT_INO;
	forge_add(&f, "fifo", &e);
	f.totals.others = 1;
	forge_publish_dir(&f);
	assert_caught(&f, CHECK_STRUCTURE, "inode number 1000", LIES "fifo");
}

/* What a newer snapshot may have, but not an older one. */
static void
check_run__finds_inode_numbers_that_came_later(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry dir, root, e;

	(void)state;
	e = forge_entry(&f, ENTRY_FIFO);
	e.ino = NEXT_INO;
	forge_add(&f, "fifo", &e);
	f.totals.others = 1;
	dir = forge_dir(&f);
	forge_add(&f, "dir", &dir);
	f.totals.others = 1;
	root = forge_dir(&f);
	forge_publish(&f, &root);
	f.hours = 1;
	f.next_ino = NEXT_INO + 1;
	forge_publish_again(&f, &root);
	assert_caught(&f, CHECK_STRUCTURE, "inode number 1000", LIES);
}

/* Nobody has to do without backups for it. */
static void
backup_run__goes_on_after_the_last_inode_number(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	AUTO(log) struct log *log = NULL;
	struct entry e;

	(void)state;
	e = forge_entry(&f, ENTRY_FIFO);
	forge_add(&f, "fifo", &e);
	f.totals.others = 1;
	f.next_ino = ENTRY_INO_MAX + 1;
	forge_publish_dir(&f);
	assert_int_equal(mkdir(f.r->source, 0755), 0);
	realm_backup(f.r, "lies", f.r->source, 1);
	realm_backup(f.r, "lies", f.r->source, 2);
	assert_ok(log_load(f.r->admin, f.ds, NULL, &log, &err));
	assert_int_equal(log_count(log), 3);
	assert_true(log_next_ino(log) < 10);
}

static void
check_run__finds_links_that_differ(void **state)
{
	FORGE_AUTO struct forge f = forge_new();
	struct entry e;

	(void)state;
	e = forge_entry(&f, ENTRY_FIFO);
	e.nlink = 3;
	forge_add(&f, "a", &e);
	forge_add(&f, "b", &e);
	e.mode = 0700;
	forge_add(&f, "c", &e);
	f.totals.others = 3;
	forge_publish_dir(&f);
	assert_caught(&f, CHECK_STRUCTURE, "the same inode number", LIES "c");
}

/* A directory of two pages made by hand. */
static struct entry
put_pages(struct forge *f, const struct page_ref *a, const struct page_ref *b)
{
	WR_AUTO struct wr w = {0};
	struct entry e = forge_entry(f, ENTRY_DIR);

	page_put_head(1, 2, &w);
	page_put_child(a, &w);
	page_put_child(b, &w);
	e.dir.root = forge_chunk(f, CHUNK_TREE, w.buf, w.len);
	e.dir.level = 1;
	e.dir.entries = a->entries + b->entries;
	e.totals = f->totals;
	f->totals = (struct dir_totals){0};
	return e;
}

static void
check_run__finds_pages_that_overlap(void **state)
{
	static const char *const first[] = {"a", "c"};
	static const char *const second[] = {"b", "d"};
	FORGE_AUTO struct forge f = forge_new();
	struct page_ref a, b;
	struct entry root;

	(void)state;
	a = forge_page(&f, first, 2);
	b = forge_page(&f, second, 2);
	root = put_pages(&f, &a, &b);
	forge_publish(&f, &root);
	assert_caught(&f, CHECK_STRUCTURE, "out of order between pages", LIES);
}

/* The same page in two directories: sound in one, too long for the other. */
static void
check_run__looks_again_under_another_claim(void **state)
{
	static const char *const first[] = {"a", "c"};
	static const char *const good[] = {"d"};
	static const char *const bad[] = {"b"};
	FORGE_AUTO struct forge f = forge_new();
	struct page_ref a, b, c;
	struct entry one, two;

	(void)state;
	a = forge_page(&f, first, 2);
	b = forge_page(&f, good, 1);
	one = put_pages(&f, &a, &b);
	f.totals.others = 2;
	c = forge_page(&f, bad, 1);
	two = put_pages(&f, &a, &c);
	forge_add(&f, "one", &one);
	forge_add(&f, "two", &two);
	f.totals.others = 6;
	forge_publish_dir(&f);
	assert_caught(
	    &f, CHECK_STRUCTURE, "out of order between pages", LIES "two");
}

static void
check_run__finds_what_cant_be_a_name(void **state)
{
	static const char *const names[] = {".", "..", "a/b"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		FORGE_AUTO struct forge f = forge_new();
		struct page_ref page = forge_page(&f, &names[i], 1);
		struct entry root = forge_entry(&f, ENTRY_DIR);

		root.dir = (struct dir_ref){.entries = 1, .root = page.name};
		root.totals = f.totals;
		forge_publish(&f, &root);
		assert_caught(
		    &f, CHECK_STRUCTURE, "what can't be a name", LIES);
	}
}

static void
check_run__finds_a_page_with_fewer_entries(void **state)
{
	static const char *const names[] = {"a", "b"};
	FORGE_AUTO struct forge f = forge_new();
	struct page_ref page;
	struct entry root;

	(void)state;
	page = forge_page(&f, names, 2);
	root = forge_entry(&f, ENTRY_DIR);
	root.dir = (struct dir_ref){.entries = 3, .root = page.name};
	root.totals = f.totals;
	forge_publish(&f, &root);
	assert_caught(&f, CHECK_STRUCTURE, "fewer entries", LIES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_run__accepts_what_is_true),
	    cmocka_unit_test(check_run__goes_as_deep_as_it_has_to),
	    cmocka_unit_test(check_run__finds_wrong_totals_of_the_root),
	    cmocka_unit_test(check_run__finds_wrong_totals_of_a_directory),
	    cmocka_unit_test(check_run__finds_totals_of_nothing),
	    cmocka_unit_test(check_run__finds_inode_numbers_from_the_future),
	    cmocka_unit_test(check_run__finds_inode_numbers_that_came_later),
	    cmocka_unit_test(backup_run__goes_on_after_the_last_inode_number),
	    cmocka_unit_test(check_run__finds_links_that_differ),
	    cmocka_unit_test(check_run__finds_pages_that_overlap),
	    cmocka_unit_test(check_run__looks_again_under_another_claim),
	    cmocka_unit_test(check_run__finds_what_cant_be_a_name),
	    cmocka_unit_test(check_run__finds_a_page_with_fewer_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
