/* A directory store over system calls that fail in every way they may. */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum call { OPEN, WRITE, FSYNC, RENAME, LINK, UNLINK, MKDIR, CALLS };

/* Let the first ${after} calls of a kind pass, then fail with ${errnum}. */
struct faults {
	struct sysio io;
	int after[CALLS];
	int errnum[CALLS]; /* 0: never fails */
	int done[CALLS];
	bool once;      /* only the first of them */
	size_t at_most; /* bytes that one write takes; 0: all */
};

static bool
fails(struct faults *f, enum call call)
{
	int n = f->done[call]++;

	if (f->errnum[call] == 0 || n < f->after[call] ||
	    (f->once && n > f->after[call]))
		return false;
	errno = f->errnum[call];
	return true;
}

static int
fault_open(void *arg, int dir, const char *path, int flags, mode_t mode)
{
	if (fails(arg, OPEN))
		return -1;
	return sysio_libc.open(NULL, dir, path, flags, mode);
}

static ssize_t
fault_write(void *arg, int fd, const void *buf, size_t len)
{
	const struct faults *f = arg;

	if (fails(arg, WRITE))
		return -1;
	if (f->at_most > 0 && len > f->at_most)
		len = f->at_most;
	return sysio_libc.write(NULL, fd, buf, len);
}

static int
fault_fsync(void *arg, int fd)
{
	return fails(arg, FSYNC) ? -1 : sysio_libc.fsync(NULL, fd);
}

static int
fault_rename(
    void *arg, int dir, const char *from, const char *to, unsigned flags)
{
	if (fails(arg, RENAME))
		return -1;
	return sysio_libc.rename(NULL, dir, from, to, flags);
}

static int
fault_link(void *arg, int dir, const char *from, const char *to)
{
	return fails(arg, LINK) ? -1 : sysio_libc.link(NULL, dir, from, to);
}

static int
fault_unlink(void *arg, int dir, const char *path, int flags)
{
	if (fails(arg, UNLINK))
		return -1;
	return sysio_libc.unlink(NULL, dir, path, flags);
}

static int
fault_mkdir(void *arg, int dir, const char *path, mode_t mode)
{
	return fails(arg, MKDIR) ? -1 : sysio_libc.mkdir(NULL, dir, path, mode);
}

static void
faults_init(struct faults *f)
{
	*f = (struct faults){
	    .io = {.arg = f,
		.open = fault_open,
		.write = fault_write,
		.fsync = fault_fsync,
		.rename = fault_rename,
		.link = fault_link,
		.unlink = fault_unlink,
		.mkdir = fault_mkdir},
	};
}

/* A second store on the fixture's directory, over the given calls. */
static struct store *
open_faulty(const struct fixture *f, struct faults *faults)
{
	struct store *s;

	assert_ok(dirstore_open(f->path, &faults->io, &s, &err));
	return s;
}

static int
drafts(const struct fixture *f)
{
	char path[SCRATCH_PATH + 64];

	(void)snprintf(path, sizeof(path), "%s/tmp", f->path);
	return scratch_count(path);
}

static void
store_put__continues_short_and_interrupted_writes(void **state)
{
	struct fixture *f = *state;
	struct faults faults;
	struct store *s;
	struct object_ref ref;

	faults_init(&faults);
	faults.at_most = 3;
	faults.errnum[WRITE] = EINTR;
	faults.after[WRITE] = 2;
	faults.once = true;
	s = open_faulty(f, &faults);
	ref = put_text(s, OBJECT_KEY, 0, "eleven char");
	assert_int_equal(faults.done[WRITE], 5); /* 3 3 EINTR 3 2 */
	assert_text(s, &ref, "eleven char");
	store_close(s);
}

static void
store_put__leaves_nothing_on_a_full_disk(void **state)
{
	static const enum call full[] = {OPEN, WRITE, FSYNC, RENAME, MKDIR};
	static const int errnums[] = {ENOSPC, EDQUOT};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * ARRAY_LEN(full); i++) {
		struct object_ref ref = ref_of(OBJECT_PACK, 0);
		struct faults faults;
		struct store *s;
		uint64_t size;

		faults_init(&faults);
		faults.at_most = 4;
		faults.errnum[full[i / 2]] = errnums[i % 2];
		faults.after[full[i / 2]] = full[i / 2] == WRITE;
		s = open_faulty(f, &faults);
		assert_fails(ERR_FULL, f->path,
		    store_put(s, &ref, "some bytes", 10, &err));
		assert_int_equal(drafts(f), 0);
		assert_rc(ERR_NOT_FOUND, store_size(s, &ref, &size, &err));
		store_close(s);
	}
}

static void
store_writer_commit__fails_when_a_sync_does(void **state)
{
	struct fixture *f = *state;

	/* The object's own sync, and those of each directory on its path. */
	for (int i = 0; i < 6; i++) {
		AUTO(store_writer) struct store_writer *w = NULL;
		struct object_ref ref;
		struct faults faults;
		struct store *s;

		faults_init(&faults);
		faults.errnum[FSYNC] = EIO;
		faults.after[FSYNC] = i;
		s = open_faulty(f, &faults);
		assert_ok(store_writer_new(s, OBJECT_PACK, DATASET, &w, &err));
		assert_ok(store_writer_write(w, "bytes", 5, &err));
		assert_fails(
		    ERR_IO, "cannot sync", store_writer_commit(w, &ref, &err));
		assert_int_equal(faults.done[FSYNC], i + 1);
		store_writer_free(STEAL(w));
		assert_int_equal(drafts(f), 0);
		store_close(s);
	}
}

static void
store_put__syncs_a_directory_once(void **state)
{
	struct fixture *f = *state;
	struct faults faults;
	struct store *s;

	faults_init(&faults);
	s = open_faulty(f, &faults);
	put_text(s, OBJECT_LOG, 1, "one");
	/* The object, its directory; and the three parents that it is new in. */
	assert_int_equal(faults.done[FSYNC], 5);
	put_text(s, OBJECT_LOG, 2, "two");
	assert_int_equal(faults.done[FSYNC], 7);
	/* There already; but who wrote it may not have synced the name. */
	put_text(s, OBJECT_LOG, 2, "two");
	assert_int_equal(faults.done[FSYNC], 9);
	store_close(s);
}

static void
store_put__does_without_directory_syncs(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref;
	struct faults faults;
	struct store *s;

	faults_init(&faults);
	faults.errnum[FSYNC] = EINVAL;
	faults.after[FSYNC] = 1;
	s = open_faulty(f, &faults);
	ref = put_text(s, OBJECT_KEY, 0, "one");
	assert_text(s, &ref, "one");
	store_close(s);
}

static void
store_put__links_where_it_cannot_rename(void **state)
{
	static const int errnums[] = {EINVAL, ENOSYS, EOPNOTSUPP};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(errnums); i++) {
		struct object_ref ref;
		struct faults faults;
		struct store *s;
		char text[16];

		faults_init(&faults);
		faults.errnum[RENAME] = errnums[i];
		s = open_faulty(f, &faults);
		(void)snprintf(text, sizeof(text), "text %zu", i);
		ref = put_text(s, OBJECT_KEY, 0, text);
		assert_text(f->s, &ref, text);
		assert_int_equal(drafts(f), 0);
		put_text(s, OBJECT_KEY, 0, text); /* it is there already */
		assert_int_equal(drafts(f), 0);
		assert_int_equal(faults.done[LINK], 2);
		store_close(s);
	}
}

static void
store_put__survives_the_loss_of_a_directory(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref = put_text(f->s, OBJECT_INDEX, 0, "one");
	char path[SCRATCH_PATH + 128];

	assert_ok(store_remove(f->s, &ref, &err));
	(void)snprintf(
	    path, sizeof(path), "%s/datasets/" DATASET_TEXT "/index", f->path);
	assert_int_equal(rmdir(path), 0);
	ref = put_text(f->s, OBJECT_INDEX, 0, "two");
	assert_text(f->s, &ref, "two");
}

/* Every call that makes a store fails once; then nothing is left of it. */
static void
store_create__removes_what_it_made(void **state)
{
	static const enum call calls[] = {OPEN, WRITE, FSYNC, RENAME, MKDIR};
	struct fixture *f = *state;
	char path[SCRATCH_PATH + 64];
	struct store *s;
	int failed = 0;

	(void)snprintf(path, sizeof(path), "%s/new", f->dir);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		for (int after = 0;; after++) {
			struct faults faults;

			faults_init(&faults);
			faults.errnum[calls[i]] = ENOSPC;
			faults.after[calls[i]] = after;
			faults.once = true;
			if (dirstore_create(
				path, "r", 1, &faults.io, &s, NULL) == 0) {
				store_close(s);
				scratch_rm(path);
				assert_int_equal(faults.done[calls[i]], after);
				break;
			}
			assert_null(s);
			assert_false(scratch_exists(path));
			failed++;
		}
	/* open 1, write 1, fsync 4, rename 1, mkdir 1 + 3 + 1 */
	assert_int_equal(failed, 12);

	/* A directory that was there stays, and stays empty. */
	assert_int_equal(mkdir(path, 0755), 0);
	for (int after = 0; after < 3; after++) {
		struct faults faults;

		faults_init(&faults);
		faults.errnum[FSYNC] = EIO;
		faults.after[FSYNC] = after;
		assert_rc(ERR_IO,
		    dirstore_create(path, "r", 1, &faults.io, &s, &err));
		assert_int_equal(scratch_count(path), 0);
	}
}

/* A creation that is faster claims the directory which this one makes. */
static int
mkdir_claimed(void *arg, int dir, const char *path, mode_t mode)
{
	int *claimed = arg, rc = sysio_libc.mkdir(NULL, dir, path, mode);

	*claimed = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(*claimed >= 0);
	assert_int_equal(flock(*claimed, LOCK_EX), 0);
	return rc;
}

static void
store_create__leaves_what_another_claimed(void **state)
{
	struct fixture *f = *state;
	struct sysio io = sysio_libc;
	char path[SCRATCH_PATH + 64];
	struct store *s;
	int claimed = -1;

	(void)snprintf(path, sizeof(path), "%s/new", f->dir);
	io.arg = &claimed;
	io.mkdir = mkdir_claimed;
	assert_fails(ERR_LOCKED, "another process is making a store",
	    dirstore_create(path, "r", 1, &io, &s, &err));
	assert_int_equal(scratch_count(path), 0);
	assert_int_equal(mkdirat(claimed, "tmp", 0755), 0);
	assert_int_equal(close(claimed), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(store_put__continues_short_and_interrupted_writes),
	    store_test(store_put__leaves_nothing_on_a_full_disk),
	    store_test(store_writer_commit__fails_when_a_sync_does),
	    store_test(store_put__syncs_a_directory_once),
	    store_test(store_put__does_without_directory_syncs),
	    store_test(store_put__links_where_it_cannot_rename),
	    store_test(store_put__survives_the_loss_of_a_directory),
	    store_test(store_create__removes_what_it_made),
	    store_test(store_create__leaves_what_another_claimed),
	};

	return cmocka_run_group_tests_name("store_fault", tests, NULL, NULL);
}
