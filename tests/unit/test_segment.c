/* Segments: what is put into one comes out of it. */
#include "tests/unit/segment_fixture.h"
#include "tests/unit/wiped.h"

#include <stdio.h>

static void
finish__round_trips(void **state)
{
	static const size_t lens[] = {1, 2, 100, 4096, 65536, CHUNK_MAX};
	AUTO(segment_decoder) struct segment_decoder *d = new_decoder();
	AUTO(segment_builder) struct segment_builder *b = NULL;
	AUTO(segment) struct segment *s = NULL;
	WR_AUTO struct wr w = {0};
	uint8_t *buf = malloc(CHUNK_MAX);
	struct segment_chunk ch;
	struct chunk_name name;

	(void)state;
	assert_ok(segment_builder_new(&b, &err));
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		name = name_of(i);
		fill(buf, lens[i], i);
		assert_ok(segment_builder_add(b, &name,
		    (enum chunk_kind)(i % CHUNK_KINDS), buf, lens[i], &err));
	}
	assert_int_equal(segment_builder_count(b), ARRAY_LEN(lens));
	assert_ok(segment_builder_finish(b, &w, &err));
	/* Compressible bytes were compressed. */
	assert_int_equal(w.buf[0], 1);
	assert_true(w.len < segment_builder_bytes(b));

	assert_ok(segment_decode(d, w.buf, w.len, &s, &err));
	assert_int_equal(segment_count(s), ARRAY_LEN(lens));
	assert_true(
	    segment_memory(s) >= 1 + 2 + 100 + 4096 + 65536 + CHUNK_MAX);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		name = name_of(i);
		assert_true(segment_find(s, &name, &ch));
		assert_int_equal(ch.kind, i % CHUNK_KINDS);
		assert_chunk(&ch, i, lens[i]);
		ch = segment_chunk(s, i);
		assert_memory_equal(&ch.name, &name, sizeof(name));
		assert_chunk(&ch, i, lens[i]);
	}
	name = name_of(99);
	assert_false(segment_find(s, &name, &ch));
	free(buf);
}

/* More work makes the same bytes no longer, and they come back the same. */
static void
finish__goes_by_the_effort(void **state)
{
	AUTO(segment_decoder) struct segment_decoder *d = new_decoder();
	AUTO(segment_builder) struct segment_builder *b = NULL;
	const struct chunk_name name = name_of(1);
	size_t len = 0;
	uint8_t *buf = malloc(CHUNK_MAX);
	uint32_t x = 5;

	(void)state;
	/* Words of eight letters from a short list, in any order. */
	for (size_t i = 0; i < CHUNK_MAX; i += 8) {
		x = x * 1103515245 + 12345;
		for (size_t k = 0; k < 8; k++)
			buf[i + k] = (uint8_t)((x >> 24) * (k + 3));
	}
	assert_ok(segment_builder_new(&b, &err));
	assert_ok(
	    segment_builder_add(b, &name, CHUNK_DATA, buf, CHUNK_MAX, &err));
	for (unsigned e = 0; e < SEGMENT_EFFORTS; e++) {
		AUTO(segment) struct segment *s = NULL;
		WR_AUTO struct wr w = {0};
		struct segment_chunk ch;

		segment_builder_effort(b, (enum segment_effort)e);
		assert_ok(segment_builder_finish(b, &w, &err));
		assert_true(e == 0 || w.len <= len);
		len = w.len;
		assert_ok(segment_decode(d, w.buf, w.len, &s, &err));
		assert_true(segment_find(s, &name, &ch));
		assert_memory_equal(ch.data, buf, CHUNK_MAX);
	}
	free(buf);
}

static void
finish__known_bytes(void **state)
{
	AUTO(segment_builder) struct segment_builder *b = NULL;
	WR_AUTO struct wr w = {0};
	struct chunk_name name;
	uint8_t want[2 + 2 * 33 + 3];

	(void)state;
	memset(&name, 0x11, sizeof(name));
	assert_ok(segment_builder_new(&b, &err));
	assert_ok(segment_builder_add(b, &name, CHUNK_TREE, "A", 1, &err));
	memset(&name, 0x22, sizeof(name));
	assert_ok(segment_builder_add(b, &name, CHUNK_LIST, "BC", 2, &err));
	assert_ok(segment_builder_finish(b, &w, &err));

	/* Too short to gain by compressing: codec 0. */
	want[0] = 0;
	want[1] = 2;
	want[2] = 1 * 4 + 2;
	memset(want + 3, 0x11, 32);
	want[35] = 2 * 4 + 1;
	memset(want + 36, 0x22, 32);
	memcpy(want + 68, "ABC", 3);
	assert_int_equal(w.len, sizeof(want));
	assert_memory_equal(w.buf, want, sizeof(want));
	assert_int_equal(segment_builder_bytes(b), 2 * 33 + 3);
}

static void
finish__stores_incompressible_bytes(void **state)
{
	AUTO(segment_decoder) struct segment_decoder *d = new_decoder();
	AUTO(segment_builder) struct segment_builder *b = NULL;
	AUTO(segment) struct segment *s = NULL;
	WR_AUTO struct wr w = {0};
	const size_t len = 200000;
	uint8_t *buf = malloc(len);
	struct chunk_name name = name_of(1);

	(void)state;
	fill_random(buf, len, 1);
	assert_ok(segment_builder_new(&b, &err));
	assert_ok(segment_builder_add(b, &name, CHUNK_DATA, buf, len, &err));
	/* Appends: what was there stays. */
	wr_u8(&w, 0xee);
	assert_ok(segment_builder_finish(b, &w, &err));
	assert_int_equal(w.buf[0], 0xee);
	assert_int_equal(w.buf[1], 0);
	assert_int_equal(w.len, 1 + 1 + 1 + 3 + 32 + len);
	assert_ok(segment_decode(d, w.buf + 1, w.len - 1, &s, &err));
	assert_memory_equal(segment_chunk(s, 0).data, buf, len);
	free(buf);
}

/* Evenly spread bytes that repeat: the quick look errs, zstd does not. */
static void
finish__compresses_what_only_looks_random(void **state)
{
	AUTO(segment_builder) struct segment_builder *b = NULL;
	WR_AUTO struct wr w = {0};
	const size_t len = 1 << 18;
	uint8_t *buf = malloc(len);
	struct chunk_name name = name_of(1);

	(void)state;
	fill_random(buf, len / 8, 1);
	for (size_t i = 1; i < 8; i++)
		memcpy(buf + i * (len / 8), buf, len / 8);
	assert_ok(segment_builder_new(&b, &err));
	assert_ok(segment_builder_add(b, &name, CHUNK_DATA, buf, len, &err));
	assert_ok(segment_builder_finish(b, &w, &err));
	assert_int_equal(w.buf[0], 1);
	assert_true(w.len < len / 7);
	free(buf);
}

static void
finish__keeps_chunks_until_reset(void **state)
{
	AUTO(segment_builder) struct segment_builder *b = NULL;
	WR_AUTO struct wr one = {0}, two = {0};
	struct chunk_name name = name_of(7);

	(void)state;
	assert_ok(segment_builder_new(&b, &err));
	assert_rc(ERR_USAGE, segment_builder_finish(b, &one, &err));
	assert_ok(segment_builder_add(b, &name, CHUNK_DATA, "abc", 3, &err));
	assert_ok(segment_builder_finish(b, &one, &err));
	assert_ok(segment_builder_finish(b, &two, &err));
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.buf, two.buf, one.len);
	assert_memory_equal(segment_builder_name(b, 0), &name, sizeof(name));
	segment_builder_reset(b);
	assert_int_equal(segment_builder_count(b), 0);
	assert_int_equal(segment_builder_bytes(b), 0);
	assert_rc(ERR_USAGE, segment_builder_finish(b, &one, &err));
}

static void
add__refuses_what_a_segment_cannot_hold(void **state)
{
	AUTO(segment_builder) struct segment_builder *b = NULL;
	uint8_t *buf = calloc(1, CHUNK_MAX + 1);
	struct chunk_name name = name_of(1);

	(void)state;
	assert_ok(segment_builder_new(&b, &err));
	assert_rc(
	    ERR_USAGE, segment_builder_add(b, &name, CHUNK_DATA, buf, 0, &err));
	assert_rc(ERR_USAGE, segment_builder_add(b, &name, CHUNK_DATA, buf,
				 CHUNK_MAX + 1, &err));
	for (size_t i = 0; i < SEGMENT_MAX / CHUNK_MAX; i++)
		assert_ok(segment_builder_add(
		    b, &name, CHUNK_DATA, buf, CHUNK_MAX, &err));
	assert_rc(
	    ERR_USAGE, segment_builder_add(b, &name, CHUNK_DATA, buf, 1, &err));
	segment_builder_reset(b);
	for (size_t i = 0; i < SEGMENT_CHUNKS_MAX; i++)
		assert_ok(
		    segment_builder_add(b, &name, CHUNK_DATA, buf, 1, &err));
	assert_rc(
	    ERR_USAGE, segment_builder_add(b, &name, CHUNK_DATA, buf, 1, &err));
	free(buf);
}

static void
decode__largest_segments(void **state)
{
	AUTO(segment_decoder) struct segment_decoder *d = new_decoder();
	WR_AUTO struct wr big = {0}, many = {0};
	struct segment *s;
	struct segment_chunk ch;
	struct chunk_name name;

	(void)state;
	put_segment(&big, 0, SEGMENT_MAX / CHUNK_MAX, CHUNK_MAX, CHUNK_DATA);
	assert_true(big.len <= SEGMENT_PLAIN_MAX);
	assert_ok(segment_decode(d, big.buf, big.len, &s, &err));
	ch = segment_chunk(s, 3);
	assert_chunk(&ch, 3, CHUNK_MAX);
	segment_unref(s);

	put_segment(&many, 0, SEGMENT_CHUNKS_MAX, 256, CHUNK_TREE);
	assert_true(many.len <= SEGMENT_PLAIN_MAX);
	assert_ok(segment_decode(d, many.buf, many.len, &s, &err));
	for (size_t i = 0; i < SEGMENT_CHUNKS_MAX; i += 1000) {
		name = name_of(i);
		assert_true(segment_find(s, &name, &ch));
		assert_chunk(&ch, i, 256);
	}
	segment_unref(s);
}

static void
decode__segment_outlives_its_decoder(void **state)
{
	struct segment_decoder *d = new_decoder();
	WR_AUTO struct wr w = {0};
	struct segment *s, *other;
	struct segment_chunk ch;

	(void)state;
	put_segment(&w, 0, 10, 1000, CHUNK_DATA);
	assert_ok(segment_decode(d, w.buf, w.len, &s, &err));
	segment_decoder_unref(d);
	assert_false(segment_shared(s));
	other = segment_ref(s);
	assert_true(segment_shared(s));
	segment_unref(s);
	ch = segment_chunk(other, 9);
	assert_chunk(&ch, 9, 1000);
	segment_unref(other);
}

/* What the kernel says of the pages at an address: its two-letter flags. */
static void
page_flags(const void *p, char flags[256])
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	uintptr_t from, to, at = (uintptr_t)p;
	bool here = false;
	char line[512];

	flags[0] = '\0';
	assert_non_null(maps);
	while (flags[0] == '\0' && fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%jx-%jx ", &from, &to) == 2)
			here = at >= from && at < to;
		if (here && strncmp(line, "VmFlags: ", 9) == 0)
			(void)snprintf(flags, 256, "%.250s", line + 8);
	}
	(void)fclose(maps);
}

static void
decode__memory_is_left_out_of_core_files(void **state)
{
	static const size_t lens[] = {10, 5000, 300000};
	AUTO(segment_decoder) struct segment_decoder *d = new_decoder();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		AUTO(segment) struct segment *s = NULL;
		WR_AUTO struct wr w = {0};
		char flags[256];

		put_segment(&w, 0, 2, lens[i], CHUNK_DATA);
		assert_ok(segment_decode(d, w.buf, w.len, &s, &err));
		page_flags(segment_chunk(s, 1).data, flags);
		assert_non_null(strstr(flags, " dd"));
	}
}

/* --- decoding in place -------------------------------------------------- */

/* One chunk of ${len} bytes as a plaintext in a buffer of the pool. */
static size_t
buffer_with(struct segment_decoder *d, size_t asked, bool random, size_t len,
    struct plain_buf *buf)
{
	AUTO(segment_builder) struct segment_builder *b = NULL;
	WR_AUTO struct wr w = {0};
	uint8_t *bytes = malloc(len);
	struct chunk_name name = name_of(1);

	if (random)
		fill_random(bytes, len, 1);
	else
		fill(bytes, len, 1);
	assert_ok(segment_builder_new(&b, &err));
	assert_ok(segment_builder_add(b, &name, CHUNK_DATA, bytes, len, &err));
	assert_ok(segment_builder_finish(b, &w, &err));
	assert_int_equal(w.buf[0], random ? 0 : 1);
	free(bytes);

	assert_true(plain_alloc(segment_decoder_pool(d), asked, buf));
	assert_true(w.len <= asked);
	plain_use(buf, w.len);
	memcpy(buf->p, w.buf, w.len);
	return w.len;
}

static void
assert_one_chunk(const struct segment *s, bool random, size_t len)
{
	struct segment_chunk ch = segment_chunk(s, 0);
	uint8_t *want = malloc(len);

	if (random)
		fill_random(want, len, 1);
	else
		fill(want, len, 1);
	assert_int_equal(segment_count(s), 1);
	assert_int_equal(ch.len, len);
	assert_memory_equal(ch.data, want, len);
	free(want);
}

static void
adopt__leaves_stored_bytes_where_they_are(void **state)
{
	AUTO(segment_decoder) struct segment_decoder *d = new_decoder();
	AUTO(segment) struct segment *s = NULL;
	struct plain_buf buf;
	const size_t len = 250000, asked = 320000;
	size_t n = buffer_with(d, asked, true, len, &buf);
	const uint8_t *at = buf.p;

	(void)state;
	assert_ok(segment_adopt(d, &buf, n, &s, &err));
	assert_null(buf.p);
	assert_one_chunk(s, true, len);
	assert_ptr_equal(segment_chunk(s, 0).data, at + n - len);
	assert_true(segment_memory(s) >= plain_room(asked));
}

static void
adopt__leaves_the_buffer_when_it_is_no_use(void **state)
{
	static const struct {
		bool random;
		size_t len, asked;
	} cases[] = {{false, 250000, 320000}, {true, 10000, 320000}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(segment_decoder) struct segment_decoder *d = new_decoder();
		AUTO(segment) struct segment *s = NULL;
		struct plain_buf buf;
		size_t n = buffer_with(
		    d, cases[i].asked, cases[i].random, cases[i].len, &buf);

		assert_ok(segment_adopt(d, &buf, n, &s, &err));
		assert_non_null(buf.p);
		plain_free(segment_decoder_pool(d), &buf);
		assert_one_chunk(s, cases[i].random, cases[i].len);
		assert_true(segment_memory(s) < plain_room(320000));
	}
}

static void
adopt__failures_take_nothing(void **state)
{
	AUTO(segment_decoder) struct segment_decoder *d = new_decoder();
	AUTO(segment) struct segment *s = NULL;
	struct plain_buf buf;
	size_t n = buffer_with(d, 320000, true, 250000, &buf);

	(void)state;
	assert_rc(ERR_CORRUPT, segment_adopt(d, &buf, n - 1, &s, &err));
	assert_null(s);
	assert_non_null(buf.p);
	plain_free(segment_decoder_pool(d), &buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finish__round_trips),
	    cmocka_unit_test(finish__goes_by_the_effort),
	    cmocka_unit_test(finish__known_bytes),
	    cmocka_unit_test(finish__stores_incompressible_bytes),
	    cmocka_unit_test(finish__compresses_what_only_looks_random),
	    cmocka_unit_test(finish__keeps_chunks_until_reset),
	    cmocka_unit_test(add__refuses_what_a_segment_cannot_hold),
	    cmocka_unit_test(decode__largest_segments),
	    cmocka_unit_test(decode__segment_outlives_its_decoder),
	    cmocka_unit_test(decode__memory_is_left_out_of_core_files),
	    cmocka_unit_test(adopt__leaves_stored_bytes_where_they_are),
	    cmocka_unit_test(adopt__leaves_the_buffer_when_it_is_no_use),
	    cmocka_unit_test(adopt__failures_take_nothing),
	    cmocka_unit_test(wiped__all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
