/* What is written to a store. */
#include "crypto/hash.h"
#include "tests/unit/store_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

static void
store_put__round_trips_every_class(void **state)
{
	static const enum object_class all[] = {
	    OBJECT_KEY, OBJECT_LOG, OBJECT_INDEX, OBJECT_PACK};
	struct fixture *f = *state;
	mode_t mask = umask(0);

	(void)umask(mask);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct object_ref ref =
		    put_text(f->s, all[i], all[i] == OBJECT_LOG, "hello");
		char path[SCRATCH_PATH + 256];
		uint8_t name[HASH_LEN], piece[3];
		struct stat st;
		uint64_t size;

		assert_ok(sha256("hello", 5, name, &err));
		assert_memory_equal(ref.name, name, HASH_LEN);
		assert_text(f->s, &ref, "hello");
		assert_ok(store_read_at(f->s, &ref, 1, piece, 3, &err));
		assert_memory_equal(piece, "ell", 3);
		assert_ok(store_size(f->s, &ref, &size, &err));
		assert_int_equal(size, 5);

		object_path(f, &ref, path);
		assert_int_equal(lstat(path, &st), 0);
		assert_int_equal(st.st_mode, S_IFREG | (0444 & ~mask));
	}
	assert_int_equal(scratch_count(f->path), 4);
}

static void
store_put__takes_what_is_there_already(void **state)
{
	struct fixture *f = *state;
	struct object_ref a = put_text(f->s, OBJECT_INDEX, 0, "same");
	struct object_ref b = put_text(f->s, OBJECT_INDEX, 0, "same");
	char path[SCRATCH_PATH + 64];

	assert_memory_equal(a.name, b.name, sizeof(a.name));
	(void)snprintf(path, sizeof(path), "%s/tmp", f->path);
	assert_int_equal(scratch_count(path), 0);
}

static void
store_put__takes_no_bytes(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref = put_text(f->s, OBJECT_KEY, 0, "");

	assert_text(f->s, &ref, "");
}

static void
store_put__never_replaces_a_damaged_object(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref = put_text(f->s, OBJECT_PACK, 0, "content");
	char path[SCRATCH_PATH + 256];
	uint64_t size;

	object_path(f, &ref, path);
	scratch_write(path, "cont", 4);
	assert_fails(
	    ERR_CORRUPT, path, store_put(f->s, &ref, "content", 7, &err));
	assert_ok(store_size(f->s, &ref, &size, &err));
	assert_int_equal(size, 4);

	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_fails(ERR_CORRUPT, "is not a regular file",
	    store_put(f->s, &ref, "content", 7, &err));
	(void)snprintf(path, sizeof(path), "%s/tmp", f->path);
	assert_int_equal(scratch_count(path), 0);
}

static void
store_put__never_changes_the_root(void **state)
{
	struct fixture *f = *state;
	struct object_ref root = {.cls = OBJECT_ROOT};

	assert_fails(ERR_BUG, "root", store_put(f->s, &root, "x", 1, &err));
	assert_fails(ERR_BUG, "root", store_remove(f->s, &root, &err));
	assert_text(f->s, &root, ROOT_BYTES);
}

static void
store_put__makes_the_directories_it_misses(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref = put_text(f->s, OBJECT_KEY, 0, "one");
	char path[SCRATCH_PATH + 64];

	/* As a copy by a tool that leaves empty directories out. */
	assert_ok(store_remove(f->s, &ref, &err));
	(void)snprintf(path, sizeof(path), "%s/keys", f->path);
	assert_int_equal(rmdir(path), 0);
	(void)snprintf(path, sizeof(path), "%s/tmp", f->path);
	assert_int_equal(rmdir(path), 0);
	ref = put_text(f->s, OBJECT_KEY, 0, "two");
	assert_text(f->s, &ref, "two");
}

static void
store_writer__writes_piece_by_piece(void **state)
{
	AUTO(store_writer) struct store_writer *w = NULL;
	struct fixture *f = *state;
	struct object_ref ref = {0};
	char path[SCRATCH_PATH + 64];

	assert_ok(store_writer_new(f->s, OBJECT_PACK, DATASET, &w, &err));
	assert_ok(store_writer_write(w, "one ", 4, &err));
	(void)snprintf(path, sizeof(path), "%s/datasets", f->path);
	assert_int_equal(scratch_count(path), 0); /* nothing is visible */
	assert_ok(store_writer_write(w, "", 0, &err));
	assert_ok(store_writer_write(w, "two", 3, &err));
	assert_ok(store_writer_commit(w, &ref, &err));
	assert_int_equal(ref.cls, OBJECT_PACK);
	assert_memory_equal(ref.dataset, DATASET, STORE_DATASET_LEN);
	assert_text(f->s, &ref, "one two");
	assert_fails(ERR_BUG, "commit", store_writer_commit(w, &ref, &err));
}

static void
store_writer_free__leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_writer *w;
	char path[SCRATCH_PATH + 64];

	(void)snprintf(path, sizeof(path), "%s/tmp", f->path);
	assert_ok(store_writer_new(f->s, OBJECT_PACK, DATASET, &w, &err));
	assert_ok(store_writer_write(w, "bytes", 5, &err));
	assert_int_equal(scratch_count(path), 1);
	store_writer_free(w);
	assert_int_equal(scratch_count(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(store_put__round_trips_every_class),
	    store_test(store_put__takes_what_is_there_already),
	    store_test(store_put__takes_no_bytes),
	    store_test(store_put__never_replaces_a_damaged_object),
	    store_test(store_put__never_changes_the_root),
	    store_test(store_put__makes_the_directories_it_misses),
	    store_test(store_writer__writes_piece_by_piece),
	    store_test(store_writer_free__leaves_nothing),
	};

	return cmocka_run_group_tests_name("store_put", tests, NULL, NULL);
}
