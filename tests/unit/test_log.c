/* A dataset's log, as it should be: snapshot/log/log*.c. */
#include "snapshot/log/log_internal.h"
#include "tests/unit/log_bench.h"

#include <time.h>

#define LONG_LOG 6480 /* 72 a day for 90 days */

/* --- as it should be --------------------------------------------------- */

static void
log_load__empty(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 0);
	bool changed = true;

	assert_int_equal(log_count(l), 0);
	assert_null(log_head(l));
	assert_ptr_equal(log_dataset(l), b.ds);
	assert_ok(log_refresh(l, &changed, &err));
	assert_false(changed);
	assert_ok(log_check(l, &err));
	bench_end(&b, l);
}

static void
log_append__is_loaded_again(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 3);
	AUTO(log) struct log *again = bench_load(&b);

	assert_int_equal(log_count(l), 3);
	assert_int_equal(log_count(again), 3);
	for (size_t i = 0; i < 3; i++) {
		const struct snapshot *a = log_snapshot(l, i);
		const struct snapshot *c = log_snapshot(again, i);

		assert_int_equal(a->seq, i + 1);
		assert_int_equal(c->seq, i + 1);
		assert_memory_equal(a->id, c->id, OBJECT_NAME_LEN);
		assert_memory_equal(a->prev, c->prev, OBJECT_NAME_LEN);
		assert_memory_equal(a->signer,
		    access_identity(b.w->alice)->pub.id, IDENTITY_ID_LEN);
		assert_int_equal(c->time.s, START + 100 * (int64_t)i);
		assert_int_equal(a->totals.files, 3);
		assert_int_equal(c->totals.bytes, 1000);
		assert_string_equal(c->host, "db1");
	}
	assert_ptr_equal(log_head(again), log_snapshot(again, 2));
	assert_ok(log_check(again, &err));
	bench_end(&b, l);
}

static void
log_append__nudges_a_time_that_is_taken(void **state)
{
	static const struct {
		uint32_t ns, want;
	} cases[] = {
	    {5000000, 5000000},
	    {5000000, 6000000},
	    {5000001, 7000001}, /* 6.000001 is within 1 ms of 6 and 7 */
	    {4000001, 8000001},
	    {4000000, 4000000},
	};
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 0);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		must_add(l, START, cases[i].ns);
		assert_int_equal(log_head(l)->time.ns, cases[i].want);
		assert_int_equal(log_head(l)->time.s, START);
	}
	must_add(l, START, 999999999);
	must_add(l, START, 999999999);
	assert_int_equal(log_head(l)->time.s, START + 1);
	assert_int_equal(log_head(l)->time.ns, 999999);
	bench_end(&b, l);
}

static void
log_append__takes_over_what_it_refuses(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	struct snapshot *s = snapshot_at(START + 500, 0);

	s->root[0] = ENTRY_FILE;
	assert_fails(ERR_CORRUPT, "customers", log_append(l, s, NULL, 0, &err));
	assert_int_equal(log_count(l), 1);
	must_add(l, START + 600, 0);
	assert_int_equal(log_count(l), 2);
	bench_end(&b, l);
}

static void
log_append__somebody_was_faster(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 1);
	AUTO(log) struct log *other = bench_load(&b);
	bool changed;

	must_add(other, START + 1000, 0);
	assert_fails(
	    ERR_LOCKED, "record 2", add_snapshot(l, START + 2000, 0, &err));
	assert_int_equal(log_count(l), 1);
	assert_ok(log_refresh(l, &changed, &err));
	assert_true(changed);
	must_add(l, START + 2000, 0);
	assert_int_equal(log_head(l)->seq, 3);
	bench_end(&b, l);
}

static void
log_refresh__reads_what_came_since(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 2);
	AUTO(log) struct log *reader = bench_load(&b);
	const struct snapshot *first = log_snapshot(reader, 0);
	bool changed = true;

	assert_ok(log_refresh(reader, &changed, &err));
	assert_false(changed);
	must_add(l, START + 1000, 0);
	must_add(l, START + 2000, 0);
	assert_ok(log_refresh(reader, &changed, &err));
	assert_true(changed);
	assert_int_equal(log_count(reader), 4);
	assert_ptr_equal(log_snapshot(reader, 0), first);
	assert_memory_equal(
	    log_head(reader)->id, log_head(l)->id, OBJECT_NAME_LEN);
	assert_ok(log_refresh(reader, &changed, &err));
	assert_false(changed);
	bench_end(&b, l);
}

/* As many as a database has: all there, in order, and fast. */
static void
log_load__a_long_log(void **state)
{
	struct bench b = bench_new(*state);
	const struct identity *alice = access_identity(b.w->alice);
	struct log *l = NULL;
	struct timespec t0, t1;
	int64_t us;

	must_add(l = bench_load(&b), START, 0); /* makes the directories */
	memcpy(b.prev, log_head(l)->id, OBJECT_NAME_LEN);
	b.seq = 1;
	log_free(l);
	while (b.seq < LONG_LOG)
		bench_plant(&b, alice, START + 1200 * (int64_t)b.seq);
	(void)clock_gettime(CLOCK_MONOTONIC, &t0);
	l = bench_load(&b);
	(void)clock_gettime(CLOCK_MONOTONIC, &t1);
	us = (t1.tv_sec - t0.tv_sec) * 1000000 +
	     (t1.tv_nsec - t0.tv_nsec) / 1000;
	print_message("%d records: %jd us\n", LONG_LOG, (intmax_t)us);
	assert_int_equal(log_count(l), LONG_LOG);
	for (size_t i = 0; i < LONG_LOG; i++) {
		assert_int_equal(log_snapshot(l, i)->seq, i + 1);
		assert_int_equal(
		    log_snapshot(l, i)->time.s, START + 1200 * (int64_t)i);
	}
	assert_memory_equal(log_head(l)->id, b.prev, OBJECT_NAME_LEN);
	bench_end(&b, l);
}

/* --- inode numbers ----------------------------------------------------- */

/* As of a writer that says anything. */
static void
append_numbers(struct log *l, int64_t s, uint64_t next_ino)
{
	struct snapshot *snap = snapshot_at(s, 0);

	snap->next_ino = next_ino;
	assert_ok(log_append(l, snap, fixture_indexes, 2, &err));
}

static void
log_next_ino__a_writer_takes_no_more_than_it_uses(void **state)
{
	struct bench b = {.w = *state};
	struct log *l = bench_log(&b, 0);
	AUTO(log) struct log *again = NULL;
	AUTO(log) struct log *tail = NULL;

	assert_int_equal(log_next_ino(l), 1);
	append_numbers(l, START, 6);
	assert_int_equal(log_next_ino(l), 6);
	assert_null(log_warning(l));
	/* Five entries and the root: it may have used six. */
	append_numbers(l, START + 1, ENTRY_INO_MAX + 1);
	assert_int_equal(log_next_ino(l), 12);
	assert_non_null(log_warning(l));
	append_numbers(l, START + 2, 18);
	assert_int_equal(log_next_ino(l), 18);
	/* Nor does it make others give numbers out again. */
	append_numbers(l, START + 3, 1);
	assert_int_equal(log_next_ino(l), 18);

	again = bench_load(&b);
	assert_int_equal(log_next_ino(again), 18);
	assert_non_null(strstr(log_warning(again)->text, "record 2 of"));
	for (int i = 4; i < 20; i++)
		append_numbers(l, START + i, 18);
	append_numbers(l, START + 20, 20);
	assert_ok(log_load_tail(b.w->alice, b.ds, b.heads, &tail, &err));
	assert_int_equal(tail->base, 13);
	assert_int_equal(log_next_ino(tail), 20);
	append_numbers(tail, START + 21, ENTRY_INO_MAX + 1);
	assert_int_equal(log_next_ino(tail), 26);
	bench_end(&b, l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    world_test(log_load__empty),
	    world_test(log_append__is_loaded_again),
	    world_test(log_append__nudges_a_time_that_is_taken),
	    world_test(log_append__takes_over_what_it_refuses),
	    world_test(log_append__somebody_was_faster),
	    world_test(log_refresh__reads_what_came_since),
	    world_test(log_load__a_long_log),
	    world_test(log_next_ino__a_writer_takes_no_more_than_it_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
