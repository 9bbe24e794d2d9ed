/* Lost records, against what this machine has seen of the log. */
#include "tests/unit/log_place.h"

static const uint8_t dr[IDENTITY_ID_LEN] = {0xd1};

static void
assert_no_load(const struct place *s, const char *part)
{
	struct log *none = NULL;

	assert_fails(ERR_CORRUPT, part,
	    log_load(s->w->alice, s->ds, s->heads, &none, &err));
	assert_null(none);
}

/* Nothing but what this machine has seen, or what follows it. */
static void
log_load__goes_on_from_what_was_seen(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *there = elsewhere(&s);
	AUTO(log) struct log *more = NULL;
	struct log *none = NULL;
	bool changed;

	add_many(l, 3);
	assert_ok(log_refresh(there, &changed, &err));
	add(there, START + 1000);
	damage_record(&s, log_record_at(there, 3));
	more = must_load(&s);
	assert_gap(more, 3, "record 3");
	/* It follows; and is what was seen from now on. */
	remove_record(&s, log_record_at(there, 4));
	assert_fails(ERR_CORRUPT, "cut back",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	heads_close(s.heads);
}

/* A thief with a writer's key puts something behind what is missing. */
static void
log_load__refuses_what_may_not_follow(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *thief = NULL;
	struct log *none = NULL;
	struct aside aside;

	add_many(l, 3);
	put_aside(&s, log_record_at(l, 3), &aside);
	thief = elsewhere(&s);
	add(thief, START + 1000);
	add(thief, START + 2000);
	remove_record(&s, log_record_at(thief, 3));
	/* Record 4 follows another record 3 than the one that was seen. */
	assert_fails(ERR_CORRUPT, "has no record 3",
	    log_load(s.w->alice, s.ds, s.heads, &none, &err));
	put_back(&aside);
	assert_damaged(&s, 3, ERR_CORRUPT, "does not follow");
	heads_close(s.heads);
}

/* A gap in which the primary changed makes nobody forget what was seen. */
static void
log_load__remembers_over_a_lost_change(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *gap = NULL;
	struct aside aside;

	add_many(l, 4);
	assert_ok(log_append_primary(l, "dr", dr, &err)); /* 5 */
	add(l, START + 1000);
	put_aside(&s, log_record_at(l, 5), &aside);
	gap = must_load_tail(&s);
	add(gap, START + 2000);
	add(gap, START + 3000);
	remove_record(&s, log_record_at(gap, 8));
	remove_record(&s, log_record_at(gap, 7));
	put_back(&aside);
	assert_no_load(&s, "cut back");
	heads_close(s.heads);
}

/* The first gap lies before what was seen, the second behind it. */
static void
log_load__remembers_nothing_behind_a_second_gap(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *there = NULL;
	AUTO(log) struct log *gaps = NULL;
	AUTO(log) struct log *rest = NULL;

	add_many(l, 3);
	there = elsewhere(&s);
	for (int i = 1; i <= 4; i++)
		add(there, START + 1000 * i);
	damage_record(&s, log_record_at(there, 2));
	damage_record(&s, log_record_at(there, 5));
	gaps = must_load(&s);
	assert_gap(gaps, 5, "record 2");
	for (uint64_t i = 4; i <= 7; i++)
		remove_record(&s, log_record_at(there, i));
	rest = must_load(&s);
	assert_gap(rest, 2, "record 2");
	heads_close(s.heads);
}

/* Whatever stands behind what was cut off. */
static void
log_load__takes_no_empty_file_for_the_rest(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	struct record fake = {.head = {.seq = 11}, .name = {1}};
	char path[SCRATCH_PATH + 256];

	add_many(l, 10);
	for (uint64_t i = 10; i > 4; i--)
		remove_record(&s, log_record_at(l, i));
	assert_no_load(&s, "cut back");
	record_path(&s, &fake, path);
	scratch_write(path, "", 0);
	assert_no_load(&s, "has no record 10");
	heads_close(s.heads);
}

/* What comes behind does not show that it follows: what is before can be read. */
static void
log_load__reads_what_is_before_the_damage(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *there = NULL;
	AUTO(log) struct log *rest = NULL;

	add_many(l, 5);
	there = elsewhere(&s);
	add(there, START + 1000);
	add(there, START + 2000);
	damage_record(&s, log_record_at(there, 5));
	damage_record(&s, log_record_at(there, 6));
	rest = must_load(&s);
	assert_int_equal(log_count(rest), 4);
	assert_non_null(log_damage(rest));
	assert_fails(ERR_CORRUPT, "varve check",
	    log_append(
		rest, snapshot_at(START + 9000, 0), fixture_indexes, 2, &err));
	heads_close(s.heads);
}

/* Two ways to go on from record 4, of which this machine has seen one. */
static void
log_load__remembers_nothing_that_may_not_follow(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *other = NULL;
	AUTO(log) struct log *mixed = NULL;
	struct aside one, two;

	add_many(l, 5);
	put_aside(&s, log_record_at(l, 5), &one);
	other = elsewhere(&s);
	add(other, START + 3000); /* another 5 */
	add(other, START + 4000);
	add(other, START + 5000);
	assert_no_load(&s, "was rewritten");
	remove_record(&s, log_record_at(other, 6));
	record_path(&s, log_record_at(other, 5), two.from);
	(void)snprintf(two.to, sizeof(two.to), "%s/two", s.w->dir);
	assert_int_equal(rename(two.from, two.to), 0);
	put_back(&one);
	mixed = must_load(&s);
	assert_gap(mixed, 6, "has no record 6");
	put_aside(&s, log_record_at(l, 5), &one);
	put_back(&two);
	assert_no_load(&s, "was rewritten");
	heads_close(s.heads);
}

/* The change of the primary counts, though its log lacks a number. */
static void
log_load__follows_another_primary_over_a_gap(void **state)
{
	struct place s = new_place(*state);
	AUTO(log) struct log *l = must_load(&s);
	AUTO(log) struct log *there = NULL;
	AUTO(log) struct log *back = NULL;

	add_many(l, 6);
	for (uint64_t i = 4; i <= 6; i++)
		remove_record(&s, log_record_at(l, i));
	there = elsewhere(&s);
	assert_ok(log_append_primary(there, "dr-london", dr, &err)); /* 4 */
	for (int64_t i = 5; i <= 8; i++)
		add(there, START + 1000 * i);
	remove_record(&s, log_record_at(there, 6));
	back = must_load(&s);
	assert_gap(back, 6, "has no record 6");
	assert_non_null(strstr(log_warning(back)->text, "'dr-london'"));
	heads_close(s.heads);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_load__goes_on_from_what_was_seen),
	    world_test(log_load__refuses_what_may_not_follow),
	    world_test(log_load__remembers_over_a_lost_change),
	    world_test(log_load__remembers_nothing_behind_a_second_gap),
	    world_test(log_load__takes_no_empty_file_for_the_rest),
	    world_test(log_load__reads_what_is_before_the_damage),
	    world_test(log_load__remembers_nothing_that_may_not_follow),
	    world_test(log_load__follows_another_primary_over_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
