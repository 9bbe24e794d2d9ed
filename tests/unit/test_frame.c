#include "snapshot/replicate/frame.h"
#include "snapshot/store/object_ref.h"

#include <stdlib.h>
#include <string.h>

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct err err;

/* A frame of each type that has a body, and its decoder. */
struct sample {
	const char *name;
	void (*make)(struct wr *w);
	int (*parse)(const uint8_t *buf, size_t len, struct err *err);
};

static void
fill(void *p, size_t len, uint8_t from)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)p)[i] = (uint8_t)(from + i);
}

/* --- samples ------------------------------------------------------------ */

static struct hello
sample_hello(void)
{
	struct hello h = {
	    .lowest = 1, .highest = 3, .mode = HELLO_PULL, .follow = true};

	fill(h.fingerprint, sizeof(h.fingerprint), 1);
	(void)strcpy(h.name, "dr-london");
	return h;
}

static void
make_hello(struct wr *w)
{
	struct hello h = sample_hello();

	frame_hello(&h, w);
}

static int
parse_hello(const uint8_t *buf, size_t len, struct err *e)
{
	struct hello h;

	return frame_parse_hello(buf, len, &h, e);
}

static void
make_who(struct wr *w)
{
	frame_who(true, w);
}

static int
parse_who(const uint8_t *buf, size_t len, struct err *e)
{
	bool root;

	return frame_parse_who(buf, len, &root, e);
}

static void
make_state(struct wr *w)
{
	struct frame_log logs[3];
	struct frame_state s = {.more = true, .logs = logs, .n = 3};

	fill(logs, sizeof(logs), 9);
	for (size_t i = 0; i < ARRAY_LEN(logs); i++)
		logs[i].whole = i > 0;
	fill(s.keys, sizeof(s.keys), 5);
	frame_state(&s, w);
}

static int
parse_state(const uint8_t *buf, size_t len, struct err *e)
{
	struct frame_state s;
	int rc = frame_parse_state(buf, len, &s, e);

	free(s.logs);
	return rc;
}

static const uint8_t three[3][OBJECT_NAME_LEN] = {"one", "two", "three"};

static void
make_have(struct wr *w)
{
	struct frame_names f = {
	    .cls = OBJECT_PACK, .dataset = "x", .names = three, .n = 3};

	frame_have(&f, w);
}

static int
parse_have(const uint8_t *buf, size_t len, struct err *e)
{
	struct frame_names f;

	return frame_parse_have(buf, len, &f, e);
}

static void
make_names(struct wr *w)
{
	struct frame_names f = {.more = true, .names = three, .n = 3};

	frame_names(&f, w);
}

static int
parse_names(const uint8_t *buf, size_t len, struct err *e)
{
	struct frame_names f;

	return frame_parse_names(buf, len, &f, e);
}

static void
make_want(struct wr *w)
{
	static const uint8_t bits[2] = {0xa5, 0x03};
	struct frame_want f = {.n = 10, .bits = bits};

	frame_want(&f, w);
}

static int
parse_want(const uint8_t *buf, size_t len, struct err *e)
{
	struct frame_want f;

	return frame_parse_want(buf, len, &f, e);
}

static struct object_ref
sample_ref(void)
{
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = 7};

	fill(ref.dataset, sizeof(ref.dataset), 3);
	fill(ref.name, sizeof(ref.name), 77);
	return ref;
}

static void
make_put(struct wr *w)
{
	struct frame_object f = {.ref = sample_ref(), .size = 12345};

	frame_put(&f, w);
}

static int
parse_put(const uint8_t *buf, size_t len, struct err *e)
{
	struct frame_object f;

	return frame_parse_put(buf, len, &f, e);
}

static void
make_get(struct wr *w)
{
	struct object_ref ref = sample_ref();

	frame_get(&ref, w);
}

static int
parse_get(const uint8_t *buf, size_t len, struct err *e)
{
	struct object_ref ref;

	return frame_parse_get(buf, len, &ref, e);
}

static void
make_commit(struct wr *w)
{
	struct frame_commit f = {.dataset = "x", .first = 3, .last = 9};

	frame_commit(&f, w);
}

static int
parse_commit(const uint8_t *buf, size_t len, struct err *e)
{
	struct frame_commit f;

	return frame_parse_commit(buf, len, &f, e);
}

static void
make_ack(struct wr *w)
{
	frame_ack(UINT64_C(1) << 40, w);
}

static int
parse_ack(const uint8_t *buf, size_t len, struct err *e)
{
	uint64_t n;

	return frame_parse_ack(buf, len, &n, e);
}

static void
make_nak(struct wr *w)
{
	struct frame_nak f = {.ref = sample_ref()};

	(void)err_set(&f.why, ERR_NOT_FOUND, "it needs a pack");
	frame_nak(&f, w);
}

static int
parse_nak(const uint8_t *buf, size_t len, struct err *e)
{
	struct frame_nak f;

	return frame_parse_nak(buf, len, &f, e);
}

static void
make_error(struct wr *w)
{
	struct err why;

	(void)err_set(&why, ERR_FULL, "no space left");
	frame_error(&why, w);
}

static int
parse_error(const uint8_t *buf, size_t len, struct err *e)
{
	struct err why;

	return frame_parse_error(buf, len, &why, e);
}

static const struct sample samples[] = {
    {"HELLO", make_hello, parse_hello},
    {"WHO", make_who, parse_who},
    {"STATE", make_state, parse_state},
    {"HAVE", make_have, parse_have},
    {"NAMES", make_names, parse_names},
    {"WANT", make_want, parse_want},
    {"PUT", make_put, parse_put},
    {"GET", make_get, parse_get},
    {"COMMIT", make_commit, parse_commit},
    {"ACK", make_ack, parse_ack},
    {"NAK", make_nak, parse_nak},
    {"ERROR", make_error, parse_error},
};

/* --- all of them -------------------------------------------------------- */

static void
frame_parse__takes_the_whole_and_nothing_less_or_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		const struct sample *s = &samples[i];
		WR_AUTO struct wr w = {0};
		uint8_t *exact;

		s->make(&w);
		assert_false(w.failed);
		assert_int_equal(s->parse(w.buf, w.len, &err), 0);
		for (size_t len = 0; len < w.len; len++) {
			/* In memory of its own, so that a step too far shows. */
			exact = malloc(len + 1);
			memcpy(exact, w.buf, len);
			if (s->parse(exact, len, &err) != ERR_CORRUPT)
				fail_msg("%s cut at %zu", s->name, len);
			free(exact);
		}
		wr_u8(&w, 0);
		if (s->parse(w.buf, w.len, &err) != ERR_CORRUPT)
			fail_msg("%s with a byte more", s->name);
	}
}

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
	    cmocka_unit_test(
		frame_parse__takes_the_whole_and_nothing_less_or_more),
	    cmocka_unit_test(frame_hello__goes_and_comes_back),
	    cmocka_unit_test(
		frame_parse_hello__tells_another_version_from_damage),
	    cmocka_unit_test(frame_parse_hello__refuses_what_can_not_be),
	    cmocka_unit_test(frame_head__goes_and_comes_back),
	    cmocka_unit_test(frame_parse_head__refuses_what_is_none),
	    cmocka_unit_test(frame_parse_put__bounds_sizes),
	    cmocka_unit_test(frame_parse_get__refuses_what_names_no_object),
	    cmocka_unit_test(frame_parse_nak__keeps_code_and_text),
	    cmocka_unit_test(frame_parse_state__bounds_what_it_allocates),
	    cmocka_unit_test(frame_parse_state__knows_whole_and_not),
	    cmocka_unit_test(frame_want__has_one_form),
	    cmocka_unit_test(frame_parse_have__asks_for_no_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
