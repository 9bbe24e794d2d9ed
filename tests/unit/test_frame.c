/* Each frame is taken whole, and nothing less or more. */
#include "tests/unit/frame_samples.h"

static struct err err;

/* A frame of each type that has a body, and its decoder. */
struct sample {
	const char *name;
	void (*make)(struct wr *w);
	int (*parse)(const uint8_t *buf, size_t len, struct err *err);
};

/* --- samples ------------------------------------------------------------ */

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

static int
parse_state(const uint8_t *buf, size_t len, struct err *e)
{
	struct frame_state s;
	int rc = frame_parse_state(buf, len, &s, e);

	free(s.logs);
	return rc;
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

static int
parse_want(const uint8_t *buf, size_t len, struct err *e)
{
	struct frame_want f;

	return frame_parse_want(buf, len, &f, e);
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
make_gap(struct wr *w)
{
	struct frame_gap f = {.ref = sample_ref(), .missing = 6};

	frame_gap(&f, w);
}

static int
parse_gap(const uint8_t *buf, size_t len, struct err *e)
{
	struct frame_gap f;

	return frame_parse_gap(buf, len, &f, e);
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
    {"GAP", make_gap, parse_gap},
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		frame_parse__takes_the_whole_and_nothing_less_or_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
