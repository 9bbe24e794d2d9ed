/* Retention on logs: snapshot/expire/expire.c. */
#include "snapshot/expire/expire.h"
#include "tests/unit/access_fixture.h"
#include "tests/unit/log_fixture.h"

#define DAY 86400

static const struct moment now = {START + 10 * DAY, 0};

/* A dataset with a snapshot a day, from START on. */
static const struct dataset *
ten_days(struct world *w)
{
	const struct dataset *ds = world_dataset(w, "customers");
	AUTO(log) struct log *l = NULL;

	assert_ok(log_load(w->alice, ds, NULL, &l, &err));
	for (int64_t i = 0; i < 10; i++)
		assert_ok(log_append(l, snapshot_at(START + i * DAY, 0),
		    fixture_indexes, 2, &err));
	return ds;
}

static const struct rules last_3 = {{0, 3}};
static const struct rules within_5d = {{5 * DAY}};

static size_t
left(struct world *w, const struct dataset *ds)
{
	AUTO(log) struct log *l = NULL;

	assert_ok(log_load(w->alice, ds, NULL, &l, &err));
	assert_null(log_damage(l));
	return log_count(l);
}

static void
expire_look__changes_nothing(void **state)
{
	struct world *w = *state;
	const struct dataset *ds = ten_days(w);
	EXPIRE_PLAN_AUTO struct expire_plan p = {0};

	assert_ok(expire_look(w->alice, ds, NULL, &last_3, now, &p, &err));
	assert_true(p.ruled);
	assert_int_equal(p.n, 10);
	assert_int_equal(p.gone, 7);
	assert_int_equal(p.items[6].why, 0);
	assert_int_equal(p.items[7].why, KEEP_RULE(RULE_LAST));
	assert_int_equal(p.snapshots[9]->seq, 10);
	assert_int_equal(left(w, ds), 10);
}

/* A writer that lies about the time pushes no true snapshot out. */
static void
expire_look__by_times_that_the_log_bears_out(void **state)
{
	static const struct rules daily_11 = {{[RULE_DAILY] = 11}};
	struct world *w = *state;
	const struct dataset *ds = ten_days(w);
	EXPIRE_PLAN_AUTO struct expire_plan p = {0};
	AUTO(log) struct log *l = NULL;

	assert_ok(log_load(w->alice, ds, NULL, &l, &err));
	assert_ok(log_append(l, snapshot_at(START + 3 * DAY + 3600, 0),
	    fixture_indexes, 2, &err));
	assert_ok(log_append(
	    l, snapshot_at(START + 100 * DAY, 0), fixture_indexes, 2, &err));
	assert_ok(expire_look(w->alice, ds, NULL, &daily_11, now, &p, &err));
	assert_int_equal(p.n, 12);
	for (size_t i = 0; i < 12; i++)
		assert_true(p.items[i].why != 0);
	/* The one that was followed by one dated back, by its own date alone. */
	assert_true(p.items[9].why == (KEEP_RULE(RULE_DAILY) | KEEP_DOUBT));
}

/* A clock that was wrong for a day keeps nothing else from being kept. */
static void
expire_look__passes_over_times_to_come(void **state)
{
	static const struct rules daily_20 = {{[RULE_DAILY] = 20}};
	const struct moment later = {START + 20 * DAY, 0};
	struct world *w = *state;
	const struct dataset *ds = ten_days(w);
	EXPIRE_PLAN_AUTO struct expire_plan p = {0};
	AUTO(log) struct log *l = NULL;

	assert_ok(log_load(w->alice, ds, NULL, &l, &err));
	assert_ok(log_append(
	    l, snapshot_at(START + 700 * DAY, 0), fixture_indexes, 2, &err));
	for (int64_t i = 10; i < 19; i++)
		assert_ok(log_append(l, snapshot_at(START + i * DAY, 0),
		    fixture_indexes, 2, &err));
	assert_ok(expire_look(w->alice, ds, NULL, &daily_20, later, &p, &err));
	assert_int_equal(p.n, 20);
	/* It counts with the day after, of which a true one is the newest. */
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(p.items[i].why != 0, i != 10);
}

static void
expire_run__signs_one_record(void **state)
{
	struct world *w = *state;
	const struct dataset *ds = ten_days(w);
	EXPIRE_PLAN_AUTO struct expire_plan p = {0};
	EXPIRE_PLAN_AUTO struct expire_plan again = {0};

	assert_ok(expire_run(w->alice, ds, NULL, &within_5d, now, &p, &err));
	/* Those of the days 5 to 9. */
	assert_int_equal(p.gone, 5);
	assert_int_equal(p.n, 10);
	assert_int_equal(log_count(p.log), 5);
	assert_int_equal(log_records(p.log), 11);
	assert_int_equal(log_record_at(p.log, 11)->expire.n, 5);
	assert_string_equal(
	    log_record_at(p.log, 11)->expire.why, "--keep-within 5d");
	assert_int_equal(left(w, ds), 5);
	/* Nothing more to do: no record. */
	assert_ok(
	    expire_run(w->alice, ds, NULL, &within_5d, now, &again, &err));
	assert_int_equal(again.gone, 0);
	assert_int_equal(log_records(again.log), 11);
}

static void
expire_run__by_the_dataset_s_own_rules(void **state)
{
	struct world *w = *state;
	const struct dataset *ds = ten_days(w);
	EXPIRE_PLAN_AUTO struct expire_plan none = {0};
	EXPIRE_PLAN_AUTO struct expire_plan p = {0};
	static const struct rules nothing;

	assert_ok(expire_run(w->alice, ds, NULL, NULL, now, &none, &err));
	assert_false(none.ruled);
	assert_int_equal(none.gone, 0);
	assert_ok(expire_set_rules(w->alice, ds, NULL, &last_3, &err));
	/* Those given count in their place. */
	assert_ok(expire_run(w->alice, ds, NULL, &within_5d, now, &p, &err));
	assert_int_equal(p.gone, 5);
	expire_plan_clear(&p);
	assert_ok(expire_run(w->alice, ds, NULL, NULL, now, &p, &err));
	assert_int_equal(p.gone, 2);
	assert_int_equal(left(w, ds), 3);
	expire_plan_clear(&p);
	assert_ok(expire_set_rules(w->alice, ds, NULL, &nothing, &err));
	assert_ok(expire_run(w->alice, ds, NULL, NULL, now, &p, &err));
	assert_false(p.ruled);
	expire_plan_clear(&p);
	assert_fails(ERR_USAGE, "keep nothing",
	    expire_run(w->alice, ds, NULL, &nothing, now, &p, &err));
	assert_int_equal(left(w, ds), 3);
}

static void
expire_hold__beats_the_rules(void **state)
{
	struct world *w = *state;
	const struct dataset *ds = ten_days(w);
	EXPIRE_PLAN_AUTO struct expire_plan p = {0};
	uint8_t id[OBJECT_NAME_LEN], gone[OBJECT_NAME_LEN];

	assert_ok(expire_look(w->alice, ds, NULL, &last_3, now, &p, &err));
	memcpy(id, p.snapshots[2]->id, sizeof(id));
	memcpy(gone, p.snapshots[3]->id, sizeof(gone));
	expire_plan_clear(&p);
	assert_fails(ERR_USAGE, "not held",
	    expire_hold(w->alice, ds, NULL, id, false, "", &err));
	assert_ok(expire_hold(w->alice, ds, NULL, id, true, "why", &err));
	assert_ok(expire_run(w->alice, ds, NULL, &last_3, now, &p, &err));
	assert_int_equal(p.gone, 6);
	assert_int_equal(p.items[2].why, KEEP_HELD);
	assert_int_equal(left(w, ds), 4);
	expire_plan_clear(&p);
	assert_fails(ERR_NOT_FOUND, "has expired",
	    expire_hold(w->alice, ds, NULL, gone, true, "", &err));
	assert_ok(expire_hold(w->alice, ds, NULL, id, false, "", &err));
	assert_ok(expire_run(w->alice, ds, NULL, &last_3, now, &p, &err));
	assert_int_equal(p.gone, 1);
	assert_int_equal(left(w, ds), 3);
}

static void
expire_inherit__a_new_dataset_only(void **state)
{
	struct world *w = *state;
	const struct dataset *old = ten_days(w);
	const struct dataset *ds = world_dataset(w, "new");
	AUTO(log) struct log *l = NULL;
	struct rules rules;

	assert_ok(expire_inherit(w->alice, ds, NULL, &err));
	assert_int_equal(left(w, ds), 0);
	assert_fails(ERR_NOT_FOUND, "no default rules",
	    expire_default(w->alice, &rules, &err));
	assert_ok(expire_set_default(w->alice, &last_3, &err));
	assert_ok(expire_set_default(w->alice, &within_5d, &err));
	assert_ok(expire_default(w->alice, &rules, &err));
	assert_memory_equal(&rules, &within_5d, sizeof(rules));
	assert_ok(expire_inherit(w->alice, ds, NULL, &err));
	assert_ok(expire_inherit(w->alice, ds, NULL, &err));
	assert_ok(expire_inherit(w->alice, old, NULL, &err));
	assert_ok(log_load(w->alice, ds, NULL, &l, &err));
	assert_int_equal(log_records(l), 1);
	assert_memory_equal(log_rules(l), &within_5d, sizeof(rules));
	log_free(STEAL(l));
	assert_ok(log_load(w->alice, old, NULL, &l, &err));
	assert_null(log_rules(l));
	assert_int_equal(damage_count(w->alice), 0);
}

/* Only an admin's counts, and only of this store. */
static void
expire_default__forged(void **state)
{
	struct world *w = *state;
	AUTO(identity) struct identity *thief = world_host("thief");
	struct defaults d = {.from = START + 9, .rules = {0, 9}, .len = 7};
	struct rules rules;

	for (int i = 0; i < 2; i++) {
		WR_AUTO struct wr obj = {0};
		const struct identity *signer =
		    i == 0 ? thief : access_identity(w->alice);
		struct object_ref ref;
		bool changed;

		memcpy(d.store, access_root(w->alice)->store, STORE_ID_LEN);
		d.store[0] ^= (uint8_t)i;
		assert_ok(defaults_make(&d, signer, NULL, &obj, &err));
		ref = world_put(w, obj.buf, obj.len);
		assert_ok(access_refresh(w->alice, &changed, &err));
		assert_fails(ERR_NOT_FOUND, "no default",
		    expire_default(w->alice, &rules, &err));
		assert_int_equal(damage_code(w->alice, &ref), ERR_AUTH);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(expire_look__changes_nothing),
	    world_test(expire_look__by_times_that_the_log_bears_out),
	    world_test(expire_look__passes_over_times_to_come),
	    world_test(expire_run__signs_one_record),
	    world_test(expire_run__by_the_dataset_s_own_rules),
	    world_test(expire_hold__beats_the_rules),
	    world_test(expire_inherit__a_new_dataset_only),
	    world_test(expire_default__forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
