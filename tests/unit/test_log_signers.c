/* Who may write a dataset's log, and when. */
#include "tests/unit/log_bench.h"

/* A host with a role on a dataset. */
static struct identity *
host_as(struct world *w, const char *name, enum role role,
    const struct dataset *ds, int64_t until)
{
	struct identity *host = world_host(name);
	struct access *a;
	bool changed;

	assert_ok(access_grant(w->alice, &host->pub, role, ds, until, &err));
	assert_ok(access_refresh(w->alice, &changed, &err));
	a = world_entered(w, host);
	assert_non_null(access_find(a, ds->name));
	access_close(a);
	return host;
}

static void
log_append__by_a_writer(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "db1", ROLE_WRITER, b.ds, INT64_MAX);
	AUTO(access) struct access *a = world_entered(b.w, host);
	AUTO(log) struct log *theirs = NULL;
	bool changed;

	assert_ok(
	    log_load(a, access_find(a, "customers"), b.heads, &theirs, &err));
	assert_int_equal(log_count(theirs), 1);
	must_add(theirs, START + 1000, 0);
	assert_ok(log_refresh(l, &changed, &err));
	assert_int_equal(log_count(l), 2);
	assert_memory_equal(log_head(l)->signer, host->pub.id, IDENTITY_ID_LEN);
	assert_ok(log_check(l, &err));
	bench_end(&b, l);
}

static void
log_append__not_by_a_reader(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "desk", ROLE_READER, b.ds, INT64_MAX);
	AUTO(access) struct access *a = world_entered(b.w, host);
	AUTO(log) struct log *theirs = NULL;

	assert_ok(
	    log_load(a, access_find(a, "customers"), b.heads, &theirs, &err));
	assert_fails(ERR_DENIED, "may not write",
	    add_snapshot(theirs, START + 1000, 0, &err));
	assert_int_equal(log_count(theirs), 1);
	bench_end(&b, l);
}

static void
log_load__signed_by_a_reader(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "desk", ROLE_READER, b.ds, INT64_MAX);
	bool changed;

	bench_plant(&b, host, START + 1000);
	bench_loads(&b, 1, ERR_AUTH, "record 2");

	/* Nor does it show in a log that is open. */
	assert_null(log_damage(l));
	for (int i = 0; i < 2; i++) {
		assert_ok(log_refresh(l, &changed, &err));
		assert_false(changed);
		assert_damaged(l, 1, ERR_AUTH, "record 2");
	}
	assert_fails(ERR_AUTH, "record 2", log_check(l, &err));
	bench_end(&b, l);
}

static void
log_load__signed_by_another_dataset_s_writer(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	const struct dataset *other = world_dataset(b.w, "other");
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "db2", ROLE_WRITER, other, INT64_MAX);

	bench_plant(&b, host, START + 1000);
	bench_loads(&b, 1, ERR_AUTH, "record 2");
	bench_end(&b, l);
}

static void
log_load__signed_after_the_grant_ended(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "db1", ROLE_WRITER, b.ds, START + 500);

	/* Records end 60 s after their snapshot's time. */
	bench_plant(&b, host, START + 439);
	log_free(bench_load(&b));
	bench_plant(&b, host, START + 440);
	bench_loads(&b, 2, ERR_AUTH, "record 3");
	bench_end(&b, l);
}

static void
log_load__signed_in_another_s_name(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	AUTO(identity) struct identity *host = world_host("thief");

	memcpy(
	    host->pub.id, access_identity(b.w->alice)->pub.id, IDENTITY_ID_LEN);
	bench_plant(&b, host, START + 1000);
	bench_loads(&b, 1, ERR_AUTH, "record 2");
	bench_end(&b, l);
}

/*
 * A forged record under a good one is found by log_check() alone: only whoever
 * signed the newest could have put it there.
 */
static void
log_check__finds_a_forged_record_in_the_middle(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	AUTO(identity) struct identity *host = world_host("thief");
	AUTO(log) struct log *again = NULL;

	bench_plant(&b, host, START + 1000);
	bench_plant(&b, access_identity(b.w->alice), START + 2000);
	again = bench_load(&b);
	assert_int_equal(log_count(again), 3);
	assert_fails(ERR_AUTH, "record 2", log_check(again, &err));
	bench_end(&b, l);
}

/* Records end 60 s after their snapshot's time. */
static void
log_append__not_after_the_grant_has_ended(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	AUTO(identity)
	struct identity *host =
	    host_as(b.w, "db1", ROLE_WRITER, b.ds, START + 500);
	AUTO(access) struct access *a = world_entered(b.w, host);
	AUTO(log) struct log *theirs = NULL;

	assert_ok(
	    log_load(a, access_find(a, "customers"), b.heads, &theirs, &err));
	must_add(theirs, START + 439, 0);
	assert_fails(ERR_DENIED, "ended during the backup",
	    add_snapshot(theirs, START + 440, 0, &err));
	assert_int_equal(log_count(theirs), 2);
	log_free(STEAL(theirs));
	theirs = bench_load(&b);
	assert_int_equal(log_count(theirs), 2);
	assert_null(log_damage(theirs));
	bench_end(&b, l);
}

/* --- a later epoch ----------------------------------------------------- */

/* A writer who was given only the latest epoch. */
static void
log_load__records_of_an_epoch_not_given(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 2);
	AUTO(keyring) struct keyring *late = NULL;
	struct dataset ds = *b.ds;
	struct keyset *next = NULL;
	AUTO(log) struct log *theirs = NULL;

	assert_ok(keyset_next(bench_keys(&b), &next, &err));
	assert_ok(keyring_new(&late, &err));
	assert_ok(keyring_add(late, next, &err));
	ds.keys = late;
	assert_fails(ERR_DENIED, "epoch 1",
	    log_load(b.w->alice, &ds, b.heads, &theirs, &err));

	WR_AUTO struct wr w =
	    bench_record(&b, next, access_identity(b.w->alice), START + 1000);
	bench_plant_bytes(&b, 3, &w);
	assert_ok(log_load(b.w->alice, &ds, b.heads, &theirs, &err));
	assert_int_equal(log_count(theirs), 1);
	assert_int_equal(log_head(theirs)->seq, 3);
	must_add(theirs, START + 2000, 0);
	assert_int_equal(log_head(theirs)->seq, 4);
	assert_int_equal(log_count(theirs), 2);
	/* Who signed what is closed shows all the same. */
	assert_int_equal(log_records(theirs), 4);
	assert_false(log_record(theirs, 1)->open);
	assert_ok(log_check(theirs, &err));
	bench_end(&b, l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_append__by_a_writer),
	    world_test(log_append__not_by_a_reader),
	    world_test(log_load__signed_by_a_reader),
	    world_test(log_load__signed_by_another_dataset_s_writer),
	    world_test(log_load__signed_after_the_grant_ended),
	    world_test(log_load__signed_in_another_s_name),
	    world_test(log_check__finds_a_forged_record_in_the_middle),
	    world_test(log_load__records_of_an_epoch_not_given),
	    world_test(log_append__not_after_the_grant_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
