/* What is read is stored: snapshot/backup/feed.c. */
#include "tests/unit/feed_fixture.h"

static const size_t sizes[] = {0, 1, CUT_MIN - 1, CUT_MIN, CUT_MIN + 1,
    CUT_MAX - 1, CUT_MAX, CUT_MAX + 1, PIECE_BYTES - 1, PIECE_BYTES,
    PIECE_BYTES + 1, WORKER_BUF - 1, WORKER_BUF, WORKER_BUF + 1,
    2 * WORKER_BUF - 1, 2 * WORKER_BUF, BIG + 17, 9 * PIECE_BYTES + 3};

static void
feed_file__stores_what_it_reads(void **state)
{
	PIPELINE_AUTO struct pipeline p = feed_pipeline(*state);
	struct wr enc[ARRAY_LEN(sizes)] = {0};
	int fd[ARRAY_LEN(sizes)];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct feed_result res;

		fd[i] = file_of(sizes[i], i);
		res = feed(&p, fd[i], sizes[i], false, &enc[i]);
		assert_int_equal(res.size, sizes[i]);
		assert_int_equal(res.errnum, 0);
	}
	READER_AUTO struct reader r = pipeline_finish(&p);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		AUTO(content_cursor)
		struct content_cursor *cur = cursor_new(&r, &enc[i], sizes[i]);

		assert_same(cur, fd[i], sizes[i]);
		wr_clear(&enc[i]);
		(void)close(fd[i]);
	}
}

/* Write a file to a pipe, in odd runs. */
struct pump {
	int fd, pipe;
	size_t len;
};

static void *
pump_main(void *arg)
{
	const struct pump *pump = arg;
	char buf[4099];
	ssize_t n;

	for (off_t at = 0; (n = pread(pump->fd, buf, sizeof(buf), at)) > 0;
	     at += n)
		if (write(pump->pipe, buf, (size_t)n) != n)
			abort();
	(void)close(pump->pipe);
	return NULL;
}

static void
feed_pumped(struct pipeline *p, int fd, size_t size, struct wr *enc)
{
	struct feed_result res = {0};
	_Atomic uint64_t read = 0;
	pthread_t thread;
	struct pump pump;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	pump = (struct pump){.fd = fd, .pipe = ends[1], .len = size};
	assert_int_equal(pthread_create(&thread, NULL, pump_main, &pump), 0);
	wr_reset(enc);
	assert_ok(feed_stream(&p->self, ends[0], enc, &res, &read, NULL, &err));
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)close(ends[0]);
	assert_int_equal(res.size, size);
	assert_int_equal(res.errnum, 0);
	assert_int_equal(atomic_load(&read), size);
}

/* Small or big, file or pipe, with a look for holes or without. */
static void
feed_file__cuts_the_same_bytes_the_same_way(void **state)
{
	PIPELINE_AUTO struct pipeline p = feed_pipeline(*state);
	WR_AUTO struct wr one = {0};
	WR_AUTO struct wr other = {0};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		int fd = file_of(sizes[i], i);

		(void)feed(&p, fd, sizes[i], false, &one);
		(void)feed(&p, fd, sizes[i], true, &other);
		assert_int_equal(one.len, other.len);
		assert_memory_equal(one.buf, other.buf, one.len);
		feed_pumped(&p, fd, sizes[i], &other);
		assert_int_equal(one.len, other.len);
		assert_memory_equal(one.buf, other.buf, one.len);
		(void)close(fd);
	}
}

static void
feed_bytes__stores_them(void **state)
{
	static const size_t lens[] = {0, 1, CUT_MAX, CUT_MAX + 1, BIG};
	PIPELINE_AUTO struct pipeline p = feed_pipeline(*state);
	struct wr enc[ARRAY_LEN(lens)] = {0};
	uint8_t *buf = malloc(BIG), *have = malloc(BIG);
	size_t got;

	fill_at(buf, BIG, 0, 1);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++)
		assert_ok(feed_bytes(&p.self, buf, lens[i], &enc[i], &err));
	READER_AUTO struct reader r = pipeline_finish(&p);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		AUTO(content_cursor)
		struct content_cursor *cur = cursor_new(&r, &enc[i], lens[i]);

		assert_ok(content_read(cur, 0, have, BIG, &got, &err));
		assert_int_equal(got, lens[i]);
		assert_int_equal(memcmp(have, buf, got), 0);
		wr_clear(&enc[i]);
	}
	free(buf);
	free(have);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(feed_file__stores_what_it_reads),
	    content_test(feed_file__cuts_the_same_bytes_the_same_way),
	    content_test(feed_bytes__stores_them),
	};

	return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
