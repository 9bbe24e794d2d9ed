/* That the simulation loses what it may, and nothing else. */
#include "tests/crash/crashfs.h"
#include "tests/unit/scratch.h"

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#define SEEDS 40
#define BYTES "0123456789"

struct fixture {
	char base[SCRATCH_PATH];
	int dir; /* where things happen */
	struct crashfs *fs;
	const struct sysio *io;
};

static struct fixture
start(unsigned crash_at)
{
	struct fixture f;
	char path[SCRATCH_PATH + 8];

	scratch_new(f.base);
	(void)snprintf(path, sizeof(path), "%s/spare", f.base);
	assert_int_equal(mkdir(path, 0755), 0);
	f.fs = crashfs_new(path, crash_at);
	f.io = crashfs_sysio(f.fs);
	(void)snprintf(path, sizeof(path), "%s/work", f.base);
	assert_int_equal(mkdir(path, 0755), 0);
	f.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f.dir >= 0);
	return f;
}

static void
finish(struct fixture *f)
{
	(void)close(f->dir);
	crashfs_free(f->fs);
	scratch_rm(f->base);
}

static int
write_file(const struct fixture *f, const char *name)
{
	int fd = f->io->open(
	    f->io->arg, f->dir, name, O_WRONLY | O_CREAT | O_EXCL, 0444);

	assert_true(fd >= 0);
	assert_int_equal(
	    f->io->write(f->io->arg, fd, BYTES, strlen(BYTES)), strlen(BYTES));
	return fd;
}

/* What a file holds: its length, or -1 when it has gone. */
static ssize_t
read_file(const struct fixture *f, const char *name, char buf[64])
{
	int fd = openat(f->dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, 64);
	assert_true(n >= 0);
	(void)close(fd);
	return n;
}

static bool
is_whole(const struct fixture *f, const char *name)
{
	char buf[64];

	return read_file(f, name, buf) == (ssize_t)strlen(BYTES) &&
	       memcmp(buf, BYTES, strlen(BYTES)) == 0;
}

static void
crashfs_settle__keeps_what_was_synced(UNUSED void **state)
{
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct fixture f = start(0);
		int fd = write_file(&f, "a");

		assert_int_equal(f.io->fsync(f.io->arg, fd), 0);
		assert_int_equal(f.io->fsync(f.io->arg, f.dir), 0);
		assert_int_equal(crashfs_syncs(f.fs), 2);
		(void)close(fd);
		crashfs_settle(f.fs, seed);
		assert_true(is_whole(&f, "a"));
		finish(&f);
	}
}

static void
crashfs_settle__loses_a_name(UNUSED void **state)
{
	unsigned lost = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct fixture f = start(0);
		int fd = write_file(&f, "a");
		char buf[64];

		assert_int_equal(f.io->fsync(f.io->arg, fd), 0);
		(void)close(fd);
		crashfs_settle(f.fs, seed);
		if (read_file(&f, "a", buf) < 0)
			lost++;
		else
			assert_true(is_whole(&f, "a"));
		finish(&f);
	}
	assert_in_range(lost, 2, SEEDS - 2);
}

static void
crashfs_settle__spoils_bytes(UNUSED void **state)
{
	unsigned shorter = 0, other = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct fixture f = start(0);
		int fd = write_file(&f, "a");
		char buf[64];
		ssize_t n;

		assert_int_equal(f.io->fsync(f.io->arg, fd), 0);
		assert_int_equal(f.io->write(f.io->arg, fd, "more", 4), 4);
		assert_int_equal(f.io->fsync(f.io->arg, f.dir), 0);
		(void)close(fd);
		crashfs_settle(f.fs, seed);
		n = read_file(&f, "a", buf);
		assert_in_range(n, strlen(BYTES), strlen(BYTES "more"));
		assert_memory_equal(buf, BYTES, strlen(BYTES));
		shorter += n < (ssize_t)strlen(BYTES "more");
		other += n == (ssize_t)strlen(BYTES "more") &&
			 memcmp(buf, BYTES "more", (size_t)n) != 0;
		if (seed <= 1)
			assert_int_equal(n, strlen(BYTES));
		finish(&f);
	}
	assert_true(shorter > 2);
	assert_true(other > 2);
}

/* One rename is two changes: the file may be at either end, both or none. */
static void
crashfs_settle__splits_a_rename(UNUSED void **state)
{
	unsigned seen[4] = {0};

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct fixture f = start(0);
		int fd = write_file(&f, "a");

		assert_int_equal(f.io->fsync(f.io->arg, fd), 0);
		assert_int_equal(f.io->fsync(f.io->arg, f.dir), 0);
		(void)close(fd);
		assert_int_equal(
		    f.io->rename(f.io->arg, f.dir, "a", "b", 0), 0);
		crashfs_settle(f.fs, seed);
		seen[is_whole(&f, "a") + 2 * is_whole(&f, "b")]++;
		finish(&f);
	}
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		assert_true(seen[i] > 0);
}

static void
crashfs_settle__brings_a_removed_file_back(UNUSED void **state)
{
	struct fixture f = start(0);
	int fd = openat(f.dir, "old", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, BYTES, strlen(BYTES)), strlen(BYTES));
	(void)close(fd);
	assert_int_equal(f.io->unlink(f.io->arg, f.dir, "old", 0), 0);
	assert_false(is_whole(&f, "old"));
	crashfs_settle(f.fs, 0);
	assert_true(is_whole(&f, "old"));
	finish(&f);
}

static void
crashfs_settle__loses_a_directory_with_all_in_it(UNUSED void **state)
{
	struct fixture f = start(0);
	int fd, sub;

	assert_int_equal(f.io->mkdir(f.io->arg, f.dir, "sub", 0755), 0);
	sub = openat(f.dir, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = write_file(&f, "sub/a");
	assert_int_equal(f.io->fsync(f.io->arg, fd), 0);
	assert_int_equal(f.io->fsync(f.io->arg, sub), 0);
	(void)close(fd);
	(void)close(sub);
	crashfs_settle(f.fs, 0);
	assert_int_not_equal(faccessat(f.dir, "sub", F_OK, 0), 0);
	finish(&f);
}

static void
crashfs__does_nothing_after_the_crash(UNUSED void **state)
{
	struct fixture f = start(2);
	int fd = write_file(&f, "a");

	assert_int_equal(f.io->fsync(f.io->arg, fd), 0);
	assert_false(crashfs_crashed(f.fs));
	assert_int_equal(f.io->fsync(f.io->arg, f.dir), -1);
	assert_int_equal(errno, EIO);
	assert_true(crashfs_crashed(f.fs));
	assert_int_equal(f.io->write(f.io->arg, fd, "x", 1), -1);
	assert_int_equal(f.io->unlink(f.io->arg, f.dir, "a", 0), -1);
	assert_int_equal(f.io->rename(f.io->arg, f.dir, "a", "b", 0), -1);
	assert_int_equal(f.io->link(f.io->arg, f.dir, "a", "b"), -1);
	assert_int_equal(f.io->mkdir(f.io->arg, f.dir, "c", 0755), -1);
	assert_int_equal(
	    f.io->open(f.io->arg, f.dir, "d", O_WRONLY | O_CREAT, 0644), -1);
	(void)close(fd);
	assert_true(is_whole(&f, "a"));
	crashfs_settle(f.fs, 0);
	assert_false(is_whole(&f, "a"));
	finish(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(crashfs_settle__keeps_what_was_synced),
	    cmocka_unit_test(crashfs_settle__loses_a_name),
	    cmocka_unit_test(crashfs_settle__spoils_bytes),
	    cmocka_unit_test(crashfs_settle__splits_a_rename),
	    cmocka_unit_test(crashfs_settle__brings_a_removed_file_back),
	    cmocka_unit_test(crashfs_settle__loses_a_directory_with_all_in_it),
	    cmocka_unit_test(crashfs__does_nothing_after_the_crash),
	};

	return cmocka_run_group_tests_name("crashfs", tests, NULL, NULL);
}
