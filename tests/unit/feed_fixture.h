#ifndef TESTS_UNIT_FEED_FIXTURE_H
#define TESTS_UNIT_FEED_FIXTURE_H

/* Files, dense and sparse, that are fed to a pipeline, and what came of them. */
#include "snapshot/backup/feed.h"
#include "snapshot/content/content.h"
#include "tests/unit/pipeline_fixture.h"
#include "tests/unit/scratch.h"

#define BIG (5 * WORKER_BUF / 2)

/* The bytes at ${off} of file ${seed}: the same wherever they are asked for. */
static inline UNUSED void
fill_at(uint8_t *buf, size_t len, uint64_t off, uint64_t seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(mix(seed + (off + i) / 8) >> (off + i) % 8);
}

/* --- files -------------------------------------------------------------- */

/* A file without a name, opened for both. */
static inline UNUSED int
file_new(void)
{
	char dir[SCRATCH_PATH], path[SCRATCH_PATH + 8];
	int fd;

	scratch_new(dir);
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	scratch_rm(dir);
	return fd;
}

static inline UNUSED void
file_put(int fd, const void *buf, size_t len, uint64_t off)
{
	assert_int_equal(pwrite(fd, buf, len, (off_t)off), len);
}

static inline UNUSED void
file_fill(int fd, size_t len, uint64_t off, uint64_t seed)
{
	uint8_t *buf = malloc(len + 1);

	fill_at(buf, len, off, seed);
	file_put(fd, buf, len, off);
	free(buf);
}

static inline UNUSED int
file_of(size_t len, uint64_t seed)
{
	int fd = file_new();

	file_fill(fd, len, 0, seed);
	return fd;
}

static inline UNUSED uint64_t
file_size(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_size;
}

/* A run of data in a file. */
struct extent {
	uint64_t off;
	size_t len;
};

static inline UNUSED int
sparse_file(const struct extent *extents, size_t n, uint64_t size)
{
	int fd = file_new();

	for (size_t i = 0; i < n; i++)
		file_fill(fd, extents[i].len, extents[i].off, 9);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

/* --- feeding ------------------------------------------------------------ */

static inline UNUSED int
no_work(UNUSED struct worker *w, UNUSED struct job *job, UNUSED void *arg,
    UNUSED struct err *err)
{
	return 0;
}

static inline UNUSED struct pipeline
feed_pipeline(struct fixture *f)
{
	return pipeline_new(f, THREADS, no_work, NULL);
}

/* Feed ${fd} as a file of ${size} bytes; its content goes to ${enc}. */
static inline UNUSED struct feed_result
feed(struct pipeline *p, int fd, uint64_t size, bool sparse, struct wr *enc)
{
	struct feed_result res = {0};
	_Atomic uint64_t read = 0;

	wr_reset(enc);
	assert_ok(feed_file(
	    &p->self, fd, size, sparse, enc, &res, &read, NULL, &err));
	if (!sparse)
		assert_int_equal(atomic_load(&read), res.size);
	return res;
}

static inline UNUSED struct content
decoded(const struct wr *enc, uint64_t size)
{
	struct rd r = rd_init(enc->buf, enc->len);
	struct content c;

	assert_ok(content_decode(&r, size, &c, &err));
	assert_true(rd_done(&r));
	return c;
}

static inline UNUSED struct content_cursor *
cursor_new(struct reader *r, const struct wr *enc, uint64_t size)
{
	struct content c = decoded(enc, size);
	struct content_cursor *cur;

	assert_ok(content_cursor_new(r->chunks, &c, size, &cur, &err));
	return cur;
}

/* The content has the bytes that the file has. */
static inline UNUSED void
assert_same(struct content_cursor *cur, int fd, uint64_t size)
{
	const size_t step = 1000000;
	uint8_t *want = malloc(step), *have = malloc(step);

	for (uint64_t at = 0; at < size;) {
		size_t n = size - at < step ? (size_t)(size - at) : step, got;

		assert_int_equal(pread(fd, want, n, (off_t)at), n);
		assert_ok(content_read(cur, at, have, n, &got, &err));
		assert_int_equal(got, n);
		assert_int_equal(memcmp(have, want, n), 0);
		at += n;
	}
	free(want);
	free(have);
}

#endif
