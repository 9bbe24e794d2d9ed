/* Notes: what a run that is stopped leaves for those after it. */
#include "tests/unit/ingest_fixture.h"

/* A run that was stopped: 20 chunks of data and 3 of lists, in two packs. */
static void
stopped_run(struct fixture *f, struct told *told)
{
	AUTO(ingest) struct ingest *in = run_new(f);
	AUTO(ingest_lane) struct ingest_lane *lane = lane_new(in);
	struct chunk_name name;

	ingest_on_pack(in, tell, told);
	for (uint64_t i = 0; i < 20; i++)
		(void)take_in(lane, i, LEN);
	for (uint8_t i = 0; i < 3; i++)
		assert_ok(ingest_chunk(lane, CHUNK_LIST, &i, 1, &name, &err));
	assert_ok(ingest_lane_flush(lane, &err));
	assert_ok(ingest_close(in, &err));
	assert_int_equal(told->n, 2);
}

static void
ingest_resume__takes_up_what_a_stopped_run_stored(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};

	stopped_run(f, &told);
	resume(in, &told.note[0]);
	resume(in, &told.note[1]);
	resume(in, &told.note[0]); /* once more does no harm */
	take_run(in, 0, 25);
	finish(in, &ix);
	assert_int_equal(ingest_totals(in).chunks, 5);
	assert_int_equal(ingest_totals(in).bytes, 5 * LEN);
	assert_int_equal(ix.n, 1);
	assert_all_found(f, &ix, 0, 25);
}

/* It is listed once more, and the first place serves as well as the second. */
static void
ingest_resume__may_repeat_what_is_known(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};

	(void)whole_run(f, &ix, &told, 0, 20);
	know(in, &ix);
	resume(in, &told.note[0]);
	take_run(in, 0, 20);
	finish(in, &ix);
	assert_int_equal(ingest_totals(in).chunks, 0);
	assert_int_equal(ix.n, 1);
	assert_all_found(f, &ix, 0, 20);
}

static void
ingest_resume__passes_over_a_pack_that_has_gone(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};

	stopped_run(f, &told);
	assert_ok(store_remove(f->store, &told.pack[0], &err));
	resume(in, &told.note[0]);
	resume(in, &told.note[1]);
	take_run(in, 0, 20);
	finish(in, &ix);
	assert_int_equal(ingest_totals(in).chunks, 20);
	assert_all_found(f, &ix, 0, 20);
}

/* Whatever a note says, the run goes on, and what it stores is listed. */
static void
check_note(struct fixture *f, const uint8_t *note, size_t len)
{
	AUTO(ingest) struct ingest *in = run_new(f);
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};

	ingest_on_pack(in, tell, &told);
	assert_ok(ingest_resume(in, note, len, &err));
	take_run(in, 1000, 1001);
	finish(in, &ix);
	assert_int_equal(ingest_totals(in).chunks, 1);
	READER_AUTO struct reader r = reader_new(f, &ix);
	assert_in_pack(&r, 1000, &told.pack[0]);
}

static void
ingest_resume__passes_over_a_note_that_is_cut_off(void **state)
{
	struct fixture *f = *state;
	TOLD_AUTO struct told told = {0};
	const struct wr *note = &told.note[1];

	stopped_run(f, &told);
	for (size_t len = 0; len < note->len; len++) {
		AUTO(ingest) struct ingest *in = run_new(f);
		uint8_t *cut = malloc(len + 1);

		memcpy(cut, note->buf, len);
		assert_ok(ingest_resume(in, cut, len, &err));
		assert_int_equal(index_builder_entries(in->built), 0);
		free(cut);
	}
	wr_u8(&told.note[1], 0);
	check_note(f, note->buf, note->len);
}

static void
ingest_resume__outlives_any_flipped_bit(void **state)
{
	struct fixture *f = *state;
	TOLD_AUTO struct told told = {0};
	const struct wr *note = &told.note[1];

	stopped_run(f, &told);
	for (size_t bit = 0; bit < note->len * 8; bit++) {
		AUTO(ingest) struct ingest *in = run_new(f);
		INDEXES_AUTO struct indexes ix = {0};

		note->buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		resume(in, note);
		finish(in, &ix);
		if (bit % 64 == 0)
			check_note(f, note->buf, note->len);
		note->buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* A note of the test's own: two segments as given, without chunks. */
static void
put_note(struct wr *w, const struct object_ref *pack, uint64_t size,
    uint64_t first, uint64_t second)
{
	wr_reset(w);
	wr_u8(w, 1);
	wr_bytes(w, pack->name, sizeof(pack->name));
	wr_varint(w, size);
	wr_u8(w, PACK_DATA);
	wr_varint(w, 2);
	wr_varint(w, first);
	wr_varint(w, 0);
	wr_varint(w, second);
	wr_varint(w, 0);
}

static void
ingest_resume__passes_over_segments_that_cannot_be(void **state)
{
	static const uint64_t huge[] = {0, 1, PACK_LIMIT, UINT32_MAX,
	    UINT64_C(1) << 32, UINT64_MAX - 127, UINT64_MAX};
	struct fixture *f = *state;
	TOLD_AUTO struct told told = {0};
	WR_AUTO struct wr note = {0};
	uint64_t size;

	stopped_run(f, &told);
	assert_ok(store_size(f->store, &told.pack[0], &size, &err));
	for (size_t i = 0; i < ARRAY_LEN(huge); i++) {
		put_note(&note, &told.pack[0], size, huge[i], 100);
		check_note(f, note.buf, note.len);
		put_note(&note, &told.pack[0], size, 100, huge[i]);
		check_note(f, note.buf, note.len);
	}
}

/* --- a store that fails ------------------------------------------------- */

static int
must_not_tell(UNUSED void *arg, UNUSED const struct object_ref *pack,
    UNUSED const uint8_t *note, UNUSED size_t len, UNUSED struct err *err)
{
	fail_msg("a pack that failed is noted");
	return 0;
}

static void
ingest_close__notes_no_pack_that_failed(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	AUTO(ingest_lane) struct ingest_lane *lane = lane_new(in);

	ingest_on_pack(in, must_not_tell, NULL);
	(void)take_in(lane, 1, LEN);
	assert_ok(ingest_lane_flush(lane, &err));
	(void)take_in(lane, 2, LEN);
	memstore_fail(f->store, ERR_FULL);
	assert_rc(ERR_FULL, ingest_lane_flush(lane, &err));
	/* The first segment is lost with the second: a counter was used. */
	memstore_fail(f->store, 0);
	(void)take_in(lane, 3, LEN);
	assert_rc(ERR_FULL, ingest_lane_flush(lane, &err));
	assert_rc(ERR_FULL, ingest_close(in, &err));
}

static int
cannot_note(UNUSED void *arg, UNUSED const struct object_ref *pack,
    UNUSED const uint8_t *note, UNUSED size_t len, struct err *err)
{
	return err_set(err, ERR_IO, "cannot note it");
}

static void
ingest_finish__fails_when_a_pack_cannot_be_noted(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	struct indexes ix;

	ingest_on_pack(in, cannot_note, NULL);
	take_run(in, 0, 1);
	assert_fails(ERR_IO, "cannot note it",
	    ingest_finish(in, &ix.names, &ix.n, &err));
	assert_null(ix.names);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(ingest_resume__takes_up_what_a_stopped_run_stored),
	    content_test(ingest_resume__may_repeat_what_is_known),
	    content_test(ingest_resume__passes_over_a_pack_that_has_gone),
	    content_test(ingest_resume__passes_over_a_note_that_is_cut_off),
	    content_test(ingest_resume__outlives_any_flipped_bit),
	    content_test(ingest_resume__passes_over_segments_that_cannot_be),
	    content_test(ingest_close__notes_no_pack_that_failed),
	    content_test(ingest_finish__fails_when_a_pack_cannot_be_noted),
	};

	return cmocka_run_group_tests_name("ingest_note", tests, NULL, NULL);
}
