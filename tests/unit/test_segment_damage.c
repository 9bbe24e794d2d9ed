/* Segments that are cut off, flipped or malformed. */
#include "tests/unit/segment_fixture.h"

#include <zstd.h>

static void
decode__every_truncation_fails(void **state)
{
	WR_AUTO struct wr packed = {0}, stored = {0};

	(void)state;
	put_segment(&packed, 0, 3, 300, CHUNK_DATA);
	assert_int_equal(packed.buf[0], 1);
	for (size_t len = 0; len < packed.len; len++)
		decode_rc(ERR_CORRUPT, packed.buf, len);
	put_segment(&stored, 0, 3, 3, CHUNK_DATA);
	assert_int_equal(stored.buf[0], 0);
	for (size_t len = 0; len < stored.len; len++)
		decode_rc(ERR_CORRUPT, stored.buf, len);
}

static void
decode__leftovers_fail(void **state)
{
	WR_AUTO struct wr w = {0}, twice = {0};
	const size_t table = 2 + 2 * (2 + 32);

	(void)state;
	put_segment(&w, 0, 2, 3000, CHUNK_DATA);
	assert_int_equal(w.buf[0], 1);
	/* A second frame, which zstd would take as part of the first. */
	wr_bytes(&twice, w.buf, w.len);
	wr_bytes(&twice, w.buf + table, w.len - table);
	decode_rc(ERR_CORRUPT, twice.buf, twice.len);
	wr_u8(&w, 0);
	decode_rc(ERR_CORRUPT, w.buf, w.len);
}

static void
decode__two_chunks_of_one_name_fail(void **state)
{
	WR_AUTO struct wr w = {0};

	(void)state;
	put_segment(&w, 0, 3, 3, CHUNK_DATA);
	decode_rc(0, w.buf, w.len);
	/* The third gets the first one's name. */
	memcpy(w.buf + 2 + 2 * 33 + 1, w.buf + 2 + 1, CHUNK_NAME_LEN);
	decode_rc(ERR_CORRUPT, w.buf, w.len);
}

/* A bit flip may pass the decoder (the tag is the pack's), but not crash it. */
static void
decode__bit_flips_stay_in_bounds(void **state)
{
	AUTO(segment_decoder) struct segment_decoder *d = new_decoder();
	WR_AUTO struct wr w = {0};

	(void)state;
	put_segment(&w, 0, 3, 500, CHUNK_LIST);
	for (size_t bit = 0; bit < w.len * 8; bit++) {
		AUTO(segment) struct segment *s = NULL;
		struct err err = {0};

		w.buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (segment_decode(d, w.buf, w.len, &s, &err) != 0)
			assert_int_equal(err.code, ERR_CORRUPT);
		else
			assert_int_equal(segment_count(s), 3);
		w.buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* A segment with one chunk, all of it up to the caller. */
static void
decode_made(int want, uint8_t codec, uint64_t count, uint64_t length_kind,
    const void *data, size_t len)
{
	WR_AUTO struct wr w = {0};
	struct chunk_name name = name_of(1);

	wr_u8(&w, codec);
	wr_varint(&w, count);
	wr_varint(&w, length_kind);
	wr_bytes(&w, &name, sizeof(name));
	wr_bytes(&w, data, len);
	decode_rc(want, w.buf, w.len);
}

static void
decode__malformed_fields_fail(void **state)
{
	(void)state;
	decode_made(0, 0, 1, 5 * 4, "abcde", 5);
	decode_made(ERR_CORRUPT, 2, 1, 5 * 4, "abcde", 5);
	decode_made(ERR_CORRUPT, 1, 1, 5 * 4, "abcde", 5);
	decode_made(ERR_CORRUPT, 0, 0, 5 * 4, "abcde", 5);
	decode_made(ERR_CORRUPT, 0, 2, 5 * 4, "abcde", 5);
	decode_made(ERR_CORRUPT, 0, UINT64_MAX, 5 * 4, "abcde", 5);
	decode_made(ERR_CORRUPT, 0, 1, 5 * 4 + 3, "abcde", 5);
	decode_made(ERR_CORRUPT, 0, 1, 0, "", 0);
	decode_made(ERR_CORRUPT, 0, 1, 4 * 4, "abcde", 5);
	decode_made(ERR_CORRUPT, 0, 1, 6 * 4, "abcde", 5);
	decode_made(ERR_CORRUPT, 0, 1, (CHUNK_MAX + 1) * 4, "abcde", 5);
	decode_made(ERR_CORRUPT, 0, 1, UINT64_MAX - 3, "abcde", 5);
}

/* A frame that claims more or less than the table, or not at all. */
static void
decode__frame_must_have_the_length_of_the_table(void **state)
{
	uint8_t plain[1000] = {0}, frame[256];
	size_t len;
	ZSTD_CCtx *ctx = ZSTD_createCCtx();

	(void)state;
	len = ZSTD_compress(frame, sizeof(frame), plain, sizeof(plain), 3);
	decode_made(0, 1, 1, 1000 * 4, frame, len);
	decode_made(ERR_CORRUPT, 1, 1, 999 * 4, frame, len);
	decode_made(ERR_CORRUPT, 1, 1, 1001 * 4, frame, len);
	decode_made(ERR_CORRUPT, 1, 1, CHUNK_MAX * 4, frame, len);
	(void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, 0);
	len = ZSTD_compress2(ctx, frame, sizeof(frame), plain, sizeof(plain));
	decode_made(ERR_CORRUPT, 1, 1, 1000 * 4, frame, len);
	(void)ZSTD_freeCCtx(ctx);
	/* A skippable frame, whose content is nothing. */
	decode_made(ERR_CORRUPT, 1, 1, 4, "\x50\x2a\x4d\x18\1\0\0\0x", 9);
}

/* Five chunks of the largest size are over the limit of a segment. */
static void
decode__too_long_fails_before_memory_is_asked(void **state)
{
	WR_AUTO struct wr w = {0};
	struct chunk_name name = name_of(1);

	(void)state;
	wr_u8(&w, 1);
	wr_varint(&w, 5);
	for (int i = 0; i < 5; i++) {
		wr_varint(&w, CHUNK_MAX * 4);
		wr_bytes(&w, &name, sizeof(name));
	}
	decode_rc(ERR_CORRUPT, w.buf, w.len);
}

static void
decode__too_many_chunks_fail(void **state)
{
	WR_AUTO struct wr w = {0};
	struct chunk_name name = name_of(1);

	(void)state;
	wr_u8(&w, 0);
	wr_varint(&w, SEGMENT_CHUNKS_MAX + 1);
	for (int i = 0; i < SEGMENT_CHUNKS_MAX + 1; i++) {
		wr_varint(&w, 4);
		wr_bytes(&w, &name, sizeof(name));
	}
	memset(wr_space(&w, SEGMENT_CHUNKS_MAX + 1), 0, SEGMENT_CHUNKS_MAX + 1);
	decode_rc(ERR_CORRUPT, w.buf, w.len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decode__every_truncation_fails),
	    cmocka_unit_test(decode__leftovers_fail),
	    cmocka_unit_test(decode__two_chunks_of_one_name_fail),
	    cmocka_unit_test(decode__bit_flips_stay_in_bounds),
	    cmocka_unit_test(decode__malformed_fields_fail),
	    cmocka_unit_test(decode__frame_must_have_the_length_of_the_table),
	    cmocka_unit_test(decode__too_long_fails_before_memory_is_asked),
	    cmocka_unit_test(decode__too_many_chunks_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
