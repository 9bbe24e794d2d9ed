/* A log whose end is damaged: what is before it can be read. */
#include "tests/unit/log_bench.h"

static struct wr
junk(const char *text)
{
	struct wr w = {0};

	wr_bytes(&w, text, strlen(text));
	return w;
}

static void
log_load__junk_at_the_end(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 3);
	AUTO(log) struct log *again = NULL;
	WR_AUTO struct wr w = junk("not a record");

	bench_plant_bytes(&b, 4, &w);
	again = bench_load(&b);
	assert_damaged(again, 3, ERR_CORRUPT, "record 4");
	assert_memory_equal(
	    log_head(again)->id, log_snapshot(l, 2)->id, OBJECT_NAME_LEN);
	assert_fails(ERR_CORRUPT, "record 4", log_check(again, &err));

	/* Nobody adds to it: what would the next record follow? */
	assert_fails(ERR_CORRUPT, "varve check",
	    add_snapshot(again, START + 1000, 0, &err));

	/* Once it is gone, all is well. */
	bench_remove(&b, 4, b.prev);
	must_add(l, START + 1000, 0);
	log_free(STEAL(again));
	again = bench_load(&b);
	assert_int_equal(log_count(again), 4);
	assert_null(log_damage(again));
	bench_end(&b, l);
}

#define JUNK "a second record 2, which is none of its own"

/* Beside a record, it takes nothing away: it is not signed. */
static void
log_load__junk_beside_a_record(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 3);
	WR_AUTO struct wr one = junk("a first of its number");
	WR_AUTO struct wr two = junk("a second of its number");

	bench_plant_bytes(&b, 2, &one);
	bench_loads(&b, 3, ERR_CORRUPT, JUNK);
	bench_plant_bytes(&b, 3, &two);
	bench_loads(&b, 3, ERR_CORRUPT, JUNK);
	assert_fails(ERR_CORRUPT, "second record",
	    add_snapshot(l, START + 1000, 0, &err));
	heads_close(STEAL(b.heads));
	bench_loads(&b, 3, ERR_CORRUPT, JUNK);
	bench_end(&b, l);
}

/* None of several is a record: then this one is lost, and no other. */
static void
log_load__junk_in_the_place_of_a_record(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 3);
	WR_AUTO struct wr one = junk("a first of its number");
	WR_AUTO struct wr two = junk("a second of its number");

	bench_remove(&b, 2, log_snapshot(l, 1)->id);
	bench_plant_bytes(&b, 2, &one);
	bench_plant_bytes(&b, 2, &two);
	bench_loads_without(&b, 2, "a second record 2");
	heads_close(STEAL(b.heads));
	bench_loads_without(&b, 2, "a second record 2");
	bench_end(&b, l);
}

static void
log_load__nothing_but_junk(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	WR_AUTO struct wr w = junk("not a record");

	heads_close(STEAL(b.heads));
	bench_remove(&b, 1, b.prev);
	bench_plant_bytes(&b, 1, &w);
	bench_no_load(&b, ERR_CORRUPT, "record 1");
	bench_end(&b, l);
}

/* The newest that was seen is there, but damaged: what it follows is not. */
static void
log_load__all_but_the_damaged_end(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 3);

	bench_damage(&b, 3, log_snapshot(l, 2)->id);
	bench_loads(&b, 2, ERR_CORRUPT, "record 3");
	/* It stays what this machine has seen. */
	bench_remove(&b, 3, log_snapshot(l, 2)->id);
	bench_no_load(&b, ERR_CORRUPT, "cut back");
	heads_close(STEAL(b.heads));
	log_free(bench_load(&b));
	bench_end(&b, l);
}

/* A prefix that is older than what was seen is no way out. */
static void
log_load__never_less_than_was_seen(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 4);
	AUTO(identity) struct identity *stranger = world_host("stranger");

	bench_damage(&b, 4, log_snapshot(l, 3)->id);
	bench_remove(&b, 3, log_snapshot(l, 2)->id);
	memcpy(b.prev, log_snapshot(l, 1)->id, OBJECT_NAME_LEN);
	b.seq = 2;
	bench_plant(&b, stranger, START + 5000);
	bench_no_load(&b, ERR_AUTH, "record 3");
	bench_end(&b, l);
}

static void
log_load__a_newer_version_at_the_end(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 2);
	WR_AUTO struct wr w = bench_record(
	    &b, bench_keys(&b), access_identity(b.w->alice), START + 1000);

	w.buf[4] = 2;
	bench_plant_bytes(&b, 3, &w);
	bench_loads(&b, 2, ERR_VERSION, "record 3");
	bench_end(&b, l);
}

/* What came before the damage counts, though it was not there before. */
static void
log_refresh__up_to_the_damage(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	AUTO(log) struct log *other = bench_load(&b);
	WR_AUTO struct wr w = junk("not a record");
	bool changed;

	must_add(other, START + 1000, 0);
	bench_plant_bytes(&b, 3, &w);
	assert_ok(log_refresh(l, &changed, &err));
	assert_true(changed);
	assert_damaged(l, 2, ERR_CORRUPT, "record 3");
	bench_remove(&b, 3, b.prev);
	assert_ok(log_refresh(l, &changed, &err));
	assert_false(changed);
	assert_null(log_damage(l));
	bench_end(&b, l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_load__junk_at_the_end),
	    world_test(log_load__junk_beside_a_record),
	    world_test(log_load__junk_in_the_place_of_a_record),
	    world_test(log_load__nothing_but_junk),
	    world_test(log_load__all_but_the_damaged_end),
	    world_test(log_load__never_less_than_was_seen),
	    world_test(log_load__a_newer_version_at_the_end),
	    world_test(log_refresh__up_to_the_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
