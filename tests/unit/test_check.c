/* What a check looks at and says, and who may look: snapshot/check/. */
#include "tests/unit/check_fixture.h"

#include "snapshot/log/when.h"

#include <time.h>

/* --- no damage ---------------------------------------------------------- */

static void
check_run__whole_store_has_no_damage(void **state)
{
	const struct realm *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		FINDINGS_AUTO struct findings f;

		check_realm(r, depths[i], &f);
		assert_clean(&f);
	}
}

static void
check_run__counts_what_it_looked_at(void **state)
{
	const struct realm *r = *state;
	FINDINGS_AUTO struct findings none = {0}, all = {0};
	struct files files;
	uint64_t bytes = 0;

	files_find(r, "", &files);
	for (size_t i = 0; i < files.n; i++) {
		struct original o = original_take(r, files.name[i]);

		bytes += o.len;
		free(o.buf);
	}
	check_realm(r, CHECK_NO_KEYS, &none);
	assert_int_equal(none.result.objects, files.n);
	assert_int_equal(none.result.bytes, bytes);
	assert_int_equal(none.result.snapshots, 0);
	assert_int_equal(none.result.entries, 0);

	check_realm(r, CHECK_READ_DATA, &all);
	assert_int_equal(all.result.snapshots, 3);
	/* 'many', and what is beside and below it, is looked at once ... */
	assert_true(all.result.entries > 600 * 2 + 30 + 9);
	/* ... though two snapshots have it. */
	assert_true(all.result.entries < 600 * 3);
	assert_true(all.result.chunks > 600);
}

/* As after a run that never came to its record. */
static void
check_run__what_no_record_needs_is_unreferenced(void **state)
{
	const struct realm *r = *state;
	AUTO(access) struct access *a = realm_open(r);
	struct check_options opt = {.depth = CHECK_READ_DATA};
	FINDINGS_AUTO struct findings both, one;
	struct files records;
	struct original o;

	check_realm(r, CHECK_READ_DATA, &both);
	assert_int_equal(both.result.unreferenced, 0);
	files_find_class(r, "files", "log", &records);
	o = original_take(r, records.name[1]);
	original_remove(&o);
	check_with(a, NULL, &opt, &one);
	original_put(&o);
	assert_clean(&one);
	/* A pack of data, one of pages, and their index. */
	assert_int_equal(one.result.unreferenced, 3);
}

/* What hides a record of a primary is damage; a replica may yet get it. */
static void
check_run__tells_of_a_replica_that_is_behind(void **state)
{
	const struct realm *r = *state;
	struct store *store = access_store(r->admin);
	struct files records;

	files_find_class(r, "files", "log", &records);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		FINDINGS_AUTO struct findings seen, hidden, behind;
		struct original o = original_take(r, records.name[1]);

		check_realm(r, depths[i], &seen);
		assert_clean(&seen);
		assert_int_equal(seen.result.behind, 0);
		original_remove(&o);
		check_realm(r, depths[i], &hidden);
		assert_true(
		    found_what(&hidden, records.name[1], "has seen it"));
		assert_int_equal(hidden.result.behind, 0);
		assert_ok(store_set_replica(store, "dr", &err));
		check_realm(r, depths[i], &behind);
		assert_clean(&behind);
		assert_int_equal(behind.result.behind, 1);
		assert_ok(store_set_replica(store, NULL, &err));
		original_put(&o);
	}
}

static void
check_run__progress_ends_at_its_total(void **state)
{
	const struct realm *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		AUTO(access) struct access *a = realm_open(r);
		FINDINGS_AUTO struct findings f;
		struct check_progress p = {0};
		struct check_options opt = {.depth = depths[i], .progress = &p};

		check_with(a, r->heads, &opt, &f);
		assert_clean(&f);
		assert_int_equal(atomic_load(&p.objects), f.result.objects);
		assert_int_equal(atomic_load(&p.bytes), f.result.bytes);
		assert_int_equal(atomic_load(&p.total), f.result.bytes);
	}
}

static void
check_run__stops_when_asked(void **state)
{
	const struct realm *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		AUTO(access) struct access *a = realm_open(r);
		atomic_bool stop = true;
		struct check_options opt = {.depth = depths[i], .stop = &stop};
		struct check_result result;
		struct err err;

		assert_int_equal(
		    check_run(a, r->heads, &opt, &result, &err), ERR_CANCELLED);
		assert_int_equal(err.code, ERR_CANCELLED);
		assert_int_equal(result.damaged, 0);
	}
}

static void
check_run__knows_no_such_dataset(void **state)
{
	const struct realm *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		struct check_options opt = {
		    .depth = depths[i], .dataset = "nobody"};
		struct check_result result;
		struct err err;

		assert_int_equal(
		    check_run(r->admin, r->heads, &opt, &result, &err),
		    ERR_NOT_FOUND);
	}
}

/* --- who looks ---------------------------------------------------------- */

static void
check_run__writer_checks_what_it_can_open(void **state)
{
	const struct realm *r = *state;
	AUTO(access) struct access *a = realm_open_writer(r);
	struct check_options opt = {.depth = CHECK_STRUCTURE};
	FINDINGS_AUTO struct findings whole, gone, bytes;
	struct original o;
	char pack[192];

	assert_int_equal(access_datasets(a), 1);
	check_with(a, r->heads, &opt, &whole);
	assert_clean(&whole);
	assert_true(whole.result.chunks > 600);
	assert_int_equal(whole.result.snapshots, 0);

	files_find_pack(r, PACK_DATA, pack);
	o = original_take(r, pack);
	original_remove(&o);
	check_with(a, r->heads, &opt, &gone);
	assert_only(&gone, pack);
	assert_int_equal(gone.n, 1);

	original_flip(&o, o.len / 2);
	opt.depth = CHECK_READ_DATA;
	check_with(a, r->heads, &opt, &bytes);
	assert_only(&bytes, pack);
	assert_int_equal(bytes.n, 1);
	original_put(&o);
}

/* The name of a snapshot in a finding is one that restoring takes. */
static void
check_run__names_snapshots_as_people_do(void **state)
{
	const struct realm *r = *state;
	AUTO(log) struct log *log = NULL;
	const struct snapshot *s = NULL;
	const char *time = strchr(SECOND_LABEL, '@') + 1;
	char text[64];

	(void)snprintf(text, sizeof(text), "%.*s", (int)strlen(time) - 2, time);
	assert_ok(log_load(
	    r->admin, access_find(r->admin, "files"), NULL, &log, &err));
	assert_ok(when_select(log, text, (struct moment){0}, &s, &err));
	assert_ptr_equal(s, log_head(log));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_run__whole_store_has_no_damage),
	    cmocka_unit_test(check_run__counts_what_it_looked_at),
	    cmocka_unit_test(check_run__what_no_record_needs_is_unreferenced),
	    cmocka_unit_test(check_run__tells_of_a_replica_that_is_behind),
	    cmocka_unit_test(check_run__progress_ends_at_its_total),
	    cmocka_unit_test(check_run__stops_when_asked),
	    cmocka_unit_test(check_run__knows_no_such_dataset),
	    cmocka_unit_test(check_run__names_snapshots_as_people_do),
	    cmocka_unit_test(check_run__writer_checks_what_it_can_open),
	};

	return cmocka_run_group_tests(
	    tests, realm_group_setup, realm_group_teardown);
}
