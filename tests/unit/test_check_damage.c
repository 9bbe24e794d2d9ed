/* Damage in a store, and the depth that has to find it: snapshot/check/. */
#include "tests/unit/check_fixture.h"

/* --- a byte ------------------------------------------------------------- */

/* Where to turn a byte: the beginnings of an object's parts, and in between. */
static size_t
offset_of(size_t i, size_t len)
{
	static const size_t first[] = {0, 4, 6, 8, 25, 41, 72, 90, 100, 130};
	size_t back;

	if (i < ARRAY_LEN(first))
		return first[i] < len ? first[i] : len / 2;
	back = i - ARRAY_LEN(first);
	if (back < 3)
		return len - 1 - 9 * back < len ? len - 1 - 9 * back : 0;
	return (size_t)((i * UINT64_C(0x9e3779b97f4a7c15)) % len);
}

#define OFFSETS 17

static void
check_run__finds_any_byte_without_keys(void **state)
{
	const struct realm *r = *state;
	struct files files;

	files_find(r, "/", &files); /* all but the root */
	assert_true(files.n > 10);
	for (size_t i = 0; i < files.n; i++) {
		struct original o = original_take(r, files.name[i]);

		for (size_t j = 0; j < OFFSETS; j++) {
			FINDINGS_AUTO struct findings f;

			original_flip(&o, offset_of(j, o.len));
			check_realm(r, CHECK_NO_KEYS, &f);
			assert_only(&f, files.name[i]);
			assert_int_equal(f.n, 1);
		}
		original_put(&o);
	}
}

/* What structure needs is found by structure. */
static void
check_run__finds_a_byte_of_logs_and_indexes(void **state)
{
	static const char *const classes[] = {"log", "index"};
	const struct realm *r = *state;

	for (size_t i = 0; i < 2 * ARRAY_LEN(classes); i++) {
		struct files files;
		struct original o;

		files_find_class(r, "files", classes[i / 2], &files);
		assert_int_equal(files.n, 2);
		o = original_take(r, files.name[i % 2]);
		for (size_t j = 0; j < OFFSETS; j++) {
			FINDINGS_AUTO struct findings f;

			original_flip(&o, offset_of(j, o.len));
			check_realm(r, CHECK_STRUCTURE, &f);
			assert_only(&f, files.name[i % 2]);
			assert_true(found(&f, files.name[i % 2], ""));
		}
		original_put(&o);
	}
}

/* The object at the address has changed under who has it open. */
static void
check_run__finds_a_byte_of_the_root(void **state)
{
	const struct realm *r = *state;
	struct original o = original_take(r, "varve");

	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		AUTO(access) struct access *a = realm_open(r);
		struct check_options opt = {.depth = depths[i]};
		FINDINGS_AUTO struct findings f;

		original_flip(&o, o.len / 2);
		check_with(a, r->heads, &opt, &f);
		scratch_write(o.path, o.buf, o.len);
		assert_only(&f, "varve");
	}
	original_put(&o);
}

/* --- what it affects ---------------------------------------------------- */

static void
check_run__names_the_files_that_a_pack_damages(void **state)
{
	const struct realm *r = *state;
	char pack[192];

	for (int kind = PACK_DATA; kind <= PACK_META; kind++) {
		struct original o = take_pack(r, kind, pack);

		for (size_t j = 0; j < OFFSETS + 10; j++) {
			FINDINGS_AUTO struct findings f;

			original_flip(&o, offset_of(j, o.len));
			check_realm(r, CHECK_READ_DATA, &f);
			assert_only(&f, pack);
			assert_true(found(&f, pack, ""));
			assert_truth(r, &f, pack, 1, SECOND_LABEL);
			assert_older(r, &f);
		}
		original_put(&o);
	}
}

/* What a check of structure says of a pack whose first segment is damaged. */
static struct original
check_segment(
    const struct realm *r, int kind, char pack[192], struct findings *f)
{
	struct original o = take_pack(r, kind, pack);

	original_flip(&o, PACK_HEADER_LEN + 20);
	check_realm(r, CHECK_STRUCTURE, f);
	return o;
}

static void
check_run__structure_finds_damaged_pages(void **state)
{
	const struct realm *r = *state;
	FINDINGS_AUTO struct findings f;
	char pack[192];
	struct original o = check_segment(r, PACK_META, pack, &f);

	assert_only(&f, pack);
	assert_truth(r, &f, pack, 1, SECOND_LABEL);
	assert_older(r, &f);
	original_put(&o);
}

/* Structure does not read data; that is what the other depths are for. */
static void
check_run__structure_leaves_data_unread(void **state)
{
	const struct realm *r = *state;
	FINDINGS_AUTO struct findings f;
	char pack[192];
	struct original o = check_segment(r, PACK_DATA, pack, &f);

	assert_clean(&f);
	original_put(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_run__finds_any_byte_without_keys),
	    cmocka_unit_test(check_run__finds_a_byte_of_logs_and_indexes),
	    cmocka_unit_test(check_run__finds_a_byte_of_the_root),
	    cmocka_unit_test(check_run__names_the_files_that_a_pack_damages),
	    cmocka_unit_test(check_run__structure_finds_damaged_pages),
	    cmocka_unit_test(check_run__structure_leaves_data_unread),
	};

	return cmocka_run_group_tests(
	    tests, realm_group_setup, realm_group_teardown);
}
