/* What is read from a store, and what is no longer there. */
#include "tests/unit/store_fixture.h"
#include "tests/unit/wait.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
		wait_ms(1);
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
	    store_test(store_get__tells_missing_from_damaged),
	    store_test(store_get__finds_a_file_where_a_directory_should_be),
	    store_test(store_read_at__stops_at_the_end),
	    store_test(store_read_at__keeps_a_bounded_number_open),
	    store_test(store_will_read__has_all_of_it_fetched),
	    store_test(store_will_read__passes_over_what_can_not_be_read),
	    store_test(store_remove__makes_it_missing),
	};

	return cmocka_run_group_tests_name("store_get", tests, NULL, NULL);
}
