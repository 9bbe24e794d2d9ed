#include "crypto/bytes.h"

#include "tests/unit/hex.h"

#include <stdlib.h>

static void
wr_integers__are_little_endian(void **state)
{
	WR_AUTO struct wr w = {0};

	(void)state;
	wr_u8(&w, 0x01);
	wr_u16(&w, 0x0203);
	wr_u32(&w, 0x04050607);
	wr_u64(&w, 0x08090a0b0c0d0e0f);
	assert_int_equal(w.len, 15);
	assert_hex(w.buf, "010302070605040f0e0d0c0b0a0908");
}

static void
rd_integers__read_what_wr_wrote(void **state)
{
	WR_AUTO struct wr w = {0};

	(void)state;
	wr_u8(&w, 0xfe);
	wr_u16(&w, 0xfedc);
	wr_u32(&w, 0xfedcba98);
	wr_u64(&w, 0xfedcba9876543210);
	wr_string(&w, "abc", 3);

	struct rd r = rd_init(w.buf, w.len);
	size_t len;

	assert_int_equal(rd_u8(&r), 0xfe);
	assert_int_equal(rd_u16(&r), 0xfedc);
	assert_int_equal(rd_u32(&r), 0xfedcba98);
	assert_true(rd_u64(&r) == 0xfedcba9876543210);
	assert_false(rd_done(&r));
	assert_memory_equal(rd_string(&r, &len), "abc", 3);
	assert_int_equal(len, 3);
	assert_true(rd_done(&r));
}

static void
rd__fails_for_good_past_the_end(void **state)
{
	const uint8_t buf[3] = {1, 2, 3};
	struct rd r = rd_init(buf, sizeof(buf));
	uint8_t copy[2] = {9, 9};

	(void)state;
	assert_int_equal(rd_u32(&r), 0);
	assert_true(r.failed);
	assert_int_equal(rd_left(&r), 0);
	assert_int_equal(rd_u8(&r), 0);
	assert_null(rd_bytes(&r, 1));
	rd_copy(&r, copy, sizeof(copy));
	assert_int_equal(copy[0] | copy[1], 0);
	assert_false(rd_done(&r));
}

static void
rd_init__takes_nothing_at_all(void **state)
{
	struct rd r = rd_init(NULL, 0);

	(void)state;
	assert_non_null(rd_bytes(&r, 0));
	assert_true(rd_done(&r));
	assert_int_equal(rd_u8(&r), 0);
	assert_false(rd_done(&r));
}

static void
varint__has_published_lengths(void **state)
{
	static const struct {
		uint64_t v;
		const char *hex;
	} cases[] = {
	    {0, "00"},
	    {1, "01"},
	    {127, "7f"},
	    {128, "8001"},
	    {300, "ac02"},
	    {16384, "808001"},
	    {UINT64_MAX, "ffffffffffffffffff01"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		WR_AUTO struct wr w = {0};
		uint8_t want[10];
		size_t len = hex(cases[i].hex, want);

		wr_varint(&w, cases[i].v);
		assert_int_equal(w.len, len);
		assert_memory_equal(w.buf, want, len);

		struct rd r = rd_init(w.buf, w.len);

		assert_true(rd_varint(&r) == cases[i].v);
		assert_true(rd_done(&r));
	}
}

static void
rd_varint__refuses_other_forms(void **state)
{
	static const char *const bad[] = {
	    "",                       /* nothing */
	    "80",                     /* cut short */
	    "8000",                   /* longer than needed */
	    "ff8000",                 /* likewise */
	    "ffffffffffffffffff02",   /* over 64 bits */
	    "ffffffffffffffffff7f",   /* likewise */
	    "8080808080808080808001", /* eleven bytes */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t buf[16];
		struct rd r = rd_init(buf, hex(bad[i], buf));

		assert_int_equal(rd_varint(&r), 0);
		assert_true(r.failed);
	}
}

static void
svarint__is_zigzag(void **state)
{
	static const int64_t cases[] = {
	    0, -1, 1, -2, 63, -64, 64, INT64_MAX, INT64_MIN};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		WR_AUTO struct wr w = {0};

		wr_svarint(&w, cases[i]);

		struct rd r = rd_init(w.buf, w.len);

		assert_true(rd_svarint(&r) == cases[i]);
		assert_true(rd_done(&r));
		if (i > 0 && i < 6)
			assert_int_equal(w.len, 1);
	}
}

static void
rd_count__is_bounded_by_what_is_left(void **state)
{
	uint8_t buf[11] = {5};
	struct rd r = rd_init(buf, sizeof(buf));

	(void)state;
	assert_int_equal(rd_count(&r, 2), 5);
	assert_false(r.failed);

	buf[0] = 6;
	r = rd_init(buf, sizeof(buf));
	assert_int_equal(rd_count(&r, 2), 0);
	assert_true(r.failed);
}

static void
rd_string__refuses_a_length_beyond_the_end(void **state)
{
	const uint8_t buf[] = {4, 'a', 'b', 'c'};
	struct rd r = rd_init(buf, sizeof(buf));
	size_t len;

	(void)state;
	assert_null(rd_string(&r, &len));
	assert_int_equal(len, 0);
	assert_true(r.failed);
}

static void
wr_space__grows_and_keeps_the_contents(void **state)
{
	WR_AUTO struct wr w = {0};

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		wr_u16(&w, (uint16_t)i);
	assert_int_equal(w.len, 20000);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(w.buf[2 * i] | w.buf[2 * i + 1] << 8, i);
}

static void
wr_space__fails_for_good_when_too_much_is_asked(void **state)
{
	WR_AUTO struct wr w = {0};

	(void)state;
	wr_u8(&w, 1);
	assert_null(wr_space(&w, SIZE_MAX - 8));
	assert_true(w.failed);
	wr_u8(&w, 2);
	assert_int_equal(w.len, 1);
	wr_reset(&w);
	wr_u8(&w, 3);
	assert_int_equal(w.len, 1);
	assert_int_equal(w.buf[0], 3);
}

static void
wr_reserve__makes_room_at_once(void **state)
{
	WR_AUTO struct wr w = {0};
	const uint8_t *at;

	(void)state;
	wr_reserve(&w, 1000);
	assert_non_null(w.buf);
	assert_int_equal(w.len, 0);
	wr_u8(&w, 7);
	wr_reserve(&w, 5000);
	at = w.buf;
	for (unsigned i = 0; i < 1250; i++)
		wr_u32(&w, i);
	assert_ptr_equal(w.buf, at);
	assert_int_equal(w.buf[0], 7);
	assert_int_equal(w.len, 5001);
	/* Only who writes fails. */
	wr_reserve(&w, SIZE_MAX - 8);
	assert_false(w.failed);
	wr_u8(&w, 8);
	assert_int_equal(w.len, 5002);
}

static void
wr_secret__wipes_on_reset_and_keeps_on_growth(void **state)
{
	WR_AUTO struct wr w = {.secret = true};
	uint8_t *buf;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		wr_u32(&w, 0xa5a5a5a5);
	assert_int_equal(w.len, 400);
	for (unsigned i = 0; i < 400; i++)
		assert_int_equal(w.buf[i], 0xa5);
	buf = w.buf;
	wr_reset(&w);
	for (unsigned i = 0; i < 400; i++)
		assert_int_equal(buf[i], 0);
}

static void
wr_steal__leaves_an_empty_writer(void **state)
{
	WR_AUTO struct wr w = {0};
	uint8_t *buf;

	(void)state;
	wr_u8(&w, 7);
	buf = wr_steal(&w);
	assert_int_equal(buf[0], 7);
	assert_null(w.buf);
	assert_int_equal(w.len, 0);
	free(buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wr_integers__are_little_endian),
	    cmocka_unit_test(rd_integers__read_what_wr_wrote),
	    cmocka_unit_test(rd__fails_for_good_past_the_end),
	    cmocka_unit_test(rd_init__takes_nothing_at_all),
	    cmocka_unit_test(varint__has_published_lengths),
	    cmocka_unit_test(rd_varint__refuses_other_forms),
	    cmocka_unit_test(svarint__is_zigzag),
	    cmocka_unit_test(rd_count__is_bounded_by_what_is_left),
	    cmocka_unit_test(rd_string__refuses_a_length_beyond_the_end),
	    cmocka_unit_test(wr_space__grows_and_keeps_the_contents),
	    cmocka_unit_test(wr_space__fails_for_good_when_too_much_is_asked),
	    cmocka_unit_test(wr_reserve__makes_room_at_once),
	    cmocka_unit_test(wr_secret__wipes_on_reset_and_keeps_on_growth),
	    cmocka_unit_test(wr_steal__leaves_an_empty_writer),
	};

	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
