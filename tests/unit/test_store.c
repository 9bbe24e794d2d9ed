/* A store: where its objects lie, how it is made, and how it is opened. */
#include "tests/unit/store_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

/* --- names ------------------------------------------------------------- */

static void
object_ref_text__is_the_path_in_a_store(UNUSED void **state)
{
#define NAME "7b0000000000000000000000000000000000000000000000000000000000ff0e"
	struct object_ref ref = {.seq = 0x1fe};
	char text[OBJECT_REF_TEXT];

	memcpy(ref.dataset, DATASET, sizeof(DATASET));
	ref.name[0] = 0x7b;
	ref.name[30] = 0xff;
	ref.name[31] = 0x0e;

	ref.cls = OBJECT_ROOT;
	object_ref_text(&ref, text);
	assert_string_equal(text, "varve");
	ref.cls = OBJECT_KEY;
	object_ref_text(&ref, text);
	assert_string_equal(text, "keys/" NAME);
	ref.cls = OBJECT_LOG;
	object_ref_text(&ref, text);
	assert_string_equal(
	    text, "datasets/" DATASET_TEXT "/log/00000000000001fe-" NAME);
	ref.cls = OBJECT_INDEX;
	object_ref_text(&ref, text);
	assert_string_equal(text, "datasets/" DATASET_TEXT "/index/" NAME);
	ref.cls = OBJECT_PACK;
	object_ref_text(&ref, text);
	assert_string_equal(text, "datasets/" DATASET_TEXT "/packs/7b/" NAME);
}

/* --- making and opening ------------------------------------------------ */

static void
store_create__keeps_the_root_object(void **state)
{
	struct fixture *f = *state;
	struct object_ref root = {.cls = OBJECT_ROOT};
	struct store *again;

	assert_text(f->s, &root, ROOT_BYTES);
	assert_string_equal(store_address(f->s), f->path);
	assert_string_equal(store_path(f->s), f->path);
	assert_ok(store_open(f->path, &again, &err));
	assert_text(again, &root, ROOT_BYTES);
	store_close(again);
}

static void
store_create__takes_an_empty_directory(void **state)
{
	struct fixture *f = *state;
	struct store *s;
	char path[SCRATCH_PATH + 32], sub[SCRATCH_PATH + 64];

	(void)snprintf(path, sizeof(path), "%s/empty", f->dir);
	(void)snprintf(sub, sizeof(sub), "%s/lost+found", path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(mkdir(sub, 0755), 0);
	assert_ok(store_create(path, "r", 1, &s, &err));
	store_close(s);
}

static void
store_create__finishes_what_a_crash_left(void **state)
{
	struct fixture *f = *state;
	struct store *s;
	char path[SCRATCH_PATH + 32], sub[SCRATCH_PATH + 128];

	(void)snprintf(path, sizeof(path), "%s/half", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(sub, sizeof(sub), "%s/tmp", path);
	assert_int_equal(mkdir(sub, 0755), 0);
	(void)snprintf(
	    sub, sizeof(sub), "%s/tmp/00112233445566778899aabbccddeeff", path);
	scratch_write(sub, "half", 4);
	assert_ok(store_create(path, "r", 1, &s, &err));
	assert_false(scratch_exists(sub));
	store_close(s);
}

static void
store_create__refuses_what_is_not_empty(void **state)
{
	struct fixture *f = *state;
	struct store *s;
	char path[SCRATCH_PATH + 32];

	(void)snprintf(path, sizeof(path), "%s/keys", f->path);
	assert_fails(ERR_USAGE, "it is not empty",
	    store_create(f->dir, "r", 1, &s, &err));
	assert_null(s);
	assert_fails(
	    ERR_USAGE, "already", store_create(f->path, "r", 1, &s, &err));
	assert_int_equal(scratch_count(f->dir), 1);

	/* Directories called as a store's, but not empty, are not ours. */
	put_text(f->s, OBJECT_KEY, 0, "a key");
	(void)snprintf(path, sizeof(path), "%s/varve", f->path);
	assert_int_equal(unlink(path), 0);
	assert_fails(ERR_USAGE, "it is not empty",
	    store_create(f->path, "r", 1, &s, &err));
}

static void
store_create__says_what_is_in_the_way(void **state)
{
	struct fixture *f = *state;
	struct store *s;
	char path[SCRATCH_PATH + 64];

	(void)snprintf(path, sizeof(path), "%s/file", f->dir);
	scratch_write(path, "x", 1);
	assert_fails(ERR_USAGE, "it is not a directory",
	    store_create(path, "r", 1, &s, &err));
	(void)snprintf(path, sizeof(path), "%s/no/store", f->dir);
	assert_fails(ERR_NOT_FOUND, "its parent directory is not there",
	    store_create(path, "r", 1, &s, &err));
	assert_fails(ERR_USAGE, "the store's address is empty",
	    store_create("", "r", 1, &s, &err));
	assert_fails(ERR_USAGE, "no kind of store is known for the address",
	    store_create("s3://bucket", "r", 1, &s, &err));
}

static void
store_open__says_what_is_wrong(void **state)
{
	struct fixture *f = *state;
	struct store *s;
	char path[SCRATCH_PATH + 64], text[SCRATCH_PATH + 128];

	(void)snprintf(path, sizeof(path), "%s/none", f->dir);
	(void)snprintf(
	    text, sizeof(text), "no store at '%s': no such directory", path);
	assert_fails(ERR_NOT_FOUND, text, store_open(path, &s, &err));
	assert_null(s);

	(void)snprintf(text, sizeof(text),
	    "'%s' is not a Varve store: it has no file 'varve'", f->dir);
	assert_fails(ERR_CORRUPT, text, store_open(f->dir, &s, &err));

	(void)snprintf(path, sizeof(path), "%s/file", f->dir);
	scratch_write(path, "x", 1);
	(void)snprintf(text, sizeof(text),
	    "'%s' is not a Varve store: it is not a directory", path);
	assert_fails(ERR_CORRUPT, text, store_open(path, &s, &err));

	(void)snprintf(path, sizeof(path), "%s/file/store", f->dir);
	assert_fails(ERR_NOT_FOUND, "no store at", store_open(path, &s, &err));

	(void)snprintf(path, sizeof(path), "%s/varve", f->path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_fails(ERR_CORRUPT, "its 'varve' is not a regular file",
	    store_open(f->path, &s, &err));
}

static void
store_path__is_absolute(void **state)
{
	struct fixture *f = *state;
	char *before = getcwd(NULL, 0);
	struct store *s;

	assert_int_equal(chdir(f->dir), 0);
	assert_ok(store_open("store", &s, &err));
	assert_int_equal(chdir(before), 0);
	assert_string_equal(store_address(s), "store");
	assert_string_equal(store_path(s), f->path);
	put_text(s, OBJECT_KEY, 0, "written from elsewhere");
	store_close(s);
	free(before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(object_ref_text__is_the_path_in_a_store),
	    store_test(store_create__keeps_the_root_object),
	    store_test(store_create__takes_an_empty_directory),
	    store_test(store_create__finishes_what_a_crash_left),
	    store_test(store_create__refuses_what_is_not_empty),
	    store_test(store_create__says_what_is_in_the_way),
	    store_test(store_open__says_what_is_wrong),
	    store_test(store_path__is_absolute),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
