/* Indexes: how a run joins its own and those before it. */
#include "tests/unit/ingest_fixture.h"

/* --- merging ------------------------------------------------------------ */

/* An index must not come behind one that was written after it. */
static void
ingest_finish__lets_the_later_index_count(void **state)
{
	struct fixture *f = *state;
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};
	AUTO(ingest) struct ingest *in = NULL;

	(void)whole_run(f, &ix, &told, 0, 66);
	assert_ok(store_remove(f->store, &told.pack[0], &err));
	/* 0 to 79 in one that is joined page by page: 146 are too many for the
	 * builder. */
	in = run_new(f);
	in->index_max = 100;
	ingest_on_pack(in, tell, &told);
	know(in, &ix);
	take_run(in, 0, 80);
	finish(in, &ix);
	assert_int_equal(ix.n, 1);
	/* 34 more are less than half of what is there. */
	ingest_free(STEAL(in));
	in = run_new(f);
	in->index_max = 100;
	know(in, &ix);
	take_run(in, 200, 234);
	finish(in, &ix);

	READER_AUTO struct reader r = reader_new(f, &ix);
	assert_in_pack(&r, 5, &told.pack[1]);
	assert_int_equal(ix.n, 2);
}

/* A run of 66 chunks, whose index is damaged in its page of them. */
static void
damaged_run(struct fixture *f, struct indexes *ix)
{
	struct object_ref ref;
	uint8_t *buf;
	size_t len;

	(void)whole_run(f, ix, NULL, 0, 66);
	ref = index_object(f, ix, 0);
	buf = memstore_bytes(f->store, &ref, &len);
	buf[200] ^= 1;
}

/* What can't be joined for damage stays as it is, and the run is whole. */
static void
leaves_a_damaged_index(struct fixture *f, size_t index_max)
{
	INDEXES_AUTO struct indexes ix = {0};
	AUTO(ingest) struct ingest *in = NULL;

	damaged_run(f, &ix);
	in = run_new(f);
	in->index_max = index_max;
	know(in, &ix);
	take_run(in, 100, 180);
	finish(in, &ix);
	assert_int_equal(ix.n, 2);
	assert_all_found(f, &ix, 100, 180);
}

static void
ingest_finish__leaves_a_damaged_index_alone(void **state)
{
	leaves_a_damaged_index(*state, 100);
}

/* One so small that its entries would go into the builder. */
static void
ingest_finish__leaves_a_small_damaged_index_alone(void **state)
{
	leaves_a_damaged_index(*state, INDEX_FULL);
}

/* A run after it adds none for ever: those that are whole become one. */
static void
ingest_finish__joins_on_this_side_of_a_damaged_index(void **state)
{
	struct fixture *f = *state;
	INDEXES_AUTO struct indexes ix = {0};

	damaged_run(f, &ix);
	for (unsigned run = 0; run < 20; run++) {
		AUTO(ingest) struct ingest *in = run_new(f);

		in->index_max = 50; /* too many for the builder */
		know(in, &ix);
		take_run(in, 100 + 60 * run, 160 + 60 * run);
		finish(in, &ix);
		assert_true(ix.n <= 3);
	}
	assert_all_found(f, &ix, 100, 100 + 60 * 20);
}

/* --- asking ------------------------------------------------------------- */

static void
assert_has(struct ingest *in, const struct chunk_name *name, int has)
{
	AUTO(ingest_lane) struct ingest_lane *lane = lane_new(in);

	assert_rc(has, ingest_lane_has(lane, name, &err));
}

/* Until a page of the index that lists it is damaged. */
static void
ingest_lane_has__knows_what_can_be_found(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest)
	struct ingest *first = run_new(f), *next = run_new(f),
		      *after = run_new(f);
	AUTO(ingest_lane) struct ingest_lane *lane = lane_new(first);
	const struct chunk_name none = {{1}};
	INDEXES_AUTO struct indexes ix = {0};
	struct chunk_name name;
	struct object_ref ref;
	size_t len;

	name = take_in(lane, 1, LEN);
	assert_has(first, &name, 1);
	assert_has(first, &none, 0);
	assert_has(next, &name, 0);
	assert_ok(ingest_lane_flush(lane, &err));
	finish(first, &ix);
	know(next, &ix);
	assert_has(next, &name, 1);
	assert_has(next, &none, 0);
	assert_int_equal(next->packs_used.n, 1);

	ref = index_object(f, &ix, 0);
	memstore_bytes(f->store, &ref, &len)[200] ^= 1;
	know(after, &ix);
	assert_has(after, &name, 0);
}

/* --- filters ------------------------------------------------------------ */

/* An index that is asked in vain again and again is not read any more. */
static void
ingest_chunk__stops_asking_in_vain(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	INDEXES_AUTO struct indexes ix = {0};

	(void)whole_run(f, &ix, NULL, 0, 300);
	know(in, &ix);
	take_run(in, 1000, 1060);
	assert_null(in->known[0].filter);
	take_run(in, 2000, 2010);
	assert_non_null(in->known[0].filter);
	assert_int_equal(in->known[0].misses, 64);
	take_run(in, 0, 300);
	take_run(in, 3000, 3100);
	assert_int_equal(ingest_totals(in).chunks, 170);
	assert_in_range(in->known[0].misses, 64, 74);
	finish(in, &ix);
	assert_all_found(f, &ix, 0, 300);
	assert_all_found(f, &ix, 3000, 3100);
}

static size_t
log2_of(uint64_t n)
{
	size_t log = 0;

	while (n >>= 1)
		log++;
	return log;
}

static void
ingest_finish__keeps_the_number_of_indexes_low(void **state)
{
	struct fixture *f = *state;
	INDEXES_AUTO struct indexes ix = {0};
	uint64_t total = 0;
	size_t most = 0;

	for (unsigned run = 0; run < 200; run++) {
		uint64_t more = mix(run) % 20;

		assert_int_equal(
		    whole_run(f, &ix, NULL, total, total + more).chunks, more);
		total += more;
		if (ix.n > most)
			most = ix.n;
		assert_true(ix.n <= log2_of(total + 1) + 1);
		if (run % 40 == 0)
			assert_all_found(f, &ix, 0, total);
	}
	assert_true(most > 1); /* not all into one each time, either */
	assert_all_found(f, &ix, 0, total);
}

/* --- full indexes ------------------------------------------------------- */

/* What two runs stored, which fills an index each, in the midst of a run. */
static void
take_up_two(struct fixture *f, struct ingest *in)
{
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};

	(void)whole_run(f, &ix, &told, 0, 50);
	(void)whole_run(f, &ix, &told, 50, 100);
	in->index_max = 50;
	resume(in, &told.note[0]);
	assert_int_equal(in->nknown, 1);
	resume(in, &told.note[1]);
	assert_int_equal(in->nknown, 2);
}

static void
ingest_finish__joins_what_a_long_run_wrote(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};

	ingest_on_pack(in, tell, &told);
	take_up_two(f, in);
	take_run(in, 0, 110);
	finish(in, &ix);
	assert_int_equal(ingest_totals(in).chunks, 10);
	assert_int_equal(chunks_in_pack(f, &told.pack[0]), 10);
	/* However few the last one has. */
	assert_int_equal(ix.n, 1);
	assert_all_found(f, &ix, 0, 110);
}

/* More than one index may hold, once joined: then so many as it takes. */
static void
ingest_finish__joins_all_that_a_long_run_wrote(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};

	for (unsigned i = 0; i < 10; i++)
		(void)whole_run(f, &ix, &told, 50 * i, 50 * i + 50);
	indexes_clear(&ix);
	in->index_max = 50;
	in->joined_max = 150;
	for (unsigned i = 0; i < 10; i++)
		resume(in, &told.note[i]);
	assert_int_equal(in->nknown, 10);
	take_run(in, 0, 510);
	finish(in, &ix);
	assert_int_equal(ingest_totals(in).chunks, 10);
	/* 10 and twice 50; three times 50, twice; and what is left. */
	assert_int_equal(ix.n, 4);
	assert_all_found(f, &ix, 0, 510);
}

/* What a run wrote on its way, and joined, is not left behind. */
static void
ingest_finish__removes_what_it_joined(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	INDEXES_AUTO struct indexes ix = {0};
	struct object_ref refs[2];
	uint64_t size;

	take_up_two(f, in);
	for (size_t i = 0; i < 2; i++)
		refs[i] = *index_ref(in->known[i].ix);
	take_run(in, 0, 140);
	finish(in, &ix);
	assert_int_equal(ix.n, 1);
	for (size_t i = 0; i < 2; i++)
		assert_rc(
		    ERR_NOT_FOUND, store_size(f->store, &refs[i], &size, &err));
	assert_all_found(f, &ix, 0, 140);
}

/* Chunks on their way stay claimed while an index is written. */
static void
ingest_chunk__is_not_forgotten_by_a_full_index(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	AUTO(ingest_lane) struct ingest_lane *a = lane_new(in);
	AUTO(ingest_lane) struct ingest_lane *b = lane_new(in);
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};

	(void)whole_run(f, &ix, &told, 0, 50);
	indexes_clear(&ix);
	in->index_max = 50;
	(void)take_in(a, 500, LEN);
	resume(in, &told.note[0]);
	assert_int_equal(in->nknown, 1);
	(void)take_in(b, 500, LEN);
	(void)take_in(b, 7, LEN);
	assert_ok(ingest_lane_flush(b, &err));
	assert_ok(ingest_lane_flush(a, &err));
	finish(in, &ix);
	assert_int_equal(ingest_totals(in).chunks, 1);
	assert_all_found(f, &ix, 500, 501);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(ingest_finish__lets_the_later_index_count),
	    content_test(ingest_finish__leaves_a_damaged_index_alone),
	    content_test(ingest_finish__leaves_a_small_damaged_index_alone),
	    content_test(ingest_finish__joins_on_this_side_of_a_damaged_index),
	    content_test(ingest_lane_has__knows_what_can_be_found),
	    content_test(ingest_chunk__stops_asking_in_vain),
	    content_test(ingest_finish__keeps_the_number_of_indexes_low),
	    content_test(ingest_finish__joins_what_a_long_run_wrote),
	    content_test(ingest_finish__joins_all_that_a_long_run_wrote),
	    content_test(ingest_finish__removes_what_it_joined),
	    content_test(ingest_chunk__is_not_forgotten_by_a_full_index),
	};

	return cmocka_run_group_tests_name("ingest_index", tests, NULL, NULL);
}
