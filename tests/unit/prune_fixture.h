#ifndef TESTS_UNIT_PRUNE_FIXTURE_H
#define TESTS_UNIT_PRUNE_FIXTURE_H

/*
 * A store whose snapshots share some of their bytes, and what there is to do
 * with it: expire, prune, and look at what is left.
 */
#include "snapshot/prune/prune.h"
#include "tests/unit/check_fixture.h"

#include <pthread.h>

/* For cmocka's setup and teardown. */
static inline UNUSED int
begin_realm(void **state)
{
	*state = realm_new();
	return 0;
}

static inline UNUSED int
end_realm(void **state)
{
	realm_free(*state);
	return 0;
}

/* Of a file that does not compress; each is made of other bytes. */
#define PIECE ((size_t)400000)

/* Write ${r}->source/${name}, the pieces that ${pieces} lists, one a letter. */
static inline UNUSED void
put_pieces(const struct realm *r, const char *name, const char *pieces)
{
	char path[2 * SCRATCH_PATH];
	FILE *file;

	(void)mkdir(r->source, 0755);
	(void)snprintf(path, sizeof(path), "%s/%s", r->source, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	for (; *pieces != '\0'; pieces++) {
		uint64_t x = (uint64_t)*pieces * 7919;

		for (size_t i = 0; i < PIECE; i += sizeof(x)) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			assert_int_equal(fwrite(&x, sizeof(x), 1, file), 1);
		}
	}
	assert_int_equal(fclose(file), 0);
}

static inline UNUSED int
tell_passphrase(
    UNUSED void *arg, UNUSED const char *name, char **pass, struct err *err)
{
	*pass = secret_alloc(sizeof("secret"));
	if (*pass == NULL)
		return err_nomem(err);
	memcpy(*pass, "secret", sizeof("secret"));
	return 0;
}

/* The admin once more, for another thread. */
static inline UNUSED struct access *
realm_admin(const struct realm *r)
{
	struct credential cred = {.passphrase = tell_passphrase};
	struct access *a;

	assert_ok(access_open(r->store, &cred, &a, &err));
	return a;
}

/* Expire the ${i}-th of the snapshots that there are. */
static inline UNUSED void
expire_one(struct access *a, const char *dataset, size_t i)
{
	const struct dataset *ds = access_find(a, dataset);
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *log = NULL;
	const struct snapshot *s;

	assert_ok(store_lock_dataset(
	    access_store(a), ds->id, STORE_LOCK_APPEND, &lock, &err));
	assert_ok(log_load(a, ds, NULL, &log, &err));
	assert_true(i < log_count(log));
	s = log_snapshot(log, i);
	assert_ok(log_append_expire(log, &s, 1, "a test", &err));
}

static inline UNUSED struct prune_result
prune_with(struct access *a, const char *dataset, unsigned max_dead)
{
	const struct prune_options opt = {.max_dead = max_dead};
	struct prune_result out;

	assert_ok(
	    prune_run(a, access_find(a, dataset), NULL, &opt, &out, &err));
	return out;
}

static inline UNUSED void
assert_whole(const struct realm *r)
{
	FINDINGS_AUTO struct findings f = {0};

	check_realm(r, CHECK_READ_DATA, &f);
	assert_clean(&f);
}

/* The ${i}-th of the files, and its path. */
static inline UNUSED struct stat
stat_of(const struct realm *r, const struct files *files, size_t i,
    char path[2 * SCRATCH_PATH])
{
	struct stat st;

	(void)snprintf(
	    path, 2 * SCRATCH_PATH, "%s/%s", r->store, files->name[i]);
	assert_int_equal(stat(path, &st), 0);
	return st;
}

/* Bytes of all objects of the store whose path has ${part} in it. */
static inline UNUSED uint64_t
bytes_of(const struct realm *r, const char *part)
{
	struct files files;
	uint64_t sum = 0;

	files_find(r, part, &files);
	for (size_t i = 0; i < files.n; i++) {
		char path[2 * SCRATCH_PATH];
		const struct stat st = stat_of(r, &files, i, path);

		sum += (uint64_t)st.st_size;
	}
	return sum;
}

static inline UNUSED size_t
count_of(const struct realm *r, const char *part)
{
	struct files files;

	files_find(r, part, &files);
	return files.n;
}

/* The snapshots that the log holds. */
static inline UNUSED size_t
snapshots_of(struct access *a, const char *dataset)
{
	AUTO(log) struct log *log = NULL;

	assert_ok(log_load(a, access_find(a, dataset), NULL, &log, &err));
	return log_count(log);
}

#endif
