/* Databases and disk images are cut by page: snapshot/backup/feed.c. */
#include "tests/unit/feed_fixture.h"

#define PAGE 8192

/* The first bytes of an SQLite database with pages of 8 KiB. */
static void
put_sqlite_head(int fd, uint64_t off)
{
	uint8_t head[100] = "SQLite format 3";

	head[16] = PAGE >> 8;
	file_put(fd, head, sizeof(head), off);
}

/* The magic in the superblock of an ext filesystem. */
static void
put_ext_head(int fd)
{
	file_put(fd, "\x53\xef", 2, 1080);
}

/*
 * Every chunk ends where a page ends or its run of data does, and the next
 * begins there: whether the file was cut by page.
 */
static bool
is_cut_by_page(struct content_cursor *cur, uint64_t size)
{
	struct element el;
	uint64_t start, next;

	for (uint64_t at = 0; at < size; at = start + el.len) {
		assert_ok(content_at(cur, at, &el, &start, &err));
		assert_int_equal(start, at);
		if (el.hole)
			continue;
		assert_ok(content_seek(cur, at, true, &next, &err));
		if (el.len > PAGE - at % PAGE ||
		    ((at + el.len) % PAGE != 0 && at + el.len != next))
			return false;
	}
	return true;
}

/* Feed a file that ${head} made a database of, or not, and look at its cuts. */
static void
check_pages(void **state, int fd, bool sparse, bool by_page)
{
	PIPELINE_AUTO struct pipeline p = feed_pipeline(*state);
	AUTO(content_cursor) struct content_cursor *cur = NULL;
	WR_AUTO struct wr enc = {0};
	uint64_t size = file_size(fd);

	(void)feed(&p, fd, size, sparse, &enc);
	READER_AUTO struct reader r = pipeline_finish(&p);
	cur = cursor_new(&r, &enc, size);
	assert_same(cur, fd, size);
	assert_int_equal(is_cut_by_page(cur, size), by_page);
	(void)close(fd);
}

static void
feed_file__cuts_databases_by_page(void **state)
{
	static const size_t lens[] = {
	    100, 3 * PAGE, WORKER_BUF, WORKER_BUF + 1, BIG + PAGE};

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		int fd = file_of(lens[i], i);

		put_sqlite_head(fd, 0);
		check_pages(state, fd, false, true);
	}
	check_pages(state, file_of(BIG, 1), false, false);
}

/* Behind a hole that ends amid a page, the next page begins where it should. */
static void
feed_file__aligns_pages_behind_a_hole(void **state)
{
	static const struct extent extents[] = {{0, 2 * PAGE},
	    {2 * PAGE + 4096, 5 * PAGE}, {20 * PAGE + 4096, 4096},
	    {30 * PAGE + 4096, BIG + 4096}};
	int fd = sparse_file(extents, ARRAY_LEN(extents), 64 << 20);

	put_sqlite_head(fd, 0);
	check_pages(state, fd, true, true);
}

/* It is the file's size that tells a disk image, not its first run's. */
static void
feed_file__knows_an_image_by_the_whole_file(void **state)
{
	static const struct extent extents[] = {
	    {0, 65536}, {1 << 20, 65536}, {4 << 20, BIG}};
	int fd = sparse_file(extents, ARRAY_LEN(extents), 16 << 20);

	put_ext_head(fd);
	check_pages(state, fd, true, true);
}

static void
feed_file__looks_at_the_first_bytes_alone(void **state)
{
	static const struct extent extents[] = {{1 << 20, BIG}};
	int fd = sparse_file(extents, ARRAY_LEN(extents), 16 << 20);

	put_sqlite_head(fd, 1 << 20);
	check_pages(state, fd, true, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(feed_file__cuts_databases_by_page),
	    content_test(feed_file__aligns_pages_behind_a_hole),
	    content_test(feed_file__knows_an_image_by_the_whole_file),
	    content_test(feed_file__looks_at_the_first_bytes_alone),
	};

	return cmocka_run_group_tests_name("feed_pages", tests, NULL, NULL);
}
