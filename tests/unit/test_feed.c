#include "snapshot/backup/feed.h"
#include "snapshot/content/content.h"
#include "tests/unit/pipeline_fixture.h"
#include "tests/unit/scratch.h"

#include <errno.h>

#define BIG (5 * WORKER_BUF / 2)

/* The bytes at ${off} of file ${seed}: the same wherever they are asked for. */
static void
fill_at(uint8_t *buf, size_t len, uint64_t off, uint64_t seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(mix(seed + (off + i) / 8) >> (off + i) % 8);
}

/* --- files -------------------------------------------------------------- */

/* A file without a name, opened for both. */
static int
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

static void
file_put(int fd, const void *buf, size_t len, uint64_t off)
{
	assert_int_equal(pwrite(fd, buf, len, (off_t)off), len);
}

static void
file_fill(int fd, size_t len, uint64_t off, uint64_t seed)
{
	uint8_t *buf = malloc(len + 1);

	fill_at(buf, len, off, seed);
	file_put(fd, buf, len, off);
	free(buf);
}

static int
file_of(size_t len, uint64_t seed)
{
	int fd = file_new();

	file_fill(fd, len, 0, seed);
	return fd;
}

static uint64_t
file_size(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_size;
}

/* --- feeding ------------------------------------------------------------ */

static int
no_work(UNUSED struct worker *w, UNUSED struct job *job, UNUSED void *arg,
    UNUSED struct err *err)
{
	return 0;
}

static struct pipeline
feed_pipeline(struct fixture *f)
{
	return pipeline_new(f, THREADS, no_work, NULL);
}

/* Feed ${fd} as a file of ${size} bytes; its content goes to ${enc}. */
static struct feed_result
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

static struct content
decoded(const struct wr *enc, uint64_t size)
{
	struct rd r = rd_init(enc->buf, enc->len);
	struct content c;

	assert_ok(content_decode(&r, size, &c, &err));
	assert_true(rd_done(&r));
	return c;
}

static struct content_cursor *
cursor_new(struct reader *r, const struct wr *enc, uint64_t size)
{
	struct content c = decoded(enc, size);
	struct content_cursor *cur;

	assert_ok(content_cursor_new(r->chunks, &c, size, &cur, &err));
	return cur;
}

/* The content has the bytes that the file has. */
static void
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

/* --- sizes -------------------------------------------------------------- */

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

/* --- holes -------------------------------------------------------------- */

/* The content has its holes where the file has them. */
static void
assert_holes(struct content_cursor *cur, int fd, uint64_t size)
{
	uint64_t at = 0, pos, data = 0, allocated;

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
	assert_ok(content_allocated(cur, &allocated, &err));
	assert_int_equal(allocated, data);
}

/* A run of data in a file. */
struct extent {
	uint64_t off;
	size_t len;
};

static int
sparse_file(const struct extent *extents, size_t n, uint64_t size)
{
	int fd = file_new();

	for (size_t i = 0; i < n; i++)
		file_fill(fd, extents[i].len, extents[i].off, 9);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
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
	assert_holes(cur, fd, size);
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

/* --- pages -------------------------------------------------------------- */

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

/* --- what goes wrong ---------------------------------------------------- */

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
	    content_test(feed_file__stores_what_it_reads),
	    content_test(feed_file__cuts_the_same_bytes_the_same_way),
	    content_test(feed_bytes__stores_them),
	    content_test(feed_file__finds_holes),
	    content_test(feed_file__takes_many_extents),
	    content_test(feed_file__cuts_databases_by_page),
	    content_test(feed_file__aligns_pages_behind_a_hole),
	    content_test(feed_file__knows_an_image_by_the_whole_file),
	    content_test(feed_file__looks_at_the_first_bytes_alone),
	    content_test(feed_file__ends_where_a_file_has_shrunk),
	    content_test(feed_file__leaves_what_was_added),
	    content_test(feed_file__tells_a_read_error),
	    content_test(feed_file__fails_with_the_store),
	    content_test(feed_file__stops_amid_a_big_file),
	    content_test(feed_stream__stops),
	};

	return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
