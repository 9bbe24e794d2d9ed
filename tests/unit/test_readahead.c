/* Files asked for ahead of the workers: snapshot/backup/readahead.c. */
#include "snapshot/backup/readahead.h"

#include "tests/unit/outcome.h"
#include "tests/unit/scratch.h"
#include "tests/unit/wait.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define FILES 100
/* More than the system fetches of itself for who reads a byte. */
#define FILE_BYTES (50 * 4096)

struct place {
	char path[SCRATCH_PATH];
};

static int
place_new(void **state)
{
	static struct place place;
	static uint8_t bytes[FILE_BYTES];
	char path[SCRATCH_PATH + 16];

	scratch_new(place.path);
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(path, sizeof(path), "%s/%u", place.path, i);
		scratch_write(path, bytes, sizeof(bytes));
	}
	*state = &place;
	return 0;
}

static int
place_rm(void **state)
{
	const struct place *p = *state;

	scratch_rm(p->path);
	return 0;
}

static int
open_file(const struct place *p, unsigned i)
{
	char path[SCRATCH_PATH + 16];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%u", p->path, i);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* All of it; without a read, which would have the system fetch it. */
static bool
is_cached(const struct place *p, unsigned i)
{
	unsigned char there[FILE_BYTES / 4096] = {0};
	int fd = open_file(p, i);
	void *at = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	bool all = true;

	assert_true(at != MAP_FAILED);
	assert_int_equal(mincore(at, FILE_BYTES, there), 0);
	for (size_t k = 0; k < FILE_BYTES / (size_t)getpagesize(); k++)
		all &= (there[k] & 1) != 0;
	(void)munmap(at, FILE_BYTES);
	(void)close(fd);
	return all;
}

/* False where files are in memory anyway. */
static bool
drop(const struct place *p, unsigned i)
{
	int fd = open_file(p, i);

	assert_int_equal(fsync(fd), 0);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	(void)close(fd);
	return !is_cached(p, i);
}

/* Skip where nobody can tell what is cached; tried on the last file. */
static void
need_to_tell(const struct place *p)
{
	char byte;
	const struct iovec v = {.iov_base = &byte, .iov_len = 1};
	int fd;
	ssize_t n;

	if (!drop(p, FILES - 1))
		skip();
	fd = open_file(p, FILES - 1);
	n = preadv2(fd, &v, 1, 0, RWF_NOWAIT);
	(void)close(fd);
	if (n >= 0 || errno != EAGAIN)
		skip();
}

/* All files, from ${first} to ${end}, as a batch for the workers. */
static struct job *
batch(const struct place *p, unsigned first, unsigned end, enum item_what what)
{
	struct job *job = job_new(JOB_BATCH, "");
	const struct stat st = {
	    .st_mode = S_IFREG | 0644, .st_size = FILE_BYTES};
	char name[16];

	assert_non_null(job);
	job->dir = dirh_new(open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	job->to_work = true;
	for (unsigned i = first; i < end; i++) {
		int len = snprintf(name, sizeof(name), "%u", i);

		job->items[job->n] = item_new(name, (size_t)len, &st);
		job->items[job->n++]->what = what;
	}
	return job;
}

static void
ask(struct readahead *r, struct job *job)
{
	AUTO(job) struct job *own = job;

	readahead_job(r, own);
}

static void
assert_comes(const struct place *p, unsigned i)
{
	for (unsigned ms = 0; !is_cached(p, i) && ms < 10000; ms++)
		wait_ms(1);
	assert_true(is_cached(p, i));
}

static void
readahead_job__asks_for_what_is_not_cached(void **state)
{
	const struct place *p = *state;
	struct readahead r = {.looks = 2};

	need_to_tell(p);
	for (unsigned i = 0; i < 3; i++)
		assert_true(drop(p, i));
	ask(&r, batch(p, 0, 3, ITEM_READ));
	/* Each that was not there makes it look at the ones after it. */
	assert_true(r.looks > 2);
	for (unsigned i = 0; i < 3; i++)
		assert_comes(p, i);
}

static void
readahead_job__looks_at_few_while_all_are_cached(void **state)
{
	const struct place *p = *state;
	struct readahead r = {0};

	/* Written a moment ago. */
	if (!is_cached(p, 50))
		skip();
	ask(&r, batch(p, 40, 71, ITEM_READ));
	assert_int_equal(r.passed, 31);
	ask(&r, batch(p, 71, 72, ITEM_READ));
	assert_int_equal(r.passed, 0);
	assert_int_equal(r.looks, 0);
}

static void
readahead_job__stops_looking_once_all_are_cached(void **state)
{
	const struct place *p = *state;
	struct readahead r = {.looks = 10};

	if (!is_cached(p, 50))
		skip();
	ask(&r, batch(p, 50, 60, ITEM_READ));
	assert_int_equal(r.looks, 0);
	assert_int_equal(r.passed, 0);
}

static void
readahead_job__finds_the_first_that_is_not_cached(void **state)
{
	const struct place *p = *state;
	struct readahead r = {0};

	need_to_tell(p);
	for (unsigned i = 0; i < 40; i++)
		assert_true(drop(p, i));
	ask(&r, batch(p, 0, 40, ITEM_READ));
	assert_true(r.looks > 0);
	assert_comes(p, 39);
}

static void
readahead_job__asks_for_only_so_much(void **state)
{
	const struct place *p = *state;
	struct readahead r = {.looks = 2};
	AUTO(job) struct job *job = batch(p, 0, 3, ITEM_READ);

	need_to_tell(p);
	for (unsigned i = 0; i < 3; i++)
		assert_true(drop(p, i));
	atomic_init(&r.asked, READAHEAD_MOST);
	readahead_job(&r, job);
	assert_int_equal(r.looks, 2);
	assert_int_equal(job->asked, 0);

	atomic_init(&r.asked, READAHEAD_MOST - 1);
	readahead_job(&r, job);
	assert_int_equal(job->asked, 3 * FILE_BYTES);
	assert_int_equal(
	    atomic_load(&r.asked), READAHEAD_MOST - 1 + 3 * FILE_BYTES);
	readahead_done(&r, job);
	assert_int_equal(atomic_load(&r.asked), READAHEAD_MOST - 1);
}

static void
readahead_job__leaves_alone_what_no_worker_reads(void **state)
{
	const struct place *p = *state;
	struct readahead r = {.looks = 5};
	AUTO(job) struct job *kept = batch(p, 0, 3, ITEM_READ);
	AUTO(job) struct job *empty = batch(p, 0, 3, ITEM_READ);

	ask(&r, batch(p, 0, 3, ITEM_META));
	ask(&r, batch(p, 0, 3, ITEM_KEEP));
	ask(&r, batch(p, 0, 3, ITEM_LINK));
	kept->to_work = false;
	readahead_job(&r, kept);
	for (size_t i = 0; i < empty->n; i++)
		empty->items[i]->st.st_size = 0;
	readahead_job(&r, empty);
	assert_int_equal(r.looks, 5);
}

static void
readahead_job__passes_over_what_is_gone(void **state)
{
	const struct place *p = *state;
	struct readahead r = {.looks = 3};

	ask(&r, batch(p, FILES, FILES + 2, ITEM_READ));
	assert_int_equal(r.looks, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(readahead_job__asks_for_what_is_not_cached),
	    cmocka_unit_test(readahead_job__looks_at_few_while_all_are_cached),
	    cmocka_unit_test(readahead_job__stops_looking_once_all_are_cached),
	    cmocka_unit_test(readahead_job__finds_the_first_that_is_not_cached),
	    cmocka_unit_test(readahead_job__asks_for_only_so_much),
	    cmocka_unit_test(readahead_job__leaves_alone_what_no_worker_reads),
	    cmocka_unit_test(readahead_job__passes_over_what_is_gone),
	};

	return cmocka_run_group_tests_name(
	    "readahead", tests, place_new, place_rm);
}
