/* The tail of a log, for whoever needs its newest records alone. */
#include "tests/unit/log_place.h"

static void
log_load_tail__what_is_new_and_a_snapshot(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *tail = NULL;
	AUTO(log) struct log *again = NULL;
	const uint8_t(*indexes)[OBJECT_NAME_LEN];
	size_t n;

	add_many(l, 40);
	tail = must_load_tail(&s);
	assert_int_equal(tail->base, 32);
	assert_int_equal(log_records(tail), 8);
	assert_int_equal(log_head(tail)->seq, 40);
	assert_int_equal(log_record_at(tail, 33)->head.seq, 33);
	assert_null(log_record_at(tail, 32));
	assert_null(log_record_at(tail, 41));
	indexes = log_indexes(tail, &n);
	assert_int_equal(n, 2);
	assert_memory_equal(indexes, fixture_indexes, sizeof(fixture_indexes));
	add(tail, START + 100000);
	assert_int_equal(log_head(tail)->seq, 41);
	/* The clock has gone back, to a time that is taken far before. */
	add(tail, START + 100);
	assert_int_equal(log_head(tail)->time.ns, 1000000);
	add(tail, START + 100);
	assert_int_equal(log_head(tail)->time.ns, 2000000);
	/* Later than all by a bit more than a millisecond, and by less. */
	assert_ok(log_append(tail, snapshot_at(START + 100000, 1000001),
	    fixture_indexes, 2, &err));
	assert_int_equal(log_head(tail)->time.ns, 1000001);
	assert_ok(log_append(tail, snapshot_at(START + 100000, 2000000),
	    fixture_indexes, 2, &err));
	assert_int_equal(log_head(tail)->time.ns, 3000000);
	again = must_load(&s);
	assert_null(log_damage(again));
	assert_int_equal(log_count(again), 45);
	assert_ok(log_check(again, &err));
	assert_ok(log_check(tail, &err));
	heads_close(s.heads);
}

/* The newest snapshot that is left may lie far back. */
static void
log_load_tail__looks_for_a_snapshot(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *tail = NULL;
	AUTO(log) struct log *none = NULL;

	add_many(l, 30);
	expire(l, 11, 19);
	tail = must_load_tail(&s);
	assert_int_equal(tail->base, 0);
	assert_int_equal(log_head(tail)->seq, 11);
	expire(l, 0, 11);
	none = must_load_tail(&s);
	assert_int_equal(none->base, 0);
	assert_int_equal(log_count(none), 0);
	assert_int_equal(log_newest(none)->seq, 30);
	heads_close(s.heads);
}

static void
log_load_tail__all_of_it_where_nothing_was_seen(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *tail = NULL;

	add_many(l, 20);
	assert_ok(log_load_tail(s.w->alice, s.ds, NULL, &tail, &err));
	assert_int_equal(tail->base, 0);
	assert_int_equal(log_count(tail), 20);
	heads_close(s.heads);
}

static void
log_load_tail__finds_what_is_missing(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	struct log *tail;

	add_many(l, 30);
	remove_record(&s, log_record_at(l, 3));
	tail = must_load_tail(&s);
	assert_int_equal(tail->base, 0);
	assert_int_equal(log_count(tail), 29);
	assert_non_null(strstr(log_gap(tail)->text, "has no record 3"));
	log_free(STEAL(tail));
	remove_record(&s, log_record_at(l, 30));
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load_tail(s.w->alice, s.ds, s.heads, &tail, &err));
	assert_null(tail);
	heads_close(s.heads);
}

/* A tail's expirations of what lies before it are as good as any. */
static void
log_load_tail__expires_what_lies_before(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *tail = NULL;
	bool changed;

	add_many(l, 30);
	tail = must_load_tail(&s);
	expire(l, 0, 24);
	assert_ok(log_refresh(tail, &changed, &err));
	assert_true(changed);
	assert_null(log_damage(tail));
	assert_int_equal(log_count(tail), 6);
	add(tail, START + 100000);
	assert_ok(log_refresh(l, &changed, &err));
	assert_int_equal(log_count(l), 7);
	heads_close(s.heads);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_load_tail__what_is_new_and_a_snapshot),
	    world_test(log_load_tail__looks_for_a_snapshot),
	    world_test(log_load_tail__all_of_it_where_nothing_was_seen),
	    world_test(log_load_tail__finds_what_is_missing),
	    world_test(log_load_tail__expires_what_lies_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
