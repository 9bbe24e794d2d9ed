/* What is not there of a store, or not all of it: snapshot/check/. */
#include "tests/unit/check_fixture.h"

static void
check_run__finds_truncated_objects(void **state)
{
	const struct realm *r = *state;
	struct files files;

	files_find(r, "/", &files);
	for (size_t i = 0; i < files.n; i++) {
		struct original o = original_take(r, files.name[i]);
		const size_t lens[] = {0, 1, 100, o.len / 2, o.len - 1};

		for (size_t j = 0; j < ARRAY_LEN(lens); j++) {
			FINDINGS_AUTO struct findings f;

			original_cut(&o, lens[j]);
			check_realm(r, CHECK_NO_KEYS, &f);
			assert_only(&f, files.name[i]);
		}
		original_put(&o);
	}
}

/* Sparse, as a file of any size may be: it is not read to its end. */
static void
check_run__finds_boundless_objects(void **state)
{
	const struct realm *r = *state;
	struct files files;

	files_find(r, "/", &files);
	for (size_t i = 0; i < files.n; i++) {
		struct original o = original_take(r, files.name[i]);

		original_cut(&o, o.len);
		assert_int_equal(truncate(o.path, (off_t)1 << 40), 0);
		for (size_t d = 0; d < ARRAY_LEN(depths); d++) {
			FINDINGS_AUTO struct findings f;

			if (depths[d] != CHECK_NO_KEYS &&
			    strstr(files.name[i], "/index/") == NULL)
				continue;
			check_realm(r, depths[d], &f);
			assert_true(found(&f, files.name[i], NULL));
		}
		original_put(&o);
	}
}

static void
check_run__finds_truncated_packs_by_their_size(void **state)
{
	const struct realm *r = *state;
	char pack[192];

	for (int kind = PACK_DATA; kind <= PACK_META; kind++) {
		struct original o = take_pack(r, kind, pack);

		for (size_t j = 0; j <= o.len; j += o.len / 4 + 1) {
			FINDINGS_AUTO struct findings f;

			original_cut(&o, j);
			check_realm(r, CHECK_STRUCTURE, &f);
			assert_only(&f, pack);
			assert_true(found_what(&f, pack, " are listed"));
			assert_truth(r, &f, pack, 1, SECOND_LABEL);
		}
		original_put(&o);
	}
}

/* That a check misses the object, and nothing else. */
static void
check_missing(const struct realm *r, enum check_depth depth, const char *name,
    struct findings *f)
{
	check_realm(r, depth, f);
	assert_only(f, name);
	assert_true(found_what(f, name, "missing"));
}

static void
check_run__finds_missing_packs(void **state)
{
	const struct realm *r = *state;
	struct files packs;

	files_find_class(r, "files", "packs", &packs);
	for (size_t i = 0; i < packs.n; i++) {
		struct original o = original_take(r, packs.name[i]);

		original_remove(&o);
		for (size_t j = 1; j < ARRAY_LEN(depths); j++) {
			FINDINGS_AUTO struct findings f;

			check_missing(r, depths[j], packs.name[i], &f);
			assert_truth(r, &f, packs.name[i], 1, SECOND_LABEL);
			assert_older(r, &f);
		}
		original_put(&o);
	}
}

/* The indexes say in the clear which there are. */
static void
check_run__finds_missing_packs_without_keys(void **state)
{
	const struct realm *r = *state;
	struct files packs;

	files_find_class(r, "files", "packs", &packs);
	for (size_t i = 0; i < packs.n; i++) {
		FINDINGS_AUTO struct findings f;
		struct original o = original_take(r, packs.name[i]);

		original_remove(&o);
		check_missing(r, CHECK_NO_KEYS, packs.name[i], &f);
		assert_int_equal(f.n, 1);
		original_put(&o);
	}
}

static bool
is_key_set(const struct realm *r, const char *object)
{
	struct original o = original_take(r, object);
	bool is = o.len >= 4 && memcmp(o.buf, "VRVk", 4) == 0;

	original_put(&o);
	return is;
}

/* Its dataset can't be named; but that there is something, an admin sees. */
static void
check_run__finds_a_missing_key_set(void **state)
{
	const struct realm *r = *state;
	struct files keys;
	size_t sets = 0;

	files_find(r, "keys/", &keys);
	for (size_t i = 0; i < keys.n; i++) {
		struct original o;

		if (!is_key_set(r, keys.name[i]))
			continue;
		sets++;
		o = original_take(r, keys.name[i]);
		original_remove(&o);
		for (size_t j = 1; j < ARRAY_LEN(depths); j++) {
			FINDINGS_AUTO struct findings f;

			check_realm(r, depths[j], &f);
			assert_int_equal(f.n, 1);
			assert_memory_equal(f.v[0].object, "datasets/", 9);
			assert_int_equal(strlen(f.v[0].object), 9 + 32);
			assert_non_null(strstr(f.v[0].what, "no key set"));
		}
		original_put(&o);
	}
	assert_true(sets > 0);
}

static void
check_run__finds_a_missing_index(void **state)
{
	const struct realm *r = *state;
	struct files indexes;

	files_find_class(r, "files", "index", &indexes);
	assert_int_equal(indexes.n, 2);
	for (size_t i = 0; i < indexes.n; i++) {
		FINDINGS_AUTO struct findings f;
		struct original o = original_take(r, indexes.name[i]);

		original_remove(&o);
		check_realm(r, CHECK_STRUCTURE, &f);
		assert_only(&f, indexes.name[i]);
		assert_true(found(&f, indexes.name[i], ""));
		assert_truth(r, &f, indexes.name[i], 1, SECOND_LABEL);
		assert_older(r, &f);
		/* What nothing seems to need is not called harmless now. */
		assert_int_equal(f.result.unreferenced, 0);
		original_put(&o);
	}
}

static void
check_run__finds_missing_records(void **state)
{
	const struct realm *r = *state;
	struct files records;

	files_find_class(r, "files", "log", &records);
	assert_int_equal(records.n, 2);
	for (size_t i = 0; i < records.n; i++) {
		struct original o = original_take(r, records.name[i]);

		original_remove(&o);
		for (size_t j = 0; j < ARRAY_LEN(depths); j++) {
			FINDINGS_AUTO struct findings f;

			check_missing(r, depths[j], records.name[i], &f);
			assert_int_equal(f.n, 1);
		}
		original_put(&o);
	}
}

/* Who has not seen it can't know that there was one more. */
static void
check_run__missing_head_needs_a_memory(void **state)
{
	const struct realm *r = *state;
	AUTO(access) struct access *a = NULL;
	struct check_options opt = {.depth = CHECK_NO_KEYS};
	FINDINGS_AUTO struct findings f;
	struct files records;
	struct original o;

	files_find_class(r, "files", "log", &records);
	o = original_take(r, records.name[1]);
	original_remove(&o);
	assert_ok(access_open_keyless(r->store, &a, &err));
	check_with(a, NULL, &opt, &f);
	assert_clean(&f);
	original_put(&o);
}

/* As somebody who doesn't know that there is a newer record. */
static void
check_without_memory(
    const struct realm *r, enum check_depth depth, struct findings *f)
{
	const struct check_options opt = {.depth = depth};
	AUTO(access) struct access *a = realm_open(r);

	check_with(a, NULL, &opt, f);
}

/* As after a run that never came to its record: nothing needs its index. */
static void
check_run__reads_an_index_that_nothing_needs(void **state)
{
	const struct realm *r = *state;
	struct files records, indexes;
	struct original record;
	size_t unneeded = 0;

	files_find_class(r, "files", "log", &records);
	record = original_take(r, records.name[records.n - 1]);
	original_remove(&record);
	files_find_class(r, "files", "index", &indexes);
	for (size_t i = 0; i < indexes.n; i++) {
		struct original o = original_take(r, indexes.name[i]);
		struct findings f[ARRAY_LEN(depths)];

		original_flip(&o, o.len / 2);
		for (size_t k = 0; k < ARRAY_LEN(depths); k++)
			check_without_memory(r, depths[k], &f[k]);
		original_put(&o);
		/* What only reads what is needed does not see it. */
		if (f[1].n == 0) {
			assert_only(&f[0], indexes.name[i]);
			assert_only(&f[2], indexes.name[i]);
			assert_true(f[2].result.unreferenced > 0);
			unneeded++;
		}
		findings_clear(&f[0]);
		findings_clear(&f[1]);
		findings_clear(&f[2]);
	}
	original_put(&record);
	assert_int_equal(unneeded, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_run__finds_truncated_objects),
	    cmocka_unit_test(check_run__finds_boundless_objects),
	    cmocka_unit_test(check_run__finds_truncated_packs_by_their_size),
	    cmocka_unit_test(check_run__finds_missing_packs),
	    cmocka_unit_test(check_run__finds_missing_packs_without_keys),
	    cmocka_unit_test(check_run__finds_a_missing_key_set),
	    cmocka_unit_test(check_run__finds_a_missing_index),
	    cmocka_unit_test(check_run__reads_an_index_that_nothing_needs),
	    cmocka_unit_test(check_run__finds_missing_records),
	    cmocka_unit_test(check_run__missing_head_needs_a_memory),
	};

	return cmocka_run_group_tests(
	    tests, realm_group_setup, realm_group_teardown);
}
