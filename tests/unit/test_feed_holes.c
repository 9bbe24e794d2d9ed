/* Sparse files stay so: snapshot/backup/feed_file.c. */
#include "tests/unit/feed_fixture.h"

/* The content has its holes where the file has them. */
static void
assert_holes(struct content_cursor *cur, int fd, uint64_t size, uint64_t holes)
{
	uint64_t at = 0, pos, data = 0;

	while (at < size) {
		off_t from = lseek(fd, (off_t)at, SEEK_DATA), to;
		int rc = content_seek(cur, at, false, &pos, NULL);

		if (from < 0) {
			assert_int_equal(rc, ERR_NOT_FOUND);
			break;
		}
		assert_int_equal(rc, 0);
		assert_int_equal(pos, from);
		to = lseek(fd, from, SEEK_HOLE);
		assert_ok(content_seek(cur, pos, true, &at, &err));
		assert_int_equal(at, to);
		data += (uint64_t)(to - from);
	}
	assert_int_equal(holes, size - data);
}

static void
check_sparse(
    void **state, const struct extent *extents, size_t n, uint64_t size)
{
	PIPELINE_AUTO struct pipeline p = feed_pipeline(*state);
	AUTO(content_cursor) struct content_cursor *cur = NULL;
	WR_AUTO struct wr enc = {0};
	int fd = sparse_file(extents, n, size);
	struct feed_result res = feed(&p, fd, size, true, &enc);

	assert_int_equal(res.size, size);
	assert_int_equal(res.errnum, 0);
	READER_AUTO struct reader r = pipeline_finish(&p);
	cur = cursor_new(&r, &enc, size);
	assert_same(cur, fd, size);
	assert_holes(cur, fd, size, decoded(&enc, size).holes);
	(void)close(fd);
}

static void
feed_file__finds_holes(void **state)
{
	static const struct extent at_start[] = {{0, 10000}};
	static const struct extent in_the_midst[] = {{1 << 20, 10000}};
	static const struct extent at_end[] = {{0, 1}, {(1 << 20) + 1, 4095}};
	static const struct extent big[] = {{1 << 20, BIG},
	    {16 << 20, WORKER_BUF}, {32 << 20, WORKER_BUF + 4096}};

	check_sparse(state, NULL, 0, 1);
	check_sparse(state, NULL, 0, 1 << 28);
	check_sparse(state, at_start, 1, 1 << 20);
	check_sparse(state, in_the_midst, 1, 3 << 20);
	check_sparse(state, at_end, 2, (1 << 20) + 4096);
	check_sparse(state, big, 3, 40 << 20);
}

static void
feed_file__takes_many_extents(void **state)
{
	struct extent extents[1500];
	uint64_t at = 0;

	for (size_t i = 0; i < ARRAY_LEN(extents); i++) {
		at += 4096 * (1 + mix(i) % 5);
		extents[i].off = at;
		extents[i].len = 4096 * (1 + (size_t)(mix(~i) % 3));
		at += extents[i].len;
	}
	check_sparse(state, extents, ARRAY_LEN(extents), at + 12345);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(feed_file__finds_holes),
	    content_test(feed_file__takes_many_extents),
	};

	return cmocka_run_group_tests_name("feed_holes", tests, NULL, NULL);
}
