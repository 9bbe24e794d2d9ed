/* Files that change, can't be read, or take too long: snapshot/backup/feed.c. */
#include "tests/unit/feed_fixture.h"

#include <errno.h>

/* The file has become shorter than it was said to be. */
static void
feed_file__ends_where_a_file_has_shrunk(void **state)
{
	static const size_t lens[] = {0, 1, 100000, WORKER_BUF, BIG};
	static const struct extent holey[] = {{0, 4096}, {1 << 20, 8192}};
	PIPELINE_AUTO struct pipeline p = feed_pipeline(*state);
	WR_AUTO struct wr enc = {0};
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		fd = file_of(lens[i], i);
		assert_int_equal(
		    feed(&p, fd, lens[i] + 1, false, &enc).size, lens[i]);
		assert_int_equal(
		    feed(&p, fd, lens[i] + BIG, false, &enc).size, lens[i]);
		assert_int_equal(
		    feed(&p, fd, lens[i] + BIG, true, &enc).size, lens[i]);
		(void)decoded(&enc, lens[i]);
		(void)close(fd);
	}
	/* In data, and in the hole behind it. */
	fd = sparse_file(holey, ARRAY_LEN(holey), (1 << 20) + 8192);
	assert_int_equal(
	    feed(&p, fd, 16 << 20, true, &enc).size, (1 << 20) + 8192);
	assert_int_equal(ftruncate(fd, 500000), 0);
	assert_int_equal(feed(&p, fd, 16 << 20, true, &enc).size, 500000);
	(void)close(fd);
}

/* What has been added since belongs to the next backup. */
static void
feed_file__leaves_what_was_added(void **state)
{
	PIPELINE_AUTO struct pipeline p = feed_pipeline(*state);
	WR_AUTO struct wr enc = {0};
	int fd = file_of(4 * WORKER_BUF, 1);

	assert_int_equal(feed(&p, fd, 1000, false, &enc).size, 1000);
	assert_int_equal(feed(&p, fd, BIG, false, &enc).size, BIG);
	assert_int_equal(feed(&p, fd, BIG, true, &enc).size, BIG);
	(void)close(fd);
}

static void
feed_file__tells_a_read_error(void **state)
{
	PIPELINE_AUTO struct pipeline p = feed_pipeline(*state);
	WR_AUTO struct wr enc = {0};
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(feed(&p, fd, 1, false, &enc).errnum, EISDIR);
	assert_int_equal(feed(&p, fd, BIG, false, &enc).errnum, EISDIR);
	(void)close(fd);
	fd = file_of(1000, 1);
	assert_int_equal(feed(&p, fd, 1000, false, &enc).errnum, 0);
	(void)close(fd);
}

static void
feed_file__fails_with_the_store(void **state)
{
	PIPELINE_AUTO struct pipeline p = feed_pipeline(*state);
	WR_AUTO struct wr enc = {0};
	struct feed_result res = {0};
	const size_t size = 8 * WORKER_BUF;
	int fd = file_new();
	uint8_t *buf = malloc(size);

	fill_random(buf, size, 1);
	file_put(fd, buf, size, 0);
	free(buf);
	memstore_fail(p.f->store, ERR_FULL);
	assert_rc(ERR_FULL,
	    feed_file(&p.self, fd, size, false, &enc, &res, NULL, NULL, &err));
	(void)close(fd);
}

/* A database of a terabyte must not keep one from stopping. */
static void
feed_file__stops_amid_a_big_file(void **state)
{
	PIPELINE_AUTO struct pipeline p = feed_pipeline(*state);
	WR_AUTO struct wr enc = {0};
	const atomic_bool stop = true;
	_Atomic uint64_t read = 0;
	struct feed_result res = {0};
	const uint64_t size = (uint64_t)1 << 40;
	int fd = file_new();

	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_rc(ERR_CANCELLED, feed_file(&p.self, fd, size, false, &enc, &res,
				     &read, &stop, &err));
	assert_true(atomic_load(&read) <= 2 * (uint64_t)WORKER_BUF);
	(void)close(fd);
}

static void
feed_stream__stops(void **state)
{
	PIPELINE_AUTO struct pipeline p = feed_pipeline(*state);
	WR_AUTO struct wr enc = {0};
	const atomic_bool stop = true;
	struct feed_result res = {0};
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_rc(ERR_CANCELLED,
	    feed_stream(&p.self, ends[0], &enc, &res, NULL, &stop, &err));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(feed_file__ends_where_a_file_has_shrunk),
	    content_test(feed_file__leaves_what_was_added),
	    content_test(feed_file__tells_a_read_error),
	    content_test(feed_file__fails_with_the_store),
	    content_test(feed_file__stops_amid_a_big_file),
	    content_test(feed_stream__stops),
	};

	return cmocka_run_group_tests_name("feed_fail", tests, NULL, NULL);
}
