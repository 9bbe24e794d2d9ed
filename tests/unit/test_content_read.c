/* Reading and comparing the bytes of contents. */
#include "snapshot/content/list.h"
#include "tests/unit/content_elements.h"

/* --- reading -------------------------------------------------------------- */

/* A file in memory and as a content: data cut at random, with holes. */
struct model {
	uint8_t *bytes;
	uint8_t *is_hole; /* per byte */
	uint64_t size;
	struct content content;
};

static struct model
model_new(struct chunks *c, struct rng *g, size_t n, size_t max)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	struct model m = {.bytes = calloc(n, max), .is_hole = calloc(n, max)};
	uint64_t at = 0;

	assert_ok(content_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++) {
		struct element el = hole(1 + rng_below(g, max));

		memset(m.is_hole + at, 1, el.len);
		if (rng_below(g, 4) > 0) {
			for (size_t k = 0; k < el.len; k++)
				m.bytes[at + k] = (uint8_t)rng_next(g);
			memset(m.is_hole + at, 0, el.len);
			el = stored_element(c, m.bytes + at, el.len);
		}
		assert_ok(content_builder_add(b, fake_lane(c), &el, &err));
		at += el.len;
	}
	assert_ok(
	    content_builder_finish(b, fake_lane(c), &m.content, &m.size, &err));
	assert_int_equal(m.size, at);
	return m;
}

static void
model_free(struct model *m)
{
	free(m->bytes);
	free(m->is_hole);
}

static void
read__agrees_with_a_reference(void **state)
{
	static const size_t counts[] = {1, 4, 5, 40, 3000};
	struct chunks *c = fake_chunks_new(0);
	struct rng g = rng_new();
	uint8_t *buf = malloc(8192);

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
		struct model m = model_new(c, &g, counts[k], 500);
		struct content_cursor *cur = open_cursor(c, &m.content, m.size);

		for (size_t i = 0; i < 5000; i++) {
			uint64_t off = rng_below(&g, m.size + 100);
			size_t len = (size_t)rng_below(&g, 8192), want = 0;
			size_t got;

			if (off < m.size)
				want = len < m.size - off
					   ? len
					   : (size_t)(m.size - off);
			assert_ok(content_read(cur, off, buf, len, &got, &err));
			assert_int_equal(got, want);
			assert_memory_equal(buf, m.bytes + off, want);
		}
		content_cursor_free(cur);
		model_free(&m);
	}
	free(buf);
	fake_chunks_free(c);
}

static void
seek__agrees_with_a_reference(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct rng g = rng_new();

	(void)state;
	for (size_t k = 0; k < 30; k++) {
		struct model m = model_new(c, &g, 1 + 3 * k, 30);
		struct content_cursor *cur = open_cursor(c, &m.content, m.size);
		uint64_t data = m.size, none = m.size, pos;

		for (uint64_t off = m.size; off-- > 0;) {
			if (m.is_hole[off])
				none = off;
			else
				data = off;
			assert_ok(content_seek(cur, off, true, &pos, &err));
			assert_int_equal(pos, none);
			if (data == m.size) {
				assert_rc(ERR_NOT_FOUND,
				    content_seek(cur, off, false, &pos, &err));
				continue;
			}
			assert_ok(content_seek(cur, off, false, &pos, &err));
			assert_int_equal(pos, data);
		}
		assert_rc(
		    ERR_NOT_FOUND, content_seek(cur, m.size, true, &pos, &err));
		assert_rc(ERR_NOT_FOUND,
		    content_seek(cur, m.size, false, &pos, &err));
		content_cursor_free(cur);
		model_free(&m);
	}
	fake_chunks_free(c);
}

/* ${n} chunks of 10 bytes, and a hole of 10 after every ${every}. */
static struct content
build_dotted(struct chunks *c, size_t n, size_t every, uint64_t *size)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	const struct element dot = hole(10);
	struct content out;

	assert_ok(content_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++) {
		struct element el = data_element(10, i);

		assert_ok(content_builder_add(b, fake_lane(c), &el, &err));
		if (i % every == every - 1)
			assert_ok(
			    content_builder_add(b, fake_lane(c), &dot, &err));
	}
	assert_ok(content_builder_finish(b, fake_lane(c), &out, size, &err));
	return out;
}

static void
seek__passes_over_what_has_no_hole(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	uint64_t size, pos;
	struct content content = build_dotted(c, 100000, 50000, &size);
	struct content_cursor *cur = open_cursor(c, &content, size);
	size_t gets = fake_gets(c);

	(void)state;
	assert_int_equal(content.holes, 20);
	assert_true(fake_count(c, CHUNK_LIST) > 200);
	assert_ok(content_seek(cur, 1234, true, &pos, &err));
	assert_int_equal(pos, 500000);
	assert_ok(content_seek(cur, 500010, true, &pos, &err));
	assert_int_equal(pos, 1000010);
	/* A node of each level at either end, at most. */
	assert_true(fake_gets(c) - gets <= 4 * (content.level + (size_t)1));
	content_cursor_free(cur);

	/* None anywhere: nothing is read. */
	content = build_dotted(c, 1000, 1001, &size);
	cur = open_cursor(c, &content, size);
	gets = fake_gets(c);
	assert_ok(content_seek(cur, 77, true, &pos, &err));
	assert_int_equal(pos, size);
	assert_int_equal(fake_gets(c), gets);
	content_cursor_free(cur);
	fake_chunks_free(c);
}

/* That all is holes, who has keys can say of anything. */
static void
seek__does_not_believe_in_holes_alone(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	uint64_t size, pos;
	struct content content = build_dotted(c, 10000, 20000, &size);
	struct content_cursor *cur;

	(void)state;
	assert_true(content.level > 0);
	content.holes = size;
	cur = open_cursor(c, &content, size);
	assert_rc(ERR_CORRUPT, content_seek(cur, 0, false, &pos, &err));
	content_cursor_free(cur);
	fake_chunks_free(c);
}

static void
read__passes_a_hole_of_a_tebibyte(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct element els[] = {stored_element(c, "head", 4), hole(TIB),
	    stored_element(c, "tail", 4)};
	uint64_t size, pos;
	struct content content = build(c, els, 3, &size);
	struct content_cursor *cur = open_cursor(c, &content, size);
	char buf[16];
	size_t got;

	(void)state;
	assert_int_equal(size, TIB + 8);
	assert_ok(content_read(cur, TIB - 2, buf, sizeof(buf), &got, &err));
	assert_int_equal(got, 10);
	assert_memory_equal(buf, "\0\0\0\0\0\0tail", 10);
	assert_ok(content_seek(cur, 0, true, &pos, &err));
	assert_int_equal(pos, 4);
	assert_ok(content_seek(cur, 5, false, &pos, &err));
	assert_int_equal(pos, TIB + 4);
	assert_ok(content_seek(cur, TIB + 4, true, &pos, &err));
	assert_int_equal(pos, TIB + 8);
	assert_int_equal(content.holes, TIB);
	content_cursor_free(cur);
	fake_chunks_free(c);
}

static void
assert_refused(struct chunks *c, const struct content *content, uint64_t size,
    const char *part)
{
	struct content_cursor *cur = open_cursor(c, content, size);
	char buf[10];
	size_t got;

	assert_fails(ERR_CORRUPT, part,
	    content_read(cur, 0, buf, sizeof(buf), &got, &err));
	content_cursor_free(cur);
}

static void
read__reports_damage(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct element els[6];
	uint64_t size;
	struct content content;
	struct content_cursor *cur;
	char buf[64];
	size_t got;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		uint8_t fill[10];

		memset(fill, (int)i, sizeof(fill));
		els[i] = stored_element(c, fill, sizeof(fill));
	}
	content = build(c, els, 6, &size);
	cur = open_cursor(c, &content, size);
	fake_replace(c, &els[2].name, "short", 5);
	fake_drop(c, &els[4].name);
	assert_fails(ERR_CORRUPT, "has 5 bytes where 10 are listed",
	    content_read(cur, 0, buf, 60, &got, &err));
	assert_ok(content_read(cur, 30, buf, 10, &got, &err));
	assert_fails(ERR_CORRUPT, "no index lists",
	    content_read(cur, 30, buf, 11, &got, &err));
	assert_ok(content_read(cur, 50, buf, 20, &got, &err));
	assert_int_equal(got, 10);
	content_cursor_free(cur);

	/* The list itself. */
	assert_refused(c, &content, size - 1, "another level, length");
	content.level = 1;
	assert_refused(c, &content, size, "another level, length");
	content.level = 0;
	content.holes = 1;
	assert_refused(c, &content, size, "bytes in holes than listed");
	content.holes = 0;
	fake_replace(c, &content.root, "\0\1\3\0", 4);
	assert_refused(c, &content, 1, "malformed node");
	fake_drop(c, &content.root);
	assert_refused(c, &content, 1, "no index lists");
	fake_chunks_free(c);
}

/* A node of level 1 that lists itself can't be made, but one that lies can. */
static void
read__refuses_a_list_that_does_not_descend(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct content content = {.form = CONTENT_TREE, .level = 1};
	WR_AUTO struct wr w = {0};
	struct content_cursor *cur;
	char buf[4];
	size_t got;

	(void)state;
	assert_ok(ingest_chunk(
	    fake_lane(c), CHUNK_LIST, "x", 1, &content.root, &err));
	list_put_head(1, 1, &w);
	list_put_child(100, 0, &content.root, &w);
	fake_replace(c, &content.root, w.buf, w.len);
	cur = open_cursor(c, &content, 100);
	assert_rc(ERR_CORRUPT, content_read(cur, 0, buf, 4, &got, &err));
	content_cursor_free(cur);
	fake_chunks_free(c);
}

/* --- comparing ------------------------------------------------------------ */

static void
equal__compares_bytes_however_they_are_cut(void **state)
{
	struct chunks *c = fake_chunks_new(0), *d = fake_chunks_new(9);
	struct rng g = rng_new();
	struct model m = model_new(c, &g, 200, 300);
	AUTO(content_builder) struct content_builder *b = NULL;
	struct content_cursor *ca = open_cursor(c, &m.content, m.size), *cb;
	struct content other;
	uint64_t size;
	bool equal;

	(void)state;
	/* Again with every hole as zeros, cut elsewhere, under another key. */
	assert_ok(content_builder_new(&b, &err));
	for (int changed = 0; changed < 2; changed++) {
		m.bytes[m.size - 1] ^= (uint8_t)changed;
		for (uint64_t at = 0; at < m.size; at += 777) {
			size_t n =
			    m.size - at < 777 ? (size_t)(m.size - at) : 777;
			struct element el = stored_element(d, m.bytes + at, n);

			assert_ok(
			    content_builder_add(b, fake_lane(d), &el, &err));
		}
		assert_ok(content_builder_finish(
		    b, fake_lane(d), &other, &size, &err));
		cb = open_cursor(d, &other, size);
		assert_ok(content_equal(ca, cb, false, &equal, &err));
		assert_int_equal(equal, !changed);
		assert_ok(content_equal(cb, ca, false, &equal, &err));
		assert_int_equal(equal, !changed);
		content_cursor_free(cb);
	}
	content_cursor_free(ca);
	model_free(&m);
	assert_int_equal(fake_pinned(c), 0);
	fake_chunks_free(c);
	fake_chunks_free(d);
}

/* Bytes that are all the same, but not zero, are no hole. */
static void
equal__takes_only_zeros_for_a_hole(void **state)
{
	static const char *const bytes[] = {
	    "\0\0\0\0", "xxxx", "\0\0\0x", "x\0\0\0"};
	struct chunks *c = fake_chunks_new(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
		struct element data = stored_element(c, bytes[i], 4);
		struct element none = hole(4);
		uint64_t size;
		struct content a = build(c, &data, 1, &size);
		struct content b = build(c, &none, 1, &size);
		struct content_cursor *ca = open_cursor(c, &a, size);
		struct content_cursor *cb = open_cursor(c, &b, size);
		bool equal;

		assert_ok(content_equal(ca, cb, true, &equal, &err));
		assert_int_equal(equal, i == 0);
		content_cursor_free(ca);
		content_cursor_free(cb);
	}
	fake_chunks_free(c);
}

/* The same chunk covers a place in both, but starts elsewhere in each. */
static void
equal__skips_only_what_starts_alike(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct element zeros = stored_element(c, "\0\0\0\0\0\0\0\0\0", 10);
	struct element els_a[] = {zeros, stored_element(c, "abc", 3)};
	struct element els_b[] = {hole(3), zeros};
	uint64_t size;
	struct content a = build(c, els_a, 2, &size);
	struct content b = build(c, els_b, 2, &size);
	struct content_cursor *ca = open_cursor(c, &a, size);
	struct content_cursor *cb = open_cursor(c, &b, size);
	bool equal;

	(void)state;
	assert_ok(content_equal(ca, cb, true, &equal, &err));
	assert_false(equal);
	content_cursor_free(ca);
	content_cursor_free(cb);
	fake_chunks_free(c);
}

static void
equal__reads_nothing_of_the_same(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct rng g = rng_new();
	struct model m = model_new(c, &g, 500, 300);
	struct content_cursor *ca = open_cursor(c, &m.content, m.size);
	struct content_cursor *cb = open_cursor(c, &m.content, m.size);
	struct content_cursor *shorter;
	struct content h = {.form = CONTENT_INLINE_LIST, .n = 1};
	size_t gets = fake_gets(c);
	bool equal;

	(void)state;
	assert_ok(content_equal(ca, cb, true, &equal, &err));
	assert_true(equal);
	assert_int_equal(fake_gets(c), gets);
	h.inl[0] = hole(m.size + 1);
	shorter = open_cursor(c, &h, m.size + 1);
	assert_ok(content_equal(ca, shorter, false, &equal, &err));
	assert_false(equal);
	assert_int_equal(fake_gets(c), gets);
	assert_ok(content_equal(ca, cb, false, &equal, &err));
	assert_true(equal);
	assert_true(fake_gets(c) > gets + 500);
	content_cursor_free(shorter);
	content_cursor_free(ca);
	content_cursor_free(cb);
	model_free(&m);
	fake_chunks_free(c);
}

/* --- having packs at hand ------------------------------------------------- */

#define HALF ((uint64_t)MIB / 2)

static void
fetch__asks_for_what_lies_there_and_a_little_further(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct element els[3000];
	struct content content;
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(els); i++)
		els[i] = data_element(HALF, i);
	els[20] = hole(HALF);
	content = build(c, els, ARRAY_LEN(els), &size);
	{
		AUTO(content_cursor)
		struct content_cursor *cur = open_cursor(c, &content, size);

		content_fetch(cur, 2900 * HALF + 5);
		assert_int_equal(fake_fetches(c), 1);
		assert_memory_equal(
		    fake_fetched(c), &els[2900].name, CHUNK_NAME_LEN);
		assert_memory_equal(
		    fake_fetched_other(c), &els[2902].name, CHUNK_NAME_LEN);
		/* In a hole, just before one, and at the end. */
		content_fetch(cur, 20 * HALF);
		content_fetch(cur, 18 * HALF);
		content_fetch(cur, size - MIB);
		content_fetch(cur, size);
		content_fetch(cur, UINT64_MAX - 5);
		assert_int_equal(fake_fetches(c), 1);
		content_fetch(cur, size - MIB - 1);
		content_fetch(cur, 0);
		assert_int_equal(fake_fetches(c), 3);
	}
	fake_chunks_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read__agrees_with_a_reference),
	    cmocka_unit_test(seek__agrees_with_a_reference),
	    cmocka_unit_test(seek__passes_over_what_has_no_hole),
	    cmocka_unit_test(seek__does_not_believe_in_holes_alone),
	    cmocka_unit_test(read__passes_a_hole_of_a_tebibyte),
	    cmocka_unit_test(read__reports_damage),
	    cmocka_unit_test(read__refuses_a_list_that_does_not_descend),
	    cmocka_unit_test(equal__compares_bytes_however_they_are_cut),
	    cmocka_unit_test(equal__takes_only_zeros_for_a_hole),
	    cmocka_unit_test(equal__skips_only_what_starts_alike),
	    cmocka_unit_test(equal__reads_nothing_of_the_same),
	    cmocka_unit_test(
		fetch__asks_for_what_lies_there_and_a_little_further),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
