/* Where one may mount: fs/mountpoint.c. */
#include "fs/mount.h"
#include "tests/unit/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A store in DIR/store, and an empty directory DIR/mnt. */
struct place {
	char dir[SCRATCH_PATH];
	char store[SCRATCH_PATH + 16];
	char mnt[SCRATCH_PATH + 16];
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	scratch_new(p->dir);
	(void)snprintf(p->store, sizeof(p->store), "%s/store", p->dir);
	(void)snprintf(p->mnt, sizeof(p->mnt), "%s/mnt", p->dir);
	if (mkdir(p->store, 0755) != 0 || mkdir(p->mnt, 0755) != 0)
		return -1;
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	scratch_rm(p->dir);
	free(p);
	return 0;
}

#define place_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
assert_refused(const char *mnt, const char *store, const char *part)
{
	struct err err = {0};

	assert_int_equal(fs_check_mountpoint(mnt, store, &err), ERR_USAGE);
	if (strstr(err.text, part) == NULL)
		fail_msg("'%s' is not in: %s", part, err.text);
}

static void
fs_check_mountpoint__empty_directory(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	assert_int_equal(fs_check_mountpoint(p->mnt, p->store, &err), 0);
	assert_int_equal(fs_check_mountpoint(p->mnt, NULL, &err), 0);
}

static void
fs_check_mountpoint__missing(void **state)
{
	struct place *p = *state;

	assert_int_equal(rmdir(p->mnt), 0);
	assert_refused(p->mnt, p->store, "does not exist");
}

static void
fs_check_mountpoint__not_a_directory(void **state)
{
	struct place *p = *state;
	char below[SCRATCH_PATH + 32];

	assert_int_equal(rmdir(p->mnt), 0);
	scratch_write(p->mnt, "x", 1);
	assert_refused(p->mnt, p->store, "is not a directory");
	(void)snprintf(below, sizeof(below), "%s/x", p->mnt);
	assert_refused(below, p->store, "is not a directory");
}

static void
fs_check_mountpoint__not_empty(void **state)
{
	struct place *p = *state;
	char file[SCRATCH_PATH + 32];

	(void)snprintf(file, sizeof(file), "%s/.hidden", p->mnt);
	scratch_write(file, "", 0);
	assert_refused(p->mnt, p->store, "is not empty");
}

static void
fs_check_mountpoint__in_the_store(void **state)
{
	struct place *p = *state;
	char below[SCRATCH_PATH + 32];

	(void)snprintf(below, sizeof(below), "%s/mnt", p->store);
	assert_int_equal(mkdir(below, 0755), 0);
	assert_refused(below, p->store, "lies in the store");
	assert_refused(p->store, p->store, "lies in the store");
}

static void
fs_check_mountpoint__in_the_store_by_a_link(void **state)
{
	struct place *p = *state;
	char link[SCRATCH_PATH + 32];

	(void)snprintf(link, sizeof(link), "%s/link", p->dir);
	assert_int_equal(symlink(p->store, link), 0);
	assert_refused(link, p->store, "lies in the store");
}

static void
fs_check_mountpoint__around_the_store(void **state)
{
	struct place *p = *state;

	assert_refused(p->dir, p->store, "lies below the mount point");
	assert_refused(p->dir, NULL, "is not empty");
}

/* 'store' and 'store2' begin alike, but neither lies in the other. */
static void
fs_check_mountpoint__beside_the_store(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	char beside[SCRATCH_PATH + 32];

	(void)snprintf(beside, sizeof(beside), "%s2", p->store);
	assert_int_equal(mkdir(beside, 0755), 0);
	assert_int_equal(fs_check_mountpoint(beside, p->store, &err), 0);
}

static void
fs_check_mountpoint__mounted_already(void **state)
{
	struct place *p = *state;

	assert_refused("/proc", p->store, "mounted on '/proc' already");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    place_test(fs_check_mountpoint__empty_directory),
	    place_test(fs_check_mountpoint__missing),
	    place_test(fs_check_mountpoint__not_a_directory),
	    place_test(fs_check_mountpoint__not_empty),
	    place_test(fs_check_mountpoint__in_the_store),
	    place_test(fs_check_mountpoint__in_the_store_by_a_link),
	    place_test(fs_check_mountpoint__around_the_store),
	    place_test(fs_check_mountpoint__beside_the_store),
	    place_test(fs_check_mountpoint__mounted_already),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
