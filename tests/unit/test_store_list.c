#include "tests/unit/store_fixture.h"

#include <time.h>

/* --- what a listing showed --------------------------------------------- */

struct seen {
	struct object_ref v[512];
	uint64_t sizes[512];
	size_t n;
	size_t stop_at;
};

static int
see(void *arg, const struct object_ref *ref, uint64_t size, struct err *err)
{
	struct seen *seen = arg;

	assert_true(seen->n < ARRAY_LEN(seen->v));
	seen->v[seen->n] = *ref;
	seen->sizes[seen->n++] = size;
	if (seen->n == seen->stop_at)
		return err_set(err, ERR_CANCELLED, "enough");
	return 0;
}

static const struct object_ref *
seen_name(const struct seen *seen, const uint8_t name[OBJECT_NAME_LEN])
{
	for (size_t i = 0; i < seen->n; i++)
		if (memcmp(seen->v[i].name, name, OBJECT_NAME_LEN) == 0)
			return &seen->v[i];
	return NULL;
}

static void
store_list__shows_every_class(void **state)
{
	static const enum object_class all[] = {
	    OBJECT_KEY, OBJECT_LOG, OBJECT_INDEX, OBJECT_PACK};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		bool sized = all[i] == OBJECT_INDEX || all[i] == OBJECT_PACK;
		uint64_t seq = all[i] == OBJECT_LOG;
		struct object_ref a = put_text(f->s, all[i], seq, "one");
		struct object_ref b = put_text(f->s, all[i], seq, "two");
		struct seen seen = {0};
		const struct object_ref *got;

		assert_ok(store_list(f->s, all[i], DATASET, see, &seen, &err));
		assert_int_equal(seen.n, 2);
		got = seen_name(&seen, a.name);
		assert_non_null(got);
		assert_memory_equal(got, &a, sizeof(a));
		got = seen_name(&seen, b.name);
		assert_non_null(got);
		assert_memory_equal(got, &b, sizeof(b));
		assert_int_equal(seen.sizes[0], sized ? 3 : 0);
		assert_int_equal(seen.sizes[1], sized ? 3 : 0);
	}
}

static void
store_list__finds_the_root(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};

	assert_ok(store_list(f->s, OBJECT_ROOT, NULL, see, &seen, &err));
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.v[0].cls, OBJECT_ROOT);
}

static void
store_list__is_empty_where_nothing_is(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};

	assert_ok(store_list(f->s, OBJECT_KEY, NULL, see, &seen, &err));
	assert_ok(store_list(f->s, OBJECT_LOG, DATASET, see, &seen, &err));
	assert_ok(store_list(f->s, OBJECT_PACK, DATASET, see, &seen, &err));
	assert_ok(store_list_datasets(f->s, see, &seen, &err));
	assert_int_equal(seen.n, 0);
}

static void
store_list__orders_log_records(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};

	/* 7 has no common factor with 300: every number, in no order. */
	for (uint64_t i = 0; i < 300; i++) {
		uint64_t seq = i * 7 % 300 + 1;
		char text[32];

		(void)snprintf(text, sizeof(text), "record %d", (int)seq);
		put_text(f->s, OBJECT_LOG, seq, text);
	}
	put_text(f->s, OBJECT_LOG, UINT64_MAX, "the last that can be");
	assert_ok(store_list(f->s, OBJECT_LOG, DATASET, see, &seen, &err));
	assert_int_equal(seen.n, 301);
	for (uint64_t i = 0; i < 300; i++)
		assert_int_equal(seen.v[i].seq, i + 1);
	assert_true(seen.v[300].seq == UINT64_MAX);
}

static void
add_file(const char *dir, const char *name)
{
	char path[SCRATCH_PATH + 512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	scratch_write(path, "x", 1);
}

#define HEX62 "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"

static void
store_list__passes_over_what_is_no_object(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};
	char path[SCRATCH_PATH + 256];

	(void)snprintf(path, sizeof(path), "%s/keys", f->path);
	add_file(path, HEX62);        /* too short */
	add_file(path, HEX62 "0000"); /* too long */
	add_file(path, HEX62 "0A");   /* upper case */
	add_file(path, HEX62 "0g");
	add_file(path, ".nfs0001");
	assert_ok(store_list(f->s, OBJECT_KEY, NULL, see, &seen, &err));
	assert_int_equal(seen.n, 0);

	put_text(f->s, OBJECT_LOG, 1, "record");
	(void)snprintf(
	    path, sizeof(path), "%s/datasets/" DATASET_TEXT "/log", f->path);
	add_file(path, "0000000000000000-" HEX62 "00"); /* from 1 */
	add_file(path, "000000000000002-" HEX62 "00");
	add_file(path, "00000000000000020-" HEX62 "00");
	add_file(path, "0000000000000002_" HEX62 "00");
	add_file(path, "0000000000000002-" HEX62);
	add_file(path, "0000000000000002");
	assert_ok(store_list(f->s, OBJECT_LOG, DATASET, see, &seen, &err));
	assert_int_equal(seen.n, 1);

	seen.n = 0;
	put_text(f->s, OBJECT_PACK, 0, "pack"); /* 0x27... */
	(void)snprintf(path, sizeof(path),
	    "%s/datasets/" DATASET_TEXT "/packs/01", f->path);
	assert_int_equal(mkdir(path, 0755), 0);
	add_file(path, HEX62 "00"); /* another directory's */
	assert_ok(store_list(f->s, OBJECT_PACK, DATASET, see, &seen, &err));
	assert_int_equal(seen.n, 1);
}

/* As names of objects that can't be read: nobody takes them for absent. */
static void
store_list__shows_what_is_no_file(void **state)
{
	static const enum object_class all[] = {
	    OBJECT_KEY, OBJECT_LOG, OBJECT_INDEX, OBJECT_PACK};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		uint64_t seq = all[i] == OBJECT_LOG;
		struct object_ref ref = put_text(f->s, all[i], seq, "one");
		char text[OBJECT_REF_TEXT], path[SCRATCH_PATH + 512];

		object_ref_text(&ref, text);
		(void)snprintf(path, sizeof(path), "%s/%s", f->path, text);
		for (int kind = 0; kind < 3; kind++) {
			struct seen seen = {0};
			uint8_t *buf;
			size_t len;

			assert_int_equal(remove(path), 0);
			assert_int_equal(kind == 0   ? symlink("../varve", path)
					 : kind == 1 ? mkdir(path, 0755)
						     : mkfifo(path, 0644),
			    0);
			assert_ok(store_list(
			    f->s, all[i], DATASET, see, &seen, &err));
			assert_int_equal(seen.n, 1);
			assert_memory_equal(&seen.v[0], &ref, sizeof(ref));
			assert_int_equal(seen.sizes[0], 0);
			assert_fails(ERR_CORRUPT, "not a regular file",
			    store_get(f->s, &ref, 100, &buf, &len, &err));
		}
	}
}

static void
store_list__ends_when_the_visitor_says_so(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {.stop_at = 2};

	for (uint64_t seq = 1; seq <= 4; seq++)
		put_text(f->s, OBJECT_LOG, seq, "same");
	assert_fails(ERR_CANCELLED, "enough",
	    store_list(f->s, OBJECT_LOG, DATASET, see, &seen, &err));
	assert_int_equal(seen.n, 2);
}

static void
store_list_datasets__shows_each_id(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};
	struct object_ref other = ref_of(OBJECT_INDEX, 0);
	char path[SCRATCH_PATH + 64];

	other.dataset[15] = 0xff;
	put_text(f->s, OBJECT_LOG, 1, "record");
	assert_ok(store_put(f->s, &other, "index", 5, &err));
	(void)snprintf(path, sizeof(path), "%s/datasets", f->path);
	add_file(path, "00112233445566778899aabbccddeef"); /* too short */
	assert_ok(store_list_datasets(f->s, see, &seen, &err));
	assert_int_equal(seen.n, 2);
	if (seen.v[0].dataset[15] == 0xff)
		seen.v[0].dataset[15] = 0;
	else
		seen.v[1].dataset[15] ^= 0xff;
	assert_memory_equal(seen.v[0].dataset, DATASET, sizeof(DATASET));
	assert_memory_equal(seen.v[1].dataset, DATASET, sizeof(DATASET));
}

static void
store_list_datasets__shows_what_is_no_directory(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};
	char path[SCRATCH_PATH + 64];

	(void)snprintf(path, sizeof(path), "%s/datasets", f->path);
	add_file(path, DATASET_TEXT);
	assert_ok(store_list_datasets(f->s, see, &seen, &err));
	assert_int_equal(seen.n, 1);
	assert_memory_equal(seen.v[0].dataset, DATASET, sizeof(DATASET));
	assert_fails(ERR_CORRUPT, "not a directory",
	    store_list(f->s, OBJECT_LOG, DATASET, see, &seen, &err));
}

/* --- whether a log has grown ------------------------------------------- */

static uint64_t
mark_of(struct store *s)
{
	uint64_t mark;

	assert_ok(store_log_mark(s, DATASET, &mark, &err));
	return mark;
}

static void
store_log_mark__is_0_without_a_log(void **state)
{
	struct fixture *f = *state;
	char path[SCRATCH_PATH + 64];

	assert_int_equal(mark_of(f->s), 0);
	(void)snprintf(
	    path, sizeof(path), "%s/datasets/" DATASET_TEXT, f->path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(mark_of(f->s), 0);
	(void)strcat(path, "/log");
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(mark_of(f->s), 0);
}

/* Times as coarse as can be: the same for every record. */
static void
freeze_times(const struct fixture *f)
{
	static const struct timespec times[2] = {
	    {.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	char path[SCRATCH_PATH + 64];

	(void)snprintf(
	    path, sizeof(path), "%s/datasets/" DATASET_TEXT "/log", f->path);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
store_log_mark__changes_with_every_record(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0;

	/* Few: all must come within the time that counts as one grain. */
	for (uint64_t seq = 1; seq <= 8; seq++) {
		uint64_t mark;

		put_text(f->s, OBJECT_LOG, seq, "record");
		freeze_times(f);
		mark = mark_of(f->s);
		assert_true(mark != 0);
		assert_true(mark != last);
		last = mark;
	}
}

static void
store_log_mark__stays_while_nothing_comes(void **state)
{
	struct fixture *f = *state;
	struct timespec wait = {.tv_nsec = 350000000};
	uint64_t mark;

	put_text(f->s, OBJECT_LOG, 1, "record");
	mark = mark_of(f->s);
	put_text(f->s, OBJECT_INDEX, 0, "not of the log");
	/* Beyond the time in which entries are counted, and with it. */
	for (size_t i = 0; i < 10; i++) {
		assert_true(mark_of(f->s) == mark);
		(void)nanosleep(&wait, NULL);
	}
	put_text(f->s, OBJECT_LOG, 2, "record");
	assert_true(mark_of(f->s) != mark);
}

static void
store_log_mark__is_each_dataset_s_own(void **state)
{
	struct fixture *f = *state;
	struct object_ref other = ref_of(OBJECT_LOG, 1);
	uint64_t mark, mark2;

	other.dataset[0] ^= 1;
	put_text(f->s, OBJECT_LOG, 1, "record");
	mark = mark_of(f->s);
	assert_ok(store_put(f->s, &other, "record", 6, &err));
	assert_ok(store_log_mark(f->s, other.dataset, &mark2, &err));
	assert_true(mark2 != 0);
	assert_true(mark_of(f->s) == mark);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(store_list__shows_every_class),
	    store_test(store_list__finds_the_root),
	    store_test(store_list__is_empty_where_nothing_is),
	    store_test(store_list__orders_log_records),
	    store_test(store_list__passes_over_what_is_no_object),
	    store_test(store_list__shows_what_is_no_file),
	    store_test(store_list__ends_when_the_visitor_says_so),
	    store_test(store_list_datasets__shows_what_is_no_directory),
	    store_test(store_list_datasets__shows_each_id),
	    store_test(store_log_mark__is_0_without_a_log),
	    store_test(store_log_mark__changes_with_every_record),
	    store_test(store_log_mark__stays_while_nothing_comes),
	    store_test(store_log_mark__is_each_dataset_s_own),
	};

	return cmocka_run_group_tests_name("store_list", tests, NULL, NULL);
}
