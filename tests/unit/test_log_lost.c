/* Records whose bytes are gone: what is before and behind them can be read. */
#include "tests/unit/log_place.h"

/* Both where the log was seen and where it was not. */
static void
assert_gaps(const struct place *s, size_t count, const char *part)
{
	AUTO(log) struct log *seen = must_load(s);
	AUTO(log) struct log *l = elsewhere(s);

	assert_gap(seen, count, part);
	assert_gap(l, count, part);
	assert_int_equal(log_number(l), log_number(seen));
	assert_int_equal(log_head(l)->seq, log_number(l));
	for (size_t i = 1; i < log_count(l); i++)
		assert_true(
		    log_snapshot(l, i)->seq > log_snapshot(l, i - 1)->seq);
}

static void
log_load__passes_over_one(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);

	add_many(l, 5);
	damage_record(&s, log_record_at(l, 3));
	assert_gaps(&s, 4, "record 3");
	remove_record(&s, log_record_at(l, 3));
	assert_gaps(&s, 4, "has no record 3, but a record 4");
	heads_close(s.heads);
}

static void
log_load__passes_over_several(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);

	add_many(l, 60);
	damage_record(&s, log_record_at(l, 1));
	remove_record(&s, log_record_at(l, 2));
	damage_record(&s, log_record_at(l, 30));
	remove_record(&s, log_record_at(l, 58));
	damage_record(&s, log_record_at(l, 59));
	assert_gaps(&s, 55, "record 1");
	heads_close(s.heads);
}

/* The chain that vouched for the records before the gap is broken. */
static void
log_load__asks_for_signatures_before_the_gap(void **state)
{
	struct place s = new_place(*state);
	AUTO(identity) struct identity *stranger = world_host("stranger");
	AUTO(log) struct log *l = must_load(&s);
	AUTO(record) struct record *forged = NULL;
	struct aside aside;

	add_many(l, 4);
	remove_record(&s, log_record_at(l, 2));
	remove_record(&s, log_record_at(l, 3));
	put_aside(&s, log_record_at(l, 4), &aside);
	forged = record_at(START + 9000, 0);
	plant(&s, forged, stranger);
	put_back(&aside);
	assert_damaged(&s, 1, ERR_AUTH, "record 2");
	heads_close(s.heads);
}

static void
log_append__goes_on_behind_a_gap(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *gap = NULL;
	AUTO(log) struct log *again = NULL;
	const struct rules rules = {{[RULE_LAST] = 1}};
	const struct snapshot *first;
	struct aside aside;

	add_many(l, 4);
	put_aside(&s, log_record_at(l, 3), &aside);
	gap = must_load(&s);
	add(gap, START + 1000);
	assert_int_equal(log_head(gap)->seq, 5);
	/* The number that the lost one may have given out is not given again. */
	assert_true(log_next_ino(gap) >= log_next_ino(l));
	first = log_snapshot(gap, 0);
	assert_fails(ERR_CORRUPT, "lacks a record",
	    log_append_expire(gap, &first, 1, "", &err));
	assert_fails(ERR_CORRUPT, "lacks a record",
	    log_append_hold(gap, first, true, "", &err));
	assert_fails(
	    ERR_CORRUPT, "lacks a record", log_append_rules(gap, &rules, &err));

	put_back(&aside);
	again = must_load(&s);
	assert_ok(log_whole(again, &err));
	assert_ok(log_check(again, &err));
	assert_int_equal(log_count(again), 5);
	first = log_snapshot(again, 0);
	assert_ok(log_append_expire(again, &first, 1, "", &err));
	heads_close(s.heads);
}

/* The newest snapshot is lost, but not the newest record. */
static void
log_next_ino__counts_what_lost_ones_may_have(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *gap = NULL;
	const struct rules rules = {{[RULE_LAST] = 1}};

	add_many(l, 2);
	assert_ok(log_append_rules(l, &rules, &err));
	damage_record(&s, log_record_at(l, 2));
	gap = must_load(&s);
	assert_gap(gap, 1, "record 2");
	assert_true(log_next_ino(gap) > log_next_ino(l));
	heads_close(s.heads);
}

/* What the lost records did makes none of the others wrong. */
static void
log_load__does_not_know_what_the_lost_ones_did(void **state)
{
	static const uint8_t dr[IDENTITY_ID_LEN] = {0xd1};
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *gap = NULL;
	const struct snapshot *held;

	add_many(l, 3);
	held = log_snapshot(l, 0);
	assert_ok(log_append_hold(l, held, true, "why", &err));  /* 4 */
	assert_ok(log_append_hold(l, held, false, "why", &err)); /* 5 */
	expire(l, 0, 2);                                         /* 6 */
	assert_ok(log_append_primary(l, "dr-london", dr, &err)); /* 7 */
	assert_ok(log_append_primary(l, "dr-paris", dr, &err));  /* 8 */
	add(l, START + 1000);                                    /* 9 */
	damage_record(&s, log_record_at(l, 2));
	damage_record(&s, log_record_at(l, 5));
	damage_record(&s, log_record_at(l, 7));
	gap = must_load(&s);
	assert_gap(gap, 2, "record 2");
	assert_int_equal(log_snapshot(gap, 0)->seq, 3);
	assert_int_equal(log_record_at(gap, 8)->primary.change, 2);
	heads_close(s.heads);
}

/* A writer says that it made record 10,000: nobody makes room for the rest. */
static void
log_load__does_not_reach_for_any_number(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(record) struct record *r = record_at(START + 9000, 0);
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = 10000};
	WR_AUTO struct wr w = {0};

	add_many(l, 2);
	r->head.seq = ref.seq;
	memcpy(ref.dataset, s.ds->id, DATASET_ID_LEN);
	memcpy(r->head.dataset, s.ds->id, DATASET_ID_LEN);
	memset(r->head.prev, 0x77, OBJECT_NAME_LEN);
	assert_ok(record_encode(r, &fixture_lists, keyring_latest(s.ds->keys),
	    access_identity(s.w->alice), &w, &err));
	assert_ok(
	    store_put(access_store(s.w->alice), &ref, w.buf, w.len, &err));
	assert_damaged(&s, 2, ERR_CORRUPT, "but a record 10000");
	heads_close(s.heads);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_load__passes_over_one),
	    world_test(log_load__passes_over_several),
	    world_test(log_load__asks_for_signatures_before_the_gap),
	    world_test(log_append__goes_on_behind_a_gap),
	    world_test(log_next_ino__counts_what_lost_ones_may_have),
	    world_test(log_load__does_not_know_what_the_lost_ones_did),
	    world_test(log_load__does_not_reach_for_any_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
