/* What frames say, and what they may not. */
#include "snapshot/store/object_ref.h"
#include "tests/unit/frame_samples.h"

static struct err err;

/* --- HELLO -------------------------------------------------------------- */

static void
frame_hello__goes_and_comes_back(void **state)
{
	struct hello h = sample_hello(), out;
	WR_AUTO struct wr w = {0};

	(void)state;
	frame_hello(&h, &w);
	assert_int_equal(frame_parse_hello(w.buf, w.len, &out, &err), 0);
	assert_int_equal(out.lowest, 1);
	assert_int_equal(out.highest, 3);
	assert_int_equal(out.mode, HELLO_PULL);
	assert_true(out.follow);
	assert_memory_equal(out.fingerprint, h.fingerprint, FINGERPRINT_LEN);
	assert_string_equal(out.name, "dr-london");
}

/* A later version may add what it likes behind the versions. */
static void
frame_parse_hello__tells_another_version_from_damage(void **state)
{
	static const uint8_t newer[] = "VRVw\x02\x00\x05\x00 and what it likes";
	struct hello out;

	(void)state;
	assert_int_equal(
	    frame_parse_hello(newer, sizeof(newer), &out, &err), ERR_VERSION);
	assert_string_equal(err.text,
	    "this side speaks version 1 of the protocol, the other side 2 to 5:"
	    " bring the older one up to date");
}

static void
frame_parse_hello__refuses_what_can_not_be(void **state)
{
	struct hello h = sample_hello(), out;

	(void)state;
	for (int i = 0; i < 4; i++) {
		WR_AUTO struct wr w = {0};

		frame_hello(&h, &w);
		switch (i) {
		case 0: /* a mode */
			w.buf[8] = 4;
			break;
		case 1: /* a flag */
			w.buf[9] = 2;
			break;
		case 2: /* following what isn't pulled */
			w.buf[8] = HELLO_PUSH;
			break;
		default: /* a NUL in the name */
			w.buf[w.len - 1] = 0;
			break;
		}
		assert_int_equal(
		    frame_parse_hello(w.buf, w.len, &out, &err), ERR_CORRUPT);
	}
}

/* --- the head ----------------------------------------------------------- */

static void
frame_head__goes_and_comes_back(void **state)
{
	uint8_t head[FRAME_HEAD];
	enum frame_type type;
	size_t len;

	(void)state;
	frame_head(FRAME_DATA, FRAME_MAX, head);
	assert_int_equal(frame_parse_head(head, &type, &len, &err), 0);
	assert_int_equal(type, FRAME_DATA);
	assert_int_equal(len, FRAME_MAX);
}

static void
frame_parse_head__refuses_what_is_none(void **state)
{
	static const uint8_t bad[][FRAME_HEAD] = {
	    {0, 0, 0, 0, 0, 0, 0, 0},           /* no type */
	    {0, 0, 0, 0, FRAME_TYPES, 0, 0, 0}, /* an unknown one */
	    {0, 0, 0, 0, 1, 1, 0, 0},           /* reserved bytes */
	    {0, 0, 0, 0, 1, 0, 0, 1},
	    {1, 0, 4, 0, 11, 0, 0, 0}, /* a byte over the limit */
	    {'G', 'E', 'T', ' ', '/', ' ', 'H', 'T'},
	};
	enum frame_type type;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
		    frame_parse_head(bad[i], &type, &len, &err), ERR_CORRUPT);
}

/* --- objects ------------------------------------------------------------ */

static void
frame_parse_put__bounds_sizes(void **state)
{
	static const enum object_class classes[] = {
	    OBJECT_KEY, OBJECT_LOG, OBJECT_INDEX, OBJECT_PACK};
	struct frame_object out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		struct frame_object f = {.ref = {.cls = classes[i]}};
		uint64_t max = object_size_max(classes[i]);

		if (f.ref.cls != OBJECT_KEY)
			f.ref.dataset[0] = 1;
		if (f.ref.cls == OBJECT_LOG)
			f.ref.seq = 1;
		for (int k = 0; k < 3; k++) {
			WR_AUTO struct wr w = {0};

			f.size = k == 0 ? 0 : max + (uint64_t)k - 1;
			frame_put(&f, &w);
			assert_int_equal(
			    frame_parse_put(w.buf, w.len, &out, &err),
			    k == 1 ? 0 : ERR_CORRUPT);
		}
	}
}

/* A key object has no dataset, all others have; only a record has a number. */
static void
frame_parse_get__refuses_what_names_no_object(void **state)
{
	const struct object_ref bad[] = {
	    {.cls = OBJECT_ROOT},
	    {.cls = OBJECT_KEY, .dataset = "x"},
	    {.cls = OBJECT_PACK},
	    {.cls = OBJECT_PACK, .dataset = "x", .seq = 1},
	    {.cls = OBJECT_LOG, .dataset = "x"},
	};
	struct object_ref out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		WR_AUTO struct wr w = {0};

		frame_get(&bad[i], &w);
		assert_int_equal(
		    frame_parse_get(w.buf, w.len, &out, &err), ERR_CORRUPT);
	}
}

static void
frame_parse_gap__names_an_older_record(void **state)
{
	struct frame_gap f = {.ref = sample_ref(), .missing = 6}, out;
	uint64_t bad[] = {0, 7, 8, UINT64_MAX};
	struct wr w = {0};

	(void)state;
	frame_gap(&f, &w);
	assert_int_equal(frame_parse_gap(w.buf, w.len, &out, &err), 0);
	assert_int_equal(out.ref.seq, 7);
	assert_int_equal(out.missing, 6);
	assert_memory_equal(out.ref.name, f.ref.name, OBJECT_NAME_LEN);
	wr_clear(&w);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		f.missing = bad[i];
		frame_gap(&f, &w);
		assert_int_equal(
		    frame_parse_gap(w.buf, w.len, &out, &err), ERR_CORRUPT);
		wr_clear(&w);
	}
	f = (struct frame_gap){.ref = {.cls = OBJECT_KEY}, .missing = 1};
	frame_gap(&f, &w);
	assert_int_equal(
	    frame_parse_gap(w.buf, w.len, &out, &err), ERR_CORRUPT);
	wr_clear(&w);
}

static void
frame_parse_nak__keeps_code_and_text(void **state)
{
	struct frame_nak f = {.ref = sample_ref()}, out;
	WR_AUTO struct wr w = {0};

	(void)state;
	(void)err_set(&f.why, ERR_NOT_FOUND, "it needs '%s'", "x");
	frame_nak(&f, &w);
	assert_int_equal(frame_parse_nak(w.buf, w.len, &out, &err), 0);
	assert_int_equal(out.why.code, ERR_NOT_FOUND);
	assert_string_equal(out.why.text, "it needs 'x'");
	assert_int_equal(out.ref.seq, 7);
	/* A code of a later version is some failure, whatever else. */
	w.buf[1 + 16 + 8 + 32] = 99;
	assert_int_equal(frame_parse_nak(w.buf, w.len, &out, &err), 0);
	assert_int_equal(out.why.code, ERR_IO);
}

/* --- STATE, HAVE, WANT --------------------------------------------------- */

static void
frame_parse_state__bounds_what_it_allocates(void **state)
{
	WR_AUTO struct wr w = {0};
	struct frame_state s;

	(void)state;
	make_state(&w);
	/* More logs than there are bytes for. */
	w.buf[33] = 4;
	assert_int_equal(
	    frame_parse_state(w.buf, w.len, &s, &err), ERR_CORRUPT);
	assert_null(s.logs);
}

/* Nobody goes on listening for ever. */
static void
frame_parse_state__ends_with_an_empty_one(void **state)
{
	struct frame_state s = {.more = true}, out;
	struct frame_names names = {.more = true}, got;
	WR_AUTO struct wr w = {0};

	(void)state;
	frame_state(&s, &w);
	assert_int_equal(
	    frame_parse_state(w.buf, w.len, &out, &err), ERR_CORRUPT);
	s.more = false;
	wr_reset(&w);
	frame_state(&s, &w);
	assert_int_equal(frame_parse_state(w.buf, w.len, &out, &err), 0);
	free(out.logs);
	wr_reset(&w);
	frame_names(&names, &w);
	assert_int_equal(
	    frame_parse_names(w.buf, w.len, &got, &err), ERR_CORRUPT);
	names.more = false;
	wr_reset(&w);
	frame_names(&names, &w);
	assert_int_equal(frame_parse_names(w.buf, w.len, &got, &err), 0);
}

static void
frame_logs_add__has_a_bound(void **state)
{
	struct frame_log *part = calloc(FRAME_HEADS_MAX, sizeof(*part));
	struct frame_state s = {.n = FRAME_HEADS_MAX, .logs = part};
	struct frame_log *all = NULL;
	size_t n = 0;

	(void)state;
	assert_non_null(part);
	while (n < FRAME_HEADS_ALL)
		assert_int_equal(frame_logs_add(&all, &n, &s, &err), 0);
	s.n = 1;
	assert_int_equal(frame_logs_add(&all, &n, &s, &err), ERR_CORRUPT);
	assert_int_equal(n, FRAME_HEADS_ALL);
	free(all);
	free(part);
}

static void
frame_parse_state__knows_whole_and_not(void **state)
{
	WR_AUTO struct wr w = {0};
	struct frame_state s;

	(void)state;
	make_state(&w);
	assert_int_equal(frame_parse_state(w.buf, w.len, &s, &err), 0);
	assert_int_equal(s.n, 3);
	assert_false(s.logs[0].whole);
	assert_true(s.logs[1].whole);
	free(s.logs);
	w.buf[w.len - 1] = 2;
	assert_int_equal(
	    frame_parse_state(w.buf, w.len, &s, &err), ERR_CORRUPT);
	assert_null(s.logs);
}

static void
frame_want__has_one_form(void **state)
{
	WR_AUTO struct wr w = {0};
	struct frame_want f;

	(void)state;
	make_want(&w);
	assert_int_equal(frame_parse_want(w.buf, w.len, &f, &err), 0);
	assert_true(frame_wanted(&f, 0));
	assert_false(frame_wanted(&f, 1));
	assert_true(frame_wanted(&f, 9));
	w.buf[w.len - 1] |= 0x80;
	assert_int_equal(frame_parse_want(w.buf, w.len, &f, &err), ERR_CORRUPT);
}

static void
frame_parse_have__asks_for_no_records(void **state)
{
	WR_AUTO struct wr w = {0};
	struct frame_names f;

	(void)state;
	make_have(&w);
	assert_int_equal(frame_parse_have(w.buf, w.len, &f, &err), 0);
	assert_int_equal(f.n, 3);
	assert_memory_equal(f.names[2], three[2], OBJECT_NAME_LEN);
	w.buf[0] = 2;
	assert_int_equal(frame_parse_have(w.buf, w.len, &f, &err), ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frame_hello__goes_and_comes_back),
	    cmocka_unit_test(
		frame_parse_hello__tells_another_version_from_damage),
	    cmocka_unit_test(frame_parse_hello__refuses_what_can_not_be),
	    cmocka_unit_test(frame_head__goes_and_comes_back),
	    cmocka_unit_test(frame_parse_head__refuses_what_is_none),
	    cmocka_unit_test(frame_parse_put__bounds_sizes),
	    cmocka_unit_test(frame_parse_get__refuses_what_names_no_object),
	    cmocka_unit_test(frame_parse_nak__keeps_code_and_text),
	    cmocka_unit_test(frame_parse_gap__names_an_older_record),
	    cmocka_unit_test(frame_parse_state__bounds_what_it_allocates),
	    cmocka_unit_test(frame_parse_state__ends_with_an_empty_one),
	    cmocka_unit_test(frame_logs_add__has_a_bound),
	    cmocka_unit_test(frame_parse_state__knows_whole_and_not),
	    cmocka_unit_test(frame_want__has_one_form),
	    cmocka_unit_test(frame_parse_have__asks_for_no_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
