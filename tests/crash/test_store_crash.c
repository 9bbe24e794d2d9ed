/*
 * A store after a crash at any sync: what was reported stored is whole, and
 * what is visible at all is whole.
 */
#include "crypto/hash.h"
#include "snapshot/store/dirstore.h"
#include "snapshot/store/store_batch.h"
#include "tests/crash/scenario.h"
#include "tests/unit/scratch.h"

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#define SEEDS 12
#define ROOT_BYTES "VRVs: not really a root object"
#define OBJECTS_MAX 64
#define OBJECT_MAX (1 << 20)

static const uint8_t DATASET[STORE_DATASET_LEN] = {0xda, 0x7a};

/* What the work was told, and the check holds the store to. */
struct story {
	bool created;
	pthread_mutex_t mu;
	struct object_ref stored[OBJECTS_MAX]; /* guarded by mu */
	size_t nstored;                        /* guarded by mu */
	struct object_ref removed;
	bool was_removed;
};

static void
store_dir(const char *dir, char path[SCRATCH_PATH])
{
	(void)snprintf(path, SCRATCH_PATH, "%s/store", dir);
}

/* --- creation ---------------------------------------------------------- */

static void
create_work(void *arg, const char *dir, const struct sysio *io)
{
	struct story *story = arg;
	char path[SCRATCH_PATH];
	struct store *s;

	store_dir(dir, path);
	story->created = dirstore_create(path, ROOT_BYTES, strlen(ROOT_BYTES),
			     io, &s, NULL) == 0;
	if (story->created)
		store_close(s);
}

static const char *
check_root(struct store *s)
{
	const struct object_ref ref = {.cls = OBJECT_ROOT};
	uint8_t *buf;
	size_t len;
	bool same;

	if (store_get(s, &ref, 4096, &buf, &len, NULL) != 0)
		return "the root object can't be read";
	same = len == strlen(ROOT_BYTES) && memcmp(buf, ROOT_BYTES, len) == 0;
	free(buf);
	return same ? NULL : "the root object is not whole";
}

/* Either there is no store, and one can be made; or there is all of it. */
static const char *
create_check(void *arg, const char *dir)
{
	const struct story *story = arg;
	char path[SCRATCH_PATH];
	const char *wrong;
	const struct sysio io = crashfs_calm();
	struct store *s;

	store_dir(dir, path);
	if (dirstore_open(path, &io, &s, NULL) != 0) {
		if (story->created)
			return "the store was reported made, and is not there";
		if (dirstore_create(path, ROOT_BYTES, strlen(ROOT_BYTES), &io,
			&s, NULL) != 0)
			return "what a crash left is in the way";
	}
	wrong = check_root(s);
	store_close(s);
	return wrong;
}

static void
store_create__is_all_or_nothing(UNUSED void **state)
{
	static const struct scenario rename = {
	    .work = create_work, .check = create_check};
	static const struct scenario link = {
	    .no_rename = true, .work = create_work, .check = create_check};
	struct story story = {0};

	/* Parent, store (for its directories), root object, store again. */
	assert_int_equal(scenario_run(&rename, &story, SEEDS), 4);
	assert_int_equal(scenario_run(&link, &story, SEEDS), 4);
}

/* --- objects ----------------------------------------------------------- */

static void
told_stored(struct story *story, const struct object_ref *ref)
{
	pthread_mutex_lock(&story->mu);
	assert_true(story->nstored < OBJECTS_MAX);
	story->stored[story->nstored++] = *ref;
	pthread_mutex_unlock(&story->mu);
}

static bool
put(struct store *s, struct story *story, enum object_class cls, uint64_t seq,
    const void *buf, size_t len, struct object_ref *ref)
{
	*ref = (struct object_ref){.cls = cls, .seq = seq};
	if (cls != OBJECT_KEY)
		memcpy(ref->dataset, DATASET, sizeof(DATASET));
	if (store_put(s, ref, buf, len, NULL) != 0)
		return false;
	told_stored(story, ref);
	return true;
}

/* The object's bytes are several writes, of a run of 'c' each. */
static bool
write_pack(struct store *s, struct story *story, char c, struct object_ref *ref)
{
	struct store_writer *w;
	char buf[700];
	bool ok;

	if (store_writer_new(s, OBJECT_PACK, DATASET, &w, NULL) != 0)
		return false;
	memset(buf, c, sizeof(buf));
	ok = store_writer_write(w, buf, sizeof(buf), NULL) == 0 &&
	     store_writer_write(w, buf, 300, NULL) == 0 &&
	     store_writer_commit(w, ref, NULL) == 0;
	store_writer_free(w);
	if (ok)
		told_stored(story, ref);
	return ok;
}

/*
 * A snapshot as a backup publishes it: a pack, an index, then the log record.
 * For the check, the index is the pack's name, and the record the index's.
 */
static bool
publish(struct store *s, struct story *story, uint64_t seq)
{
	struct object_ref pack, index, record;

	return write_pack(s, story, (char)('a' + seq), &pack) &&
	       put(s, story, OBJECT_INDEX, 0, pack.name, sizeof(pack.name),
		   &index) &&
	       put(s, story, OBJECT_LOG, seq, index.name, sizeof(index.name),
		   &record);
}

static void
objects_before(void *arg, const char *dir)
{
	const struct sysio io = crashfs_calm();
	struct story *story = arg;
	char path[SCRATCH_PATH];
	struct object_ref key;
	struct store *s;

	*story = (struct story){.mu = PTHREAD_MUTEX_INITIALIZER};
	store_dir(dir, path);
	assert_int_equal(dirstore_create(path, ROOT_BYTES, strlen(ROOT_BYTES),
			     &io, &s, NULL),
	    0);
	assert_true(put(s, story, OBJECT_KEY, 0, "kept", 4, &key));
	assert_true(put(s, story, OBJECT_KEY, 0, "old", 3, &story->removed));
	story->nstored--;
	store_close(s);
}

static void
objects_work(void *arg, const char *dir, const struct sysio *io)
{
	struct story *story = arg;
	char path[SCRATCH_PATH];
	struct store_lock *lock;
	struct object_ref ref;
	struct store *s;

	store_dir(dir, path);
	assert_int_equal(dirstore_open(path, io, &s, NULL), 0);
	if (store_lock_dataset(s, DATASET, STORE_LOCK_RUN, &lock, NULL) == 0) {
		if (publish(s, story, 1) && publish(s, story, 2) &&
		    put(s, story, OBJECT_KEY, 0, "new", 3, &ref))
			story->was_removed =
			    store_remove(s, &story->removed, NULL) == 0;
		store_unlock(lock);
	}
	store_close(s);
}

static bool
is_whole(struct store *s, const struct object_ref *ref)
{
	uint8_t *buf;
	size_t len;

	if (store_get(s, ref, OBJECT_MAX, &buf, &len, NULL) != 0)
		return false;
	free(buf);
	return true;
}

static int
visit_whole(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	return is_whole(arg, ref)
		   ? 0
		   : err_set(err, ERR_CORRUPT,
			 "an object that is listed is not whole");
}

/* Replace ${ref} by the object that it names, which is of class ${cls}. */
static int
follow(struct store *s, struct object_ref *ref, enum object_class cls,
    struct err *err)
{
	uint8_t *buf;
	size_t len;
	int rc = store_get(s, ref, OBJECT_MAX, &buf, &len, err);

	if (rc != 0)
		return rc;
	assert_int_equal(len, OBJECT_NAME_LEN);
	ref->cls = cls;
	ref->seq = 0;
	memcpy(ref->name, buf, len);
	free(buf);
	return 0;
}

/* Whoever sees a record can read all that it needs. */
static int
visit_record(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct object_ref next = *ref;
	struct store *s = arg;
	int rc = follow(s, &next, OBJECT_INDEX, err);

	if (rc == 0)
		rc = follow(s, &next, OBJECT_PACK, err);
	if (rc != 0)
		return rc;
	return visit_whole(s, &next, 0, err);
}

static const char *
check_visible(struct store *s)
{
	static const enum object_class all[] = {
	    OBJECT_KEY, OBJECT_LOG, OBJECT_INDEX, OBJECT_PACK};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (store_list(s, all[i], DATASET, visit_whole, s, NULL) != 0)
			return "an object is visible and not whole";
	if (store_list(s, OBJECT_LOG, DATASET, visit_record, s, NULL) != 0)
		return "a record is visible before what it needs";
	return NULL;
}

static const char *
check_told(struct store *s, const struct story *story)
{
	uint64_t size;

	for (size_t i = 0; i < story->nstored; i++)
		if (!is_whole(s, &story->stored[i]))
			return "an object was reported stored, and is not";
	if (store_size(s, &story->removed, &size, NULL) == 0)
		return story->was_removed ? "a removed key is back" : NULL;
	return NULL;
}

/* The next backup clears up, and can store everything again. */
static const char *
check_next(struct store *s, struct story *story)
{
	char tmp[SCRATCH_PATH + 8];
	struct store_lock *lock;
	const char *wrong = NULL;

	if (store_lock_dataset(s, DATASET, STORE_LOCK_RUN, &lock, NULL) != 0)
		return "the dataset can't be locked";
	(void)snprintf(tmp, sizeof(tmp), "%s/tmp", store_path(s));
	if (scratch_count(tmp) > 0)
		wrong = "tmp/ is not cleared up";
	else if (!publish(s, story, 1) || !publish(s, story, 2))
		wrong = "what a crash left is in the way";
	store_unlock(lock);
	return wrong;
}

static const char *
objects_check(void *arg, const char *dir)
{
	const struct sysio io = crashfs_calm();
	struct story *story = arg;
	char path[SCRATCH_PATH];
	const char *wrong;
	struct store *s;

	store_dir(dir, path);
	if (dirstore_open(path, &io, &s, NULL) != 0)
		return "the store can't be opened";
	wrong = check_root(s);
	if (wrong == NULL)
		wrong = check_told(s, story);
	if (wrong == NULL)
		wrong = check_visible(s);
	if (wrong == NULL)
		wrong = check_next(s, story);
	store_close(s);
	return wrong;
}

static void
store_put__is_durable_and_never_half_visible(UNUSED void **state)
{
	static const struct scenario rename = {.before = objects_before,
	    .work = objects_work,
	    .check = objects_check};
	static const struct scenario link = {.no_rename = true,
	    .before = objects_before,
	    .work = objects_work,
	    .check = objects_check};
	struct story story;

	assert_in_range(scenario_run(&rename, &story, SEEDS), 18, 24);
	assert_in_range(scenario_run(&link, &story, SEEDS), 18, 24);
}

/* --- several writers --------------------------------------------------- */

struct worker {
	struct store *s;
	struct story *story;
};

/* All threads meet in the same, new directories, with the same objects. */
static void *
store_some(void *arg)
{
	const struct worker *w = arg;
	struct object_ref ref;

	for (char c = 'a'; c <= 'd'; c++)
		if (!write_pack(w->s, w->story, c, &ref))
			break;
	return NULL;
}

static void
threads_work(void *arg, const char *dir, const struct sysio *io)
{
	struct worker w = {.story = arg};
	char path[SCRATCH_PATH];
	pthread_t threads[4];

	store_dir(dir, path);
	assert_int_equal(dirstore_open(path, io, &w.s, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, store_some, &w), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	store_close(w.s);
}

static void
store_put__is_durable_for_every_writer(UNUSED void **state)
{
	static const struct scenario sc = {.before = objects_before,
	    .work = threads_work,
	    .check = objects_check};
	struct story story;

	/* Each of 16 objects is synced, and its directory, at the least. */
	assert_true(scenario_run(&sc, &story, SEEDS) >= 32);
}

/* --- many at once ------------------------------------------------------- */

#define MANY 12

/* As a replica takes snapshots: their objects together, then their records. */
static bool
batch_add(struct store_batch *b, const struct object_ref *like, const void *buf,
    size_t len, struct object_ref *ref)
{
	*ref = *like;
	return sha256(buf, len, ref->name, NULL) == 0 &&
	       store_batch_begin(b, ref, NULL) == 0 &&
	       store_batch_write(b, buf, len, NULL) == 0 &&
	       store_batch_end(b, NULL) == 0;
}

static bool
batch_publish(
    struct store_batch *b, struct story *story, uint64_t first, size_t n)
{
	struct object_ref refs[3 * MANY], *at = refs;
	struct object_ref like = {.cls = OBJECT_PACK};
	char bytes[100];

	memcpy(like.dataset, DATASET, sizeof(DATASET));
	for (size_t i = 0; i < n; i++, at += 2) {
		memset(bytes, (int)('a' + first + i), sizeof(bytes));
		like.cls = OBJECT_PACK;
		if (!batch_add(b, &like, bytes, sizeof(bytes), at))
			return false;
		like.cls = OBJECT_INDEX;
		if (!batch_add(b, &like, at->name, sizeof(at->name), at + 1))
			return false;
	}
	if (store_batch_commit(b, NULL) != 0)
		return false;
	like.cls = OBJECT_LOG;
	for (size_t i = 0; i < n; i++, at++) {
		like.seq = first + i;
		if (!batch_add(
			b, &like, refs[2 * i + 1].name, OBJECT_NAME_LEN, at))
			return false;
	}
	if (store_batch_commit(b, NULL) != 0)
		return false;
	for (const struct object_ref *r = refs; r < at; r++)
		told_stored(story, r);
	return true;
}

static void
batch_work(void *arg, const char *dir, const struct sysio *io)
{
	struct story *story = arg;
	char path[SCRATCH_PATH];
	struct store_batch *b;
	struct store *s;

	store_dir(dir, path);
	assert_int_equal(dirstore_open(path, io, &s, NULL), 0);
	assert_int_equal(store_batch_new(s, &b, NULL), 0);
	if (batch_publish(b, story, 1, 2))
		(void)batch_publish(b, story, 3, MANY);
	store_batch_free(b);
	store_close(s);
}

static void
store_batch_commit__is_durable_and_never_half_visible(UNUSED void **state)
{
	static const struct scenario rename = {.before = objects_before,
	    .work = batch_work,
	    .check = objects_check};
	static const struct scenario link = {.no_rename = true,
	    .before = objects_before,
	    .work = batch_work,
	    .check = objects_check};
	struct story story;

	assert_in_range(scenario_run(&rename, &story, SEEDS), 10, 60);
	assert_in_range(scenario_run(&link, &story, SEEDS), 10, 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(store_create__is_all_or_nothing),
	    cmocka_unit_test(store_put__is_durable_and_never_half_visible),
	    cmocka_unit_test(store_put__is_durable_for_every_writer),
	    cmocka_unit_test(
		store_batch_commit__is_durable_and_never_half_visible),
	};

	return cmocka_run_group_tests_name("store_crash", tests, NULL, NULL);
}
