#include "crypto/hash.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
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

/* --- writing and reading ----------------------------------------------- */

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

static void
store_get__tells_missing_from_damaged(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref = put_text(f->s, OBJECT_KEY, 0, "the key");
	struct object_ref none = ref_of(OBJECT_KEY, 0);
	char path[SCRATCH_PATH + 256], other[SCRATCH_PATH + 64];
	uint8_t *buf = (uint8_t *)path;
	size_t len = 1;

	object_path(f, &ref, path);
	assert_fails(ERR_NOT_FOUND, "/keys/0000",
	    store_get(f->s, &none, 100, &buf, &len, &err));
	assert_null(buf);
	assert_int_equal(len, 0);
	assert_fails(ERR_CORRUPT, "has 7 bytes where at most 6 are allowed",
	    store_get(f->s, &ref, 6, &buf, &len, &err));

	scratch_write(path, "The key", 7);
	assert_fails(ERR_CORRUPT, "its SHA-256 is not its name",
	    store_get(f->s, &ref, 100, &buf, &len, &err));
	assert_null(buf);
	assert_int_equal(len, 0);
	scratch_write(path, "the ke", 6);
	assert_fails(
	    ERR_CORRUPT, path, store_get(f->s, &ref, 100, &buf, &len, &err));

	/* Only a regular file is an object, whatever a link points to. */
	(void)snprintf(other, sizeof(other), "%s/other", f->dir);
	scratch_write(other, "the key", 7);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_fails(ERR_CORRUPT, "is not a regular file",
	    store_get(f->s, &ref, 100, &buf, &len, &err));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_fails(ERR_CORRUPT, "is not a regular file",
	    store_get(f->s, &ref, 100, &buf, &len, &err));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_fails(ERR_CORRUPT, "is not a regular file",
	    store_get(f->s, &ref, 100, &buf, &len, &err));
}

static void
store_get__finds_a_file_where_a_directory_should_be(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref = ref_of(OBJECT_PACK, 0);
	char path[SCRATCH_PATH + 64];
	uint8_t byte;

	(void)snprintf(
	    path, sizeof(path), "%s/datasets/" DATASET_TEXT, f->path);
	scratch_write(path, "x", 1);
	assert_fails(ERR_CORRUPT, "is not a directory",
	    store_read_at(f->s, &ref, 0, &byte, 1, &err));
}

static void
store_read_at__stops_at_the_end(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref = put_text(f->s, OBJECT_PACK, 0, "0123456789");
	uint8_t buf[16];

	assert_ok(store_read_at(f->s, &ref, 6, buf, 4, &err));
	assert_memory_equal(buf, "6789", 4);
	assert_ok(store_read_at(f->s, &ref, 10, buf, 0, &err));
	assert_fails(ERR_CORRUPT, "only 2 of 5 bytes at offset 8",
	    store_read_at(f->s, &ref, 8, buf, 5, &err));
	assert_fails(ERR_CORRUPT, "only 0 of 1 bytes at offset 4294967296",
	    store_read_at(f->s, &ref, 1ULL << 32, buf, 1, &err));
	assert_fails(ERR_CORRUPT, "ends before offset 18446744073709551615",
	    store_read_at(f->s, &ref, UINT64_MAX, buf, 16, &err));
}

static int
count_fds(void)
{
	return scratch_count("/proc/self/fd");
}

static void
store_read_at__keeps_a_bounded_number_open(void **state)
{
	struct fixture *f = *state;
	struct object_ref refs[200];
	int before;

	for (uint32_t i = 0; i < ARRAY_LEN(refs); i++) {
		refs[i] = ref_of(OBJECT_PACK, 0);
		assert_ok(store_put(f->s, &refs[i], &i, sizeof(i), &err));
	}
	before = count_fds();
	for (size_t round = 0; round < 3; round++)
		for (uint32_t i = 0; i < ARRAY_LEN(refs); i++) {
			uint32_t v;

			assert_ok(store_read_at(
			    f->s, &refs[i], 0, &v, sizeof(v), &err));
			assert_int_equal(v, i);
		}
	assert_int_equal(count_fds() - before, 64);
}

/* Pages of a file that are in the system's cache. */
static size_t
count_cached(const char *path, size_t len)
{
	unsigned char in[4096] = {0};
	size_t n = 0, pages = (len + 4095) / 4096;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	assert_true(pages <= sizeof(in));
	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(mincore(p, len, in), 0);
	for (size_t i = 0; i < pages; i++)
		n += in[i] & 1;
	assert_int_equal(munmap(p, len), 0);
	assert_int_equal(close(fd), 0);
	return n;
}

static void
drop_cached(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(fsync(fd), 0);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	assert_int_equal(close(fd), 0);
}

/* What is under way when it returns is a step of it at most. */
static void
store_will_read__has_all_of_it_fetched(void **state)
{
	const struct timespec ms = {.tv_nsec = 1000000};
	struct fixture *f = *state;
	struct object_ref ref = ref_of(OBJECT_PACK, 0);
	const size_t len = (5 << 20) + 100;
	char text[OBJECT_REF_TEXT], path[SCRATCH_PATH + 256];
	uint8_t *buf = calloc(1, len);

	assert_ok(store_put(f->s, &ref, buf, len, &err));
	free(buf);
	object_ref_text(&ref, text);
	(void)snprintf(path, sizeof(path), "%s/%s", f->path, text);
	drop_cached(path);
	store_will_read(f->s, &ref);
	while (count_cached(path, len) < (len + 4095) / 4096)
		(void)nanosleep(&ms, NULL);
}

static void
store_will_read__passes_over_what_can_not_be_read(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref = put_text(f->s, OBJECT_PACK, 0, "going");
	char text[OBJECT_REF_TEXT], path[SCRATCH_PATH + 256];
	uint8_t byte;

	object_ref_text(&ref, text);
	(void)snprintf(path, sizeof(path), "%s/%s", f->path, text);
	assert_int_equal(unlink(path), 0);
	store_will_read(f->s, &ref);
	assert_int_equal(mkfifo(path, 0600), 0);
	store_will_read(f->s, &ref);
	assert_fails(ERR_CORRUPT, "is not a regular file",
	    store_read_at(f->s, &ref, 0, &byte, 1, &err));
}

static void
store_remove__makes_it_missing(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref = put_text(f->s, OBJECT_PACK, 0, "going");
	uint64_t size;
	uint8_t byte;
	int before = count_fds();

	assert_ok(store_read_at(f->s, &ref, 0, &byte, 1, &err));
	assert_int_equal(count_fds(), before + 1);
	assert_ok(store_remove(f->s, &ref, &err));
	assert_int_equal(count_fds(), before); /* its space is free */
	assert_rc(ERR_NOT_FOUND, store_read_at(f->s, &ref, 0, &byte, 1, &err));
	assert_rc(ERR_NOT_FOUND, store_size(f->s, &ref, &size, &err));
	assert_rc(ERR_NOT_FOUND, store_remove(f->s, &ref, &err));
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
	    store_test(store_put__round_trips_every_class),
	    store_test(store_put__takes_what_is_there_already),
	    store_test(store_put__takes_no_bytes),
	    store_test(store_put__never_replaces_a_damaged_object),
	    store_test(store_put__never_changes_the_root),
	    store_test(store_put__makes_the_directories_it_misses),
	    store_test(store_writer__writes_piece_by_piece),
	    store_test(store_writer_free__leaves_nothing),
	    store_test(store_get__tells_missing_from_damaged),
	    store_test(store_get__finds_a_file_where_a_directory_should_be),
	    store_test(store_read_at__stops_at_the_end),
	    store_test(store_read_at__keeps_a_bounded_number_open),
	    store_test(store_will_read__has_all_of_it_fetched),
	    store_test(store_will_read__passes_over_what_can_not_be_read),
	    store_test(store_remove__makes_it_missing),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
