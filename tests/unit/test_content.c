#include "snapshot/content/list.h"
#include "tests/unit/tree_fixture.h"

#define MIB (1024 * 1024)
#define TIB (UINT64_C(1) << 40)

/* An element of data whose chunk is not there; its name follows from ${i}. */
static struct element
data_element(uint64_t len, uint64_t i)
{
	struct rng g = {i * 7919 + 3};
	struct element el = {.len = len};

	for (size_t k = 0; k < sizeof(el.name.b); k++)
		el.name.b[k] = (uint8_t)rng_next(&g);
	return el;
}

static struct element
hole(uint64_t len)
{
	return (struct element){.len = len, .hole = true};
}

/* An element whose chunk is taken in. */
static struct element
stored_element(struct chunks *c, const void *buf, size_t len)
{
	struct element el = {.len = len};

	assert_ok(
	    ingest_chunk(fake_lane(c), CHUNK_DATA, buf, len, &el.name, &err));
	return el;
}

static struct content
build(struct chunks *c, const struct element *els, size_t n, uint64_t *size)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	struct content out;

	assert_ok(content_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++)
		assert_ok(content_builder_add(b, fake_lane(c), &els[i], &err));
	assert_ok(content_builder_finish(b, fake_lane(c), &out, size, &err));
	return out;
}

static struct content_cursor *
open_cursor(struct chunks *c, const struct content *content, uint64_t size)
{
	struct content_cursor *cur;

	assert_ok(content_cursor_new(c, content, size, &cur, &err));
	return cur;
}

static int
decode_field(const struct wr *w, uint64_t size, struct content *out)
{
	struct rd r = rd_init(w->buf, w->len);
	int rc = content_decode(&r, size, out, NULL);

	return rc == 0 && !rd_done(&r) ? ERR_BUG : rc;
}

static void
encode__gives_the_bytes_of_the_format(void **state)
{
	struct content c = {.form = CONTENT_INLINE_LIST, .n = 2};
	WR_AUTO struct wr w = {0};
	uint8_t want[1 + 1 + 1 + 2 + 32] = {1, 2, 5 * 2 + 1, 0xd8, 0x04};

	(void)state;
	c.inl[0] = hole(5);
	c.inl[1] = (struct element){.len = 300};
	memset(c.inl[1].name.b, 0xab, 32);
	memset(want + 5, 0xab, 32);
	content_encode(&c, &w);
	assert_int_equal(w.len, sizeof(want));
	assert_memory_equal(w.buf, want, sizeof(want));

	wr_reset(&w);
	c.form = CONTENT_TREE;
	c.level = 3;
	memset(c.root.b, 0xcd, 32);
	content_encode(&c, &w);
	assert_int_equal(w.len, 34);
	assert_int_equal(w.buf[0], 2);
	assert_int_equal(w.buf[1], 3);
	assert_memory_equal(w.buf + 2, c.root.b, 32);

	wr_reset(&w);
	c.form = CONTENT_EMPTY;
	content_encode(&c, &w);
	assert_int_equal(w.len, 1);
	assert_int_equal(w.buf[0], 0);
}

static void
decode__mirrors_encode(void **state)
{
	struct content c = {.form = CONTENT_INLINE_LIST, .n = 16}, d;
	WR_AUTO struct wr w = {0};

	(void)state;
	for (size_t i = 0; i < 16; i++)
		c.inl[i] = i % 3 == 0 ? hole(1 + i) : data_element(1 + i, i);
	content_encode(&c, &w);
	assert_int_equal(decode_field(&w, 16 * 17 / 2, &d), 0);
	assert_int_equal(d.form, CONTENT_INLINE_LIST);
	assert_int_equal(d.n, 16);
	for (size_t i = 0; i < 16; i++) {
		assert_int_equal(d.inl[i].len, 1 + i);
		assert_int_equal(d.inl[i].hole, i % 3 == 0);
		assert_memory_equal(&d.inl[i].name, &c.inl[i].name, 32);
	}
	for (size_t cut = 0; cut < w.len; cut++) {
		struct wr part = {.buf = w.buf, .len = cut};

		assert_int_equal(
		    decode_field(&part, 16 * 17 / 2, &d), ERR_CORRUPT);
	}
}

static void
decode__refuses_what_does_not_add_up(void **state)
{
	struct content c = {.form = CONTENT_INLINE_LIST, .n = 1}, d;
	WR_AUTO struct wr w = {0};

	(void)state;
	c.inl[0] = hole(10);
	content_encode(&c, &w);
	assert_int_equal(decode_field(&w, 10, &d), 0);
	assert_int_equal(decode_field(&w, 9, &d), ERR_CORRUPT);
	assert_int_equal(decode_field(&w, 11, &d), ERR_CORRUPT);
	assert_int_equal(decode_field(&w, 0, &d), ERR_CORRUPT);

	wr_reset(&w);
	wr_u8(&w, CONTENT_EMPTY);
	assert_int_equal(decode_field(&w, 0, &d), 0);
	assert_int_equal(decode_field(&w, 1, &d), ERR_CORRUPT);
}

static void
decode__refuses_what_exceeds_a_limit(void **state)
{
	struct content c = {.form = CONTENT_INLINE_LIST, .n = 1}, d;
	struct content tree = {.form = CONTENT_TREE, .level = 7};
	WR_AUTO struct wr w = {0};

	(void)state;
	c.inl[0] = data_element(CHUNK_MAX, 1);
	content_encode(&c, &w);
	assert_int_equal(decode_field(&w, CHUNK_MAX, &d), 0);
	wr_reset(&w);
	c.inl[0].len++;
	content_encode(&c, &w);
	assert_int_equal(decode_field(&w, CHUNK_MAX + 1, &d), ERR_CORRUPT);
	wr_reset(&w);
	c.inl[0] = hole(CONTENT_SIZE_MAX);
	content_encode(&c, &w);
	assert_int_equal(decode_field(&w, CONTENT_SIZE_MAX, &d), 0);
	wr_reset(&w);
	c.inl[0] = hole(0);
	content_encode(&c, &w);
	assert_int_equal(decode_field(&w, 0, &d), ERR_CORRUPT);
	wr_reset(&w);
	wr_u8(&w, 3);
	assert_int_equal(decode_field(&w, 0, &d), ERR_CORRUPT);
	wr_reset(&w);
	wr_u8(&w, CONTENT_INLINE_LIST);
	wr_varint(&w, 17);
	for (size_t i = 0; i < 17; i++)
		wr_varint(&w, 3);
	assert_int_equal(decode_field(&w, 17, &d), ERR_CORRUPT);
	wr_reset(&w);
	wr_u8(&w, CONTENT_INLINE_LIST);
	wr_varint(&w, 0);
	assert_int_equal(decode_field(&w, 0, &d), ERR_CORRUPT);
	wr_reset(&w);
	content_encode(&tree, &w);
	assert_int_equal(decode_field(&w, 1, &d), 0);
	assert_int_equal(decode_field(&w, 0, &d), ERR_CORRUPT);
	assert_int_equal(
	    decode_field(&w, CONTENT_SIZE_MAX + 1, &d), ERR_CORRUPT);
	w.buf[1] = 8;
	assert_int_equal(decode_field(&w, 1, &d), ERR_CORRUPT);
}

static void
list_decode__refuses_the_malformed(void **state)
{
	static const uint8_t ok[] = {0, 2, 3, 5};
	static const struct {
		size_t len;
		uint8_t b[8];
	} bad[] = {
	    {0, {0}},
	    {1, {0}},
	    {2, {0, 0}},          /* no items */
	    {4, {0, 3, 3, 5}},    /* more items than bytes */
	    {5, {0, 2, 3, 5, 0}}, /* left over */
	    {4, {0, 2, 1, 5}},    /* a hole of no bytes */
	    {4, {8, 2, 3, 5}},    /* level 8 */
	    {4, {0, 2, 0x83, 0}}, /* a varint not in its shortest form */
	    {5, {0, 0x82, 0, 3, 5}},
	};
	struct list_node node = {0};
	WR_AUTO struct wr w = {0};

	(void)state;
	assert_ok(list_decode(ok, sizeof(ok), &node, &err));
	assert_int_equal(node.n, 2);
	assert_int_equal(node.items[0].end, 1);
	assert_int_equal(node.items[1].end, 3);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_rc(ERR_CORRUPT,
		    list_decode(bad[i].b, bad[i].len, &node, &err));
	/* Lengths that add up to more than a file can have. */
	list_put_head(0, 3, &w);
	for (size_t i = 0; i < 3; i++)
		list_put_element(
		    &(struct element){
			.len = CONTENT_SIZE_MAX / 2 + 1, .hole = true},
		    &w);
	assert_rc(ERR_CORRUPT, list_decode(w.buf, w.len, &node, &err));
	assert_int_equal(node.n, 0);
	wr_reset(&w);
	list_put_head(0, LIST_ITEMS_MAX + 1, &w);
	for (size_t i = 0; i <= LIST_ITEMS_MAX; i++)
		wr_u8(&w, 3);
	assert_rc(ERR_CORRUPT, list_decode(w.buf, w.len, &node, &err));
	list_clear(&node);
}

static void
finish__lists_up_to_four_in_place(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct element els[5];
	uint64_t size;
	struct content out;

	(void)state;
	out = build(c, els, 0, &size);
	assert_int_equal(out.form, CONTENT_EMPTY);
	assert_int_equal(size, 0);
	for (size_t i = 0; i < 5; i++)
		els[i] = data_element(100, i);
	out = build(c, els, 4, &size);
	assert_int_equal(out.form, CONTENT_INLINE_LIST);
	assert_int_equal(out.n, 4);
	assert_int_equal(size, 400);
	assert_int_equal(fake_count(c, CHUNK_LIST), 0);
	out = build(c, els, 5, &size);
	assert_int_equal(out.form, CONTENT_TREE);
	assert_int_equal(out.level, 0);
	assert_int_equal(size, 500);
	assert_int_equal(fake_count(c, CHUNK_LIST), 1);
	fake_chunks_free(c);
}

static void
add__joins_neighbouring_holes(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct element els[] = {hole(TIB / 2), hole(TIB / 2),
	    data_element(10, 1), hole(1), hole(2), hole(3)};
	uint64_t size;
	struct content out = build(c, els, ARRAY_LEN(els), &size);

	(void)state;
	assert_int_equal(size, TIB + 16);
	assert_int_equal(out.form, CONTENT_INLINE_LIST);
	assert_int_equal(out.n, 3);
	assert_int_equal(out.inl[0].len, TIB);
	assert_true(out.inl[0].hole);
	assert_false(out.inl[1].hole);
	assert_int_equal(out.inl[2].len, 6);
	fake_chunks_free(c);
}

static void
add__refuses_what_cannot_be(void **state)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	struct chunks *c = fake_chunks_new(0);
	struct element el = hole(0);

	(void)state;
	assert_ok(content_builder_new(&b, &err));
	assert_rc(ERR_BUG, content_builder_add(b, fake_lane(c), &el, &err));
	el = data_element(CHUNK_MAX + 1, 0);
	assert_rc(ERR_BUG, content_builder_add(b, fake_lane(c), &el, &err));
	el = hole(CONTENT_SIZE_MAX);
	assert_ok(content_builder_add(b, fake_lane(c), &el, &err));
	el = hole(1);
	assert_rc(ERR_USAGE, content_builder_add(b, fake_lane(c), &el, &err));
	fake_chunks_free(c);
}

static void
finish__starts_over_after_a_failure(void **state)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	struct chunks *c = fake_chunks_new(0);
	struct content out;
	uint64_t size;

	(void)state;
	assert_ok(content_builder_new(&b, &err));
	for (size_t i = 0; i < 10; i++) {
		struct element el = data_element(9, i);

		assert_ok(content_builder_add(b, fake_lane(c), &el, &err));
	}
	fake_fail_at(c, 1);
	assert_rc(ERR_FULL,
	    content_builder_finish(b, fake_lane(c), &out, &size, &err));
	assert_ok(content_builder_finish(b, fake_lane(c), &out, &size, &err));
	assert_int_equal(out.form, CONTENT_EMPTY);
	fake_chunks_free(c);
}

/* Three million elements: every seventh a hole, data of 100 bytes each. */
#define MANY 3000000

static struct element
nth(size_t i)
{
	return i % 7 == 3 ? hole(1000) : data_element(100, i);
}

static uint64_t
start_of_nth(size_t i)
{
	size_t holes = (i + 3) / 7;

	return (i - holes) * 100 + holes * (uint64_t)1000;
}

static struct content
build_many(struct chunks *c, size_t changed, uint64_t *size)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	struct content out;

	assert_ok(content_builder_new(&b, &err));
	for (size_t i = 0; i < MANY; i++) {
		struct element el =
		    i == changed ? data_element(100, MANY + i) : nth(i);

		assert_ok(content_builder_add(b, fake_lane(c), &el, &err));
	}
	assert_ok(content_builder_finish(b, fake_lane(c), &out, size, &err));
	return out;
}

static void
at__finds_each_of_millions(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct rng g = rng_new();
	struct element el, want;
	uint64_t size, start, bytes;
	struct content content = build_many(c, SIZE_MAX, &size);
	struct content_cursor *cur = open_cursor(c, &content, size);
	size_t gets;

	(void)state;
	assert_int_equal(size, start_of_nth(MANY));
	assert_int_equal(content.level, 2);
	for (size_t i = 0; i < 20000; i++) {
		size_t k = (size_t)rng_below(&g, MANY);

		want = nth(k);
		assert_ok(
		    content_at(cur, start_of_nth(k) + rng_below(&g, want.len),
			&el, &start, &err));
		assert_int_equal(start, start_of_nth(k));
		assert_int_equal(el.len, want.len);
		assert_int_equal(el.hole, want.hole);
		if (!want.hole)
			assert_memory_equal(&el.name, &want.name, 32);
	}
	/* One pass reads each node once. */
	content_cursor_free(cur);
	cur = open_cursor(c, &content, size);
	gets = fake_gets(c);
	assert_ok(content_allocated(cur, &bytes, &err));
	assert_int_equal(fake_gets(c) - gets, fake_count(c, CHUNK_LIST));
	assert_int_equal(bytes, (MANY - MANY / 7) * (uint64_t)100);
	assert_rc(ERR_BUG, content_at(cur, size, &el, &start, &err));
	content_cursor_free(cur);
	assert_int_equal(fake_pinned(c), 0);
	fake_chunks_free(c);
}

/* Where nodes end, and all their bytes: what was stored has to stay known. */
static void
finish__always_makes_the_same_nodes(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	uint64_t size;
	struct content content = build_many(c, SIZE_MAX, &size);
	char text[CONTENT_NAME_TEXT];

	(void)state;
	content_name_text(&content.root, text);
	assert_string_equal(text, "da7841f6aa707ecf");
	assert_int_equal(fake_count(c, CHUNK_LIST), 18510);
	fake_chunks_free(c);
}

/* A node above the others has two children at least. */
static void
finish__leaves_out_a_root_of_one_child(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct element els[600];
	struct list_node node = {0};
	size_t levels[2] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(els); i++)
		els[i] = data_element(9, i);
	for (size_t n = 5; n <= ARRAY_LEN(els); n++) {
		uint64_t size;
		struct content content = build(c, els, n, &size);
		CHUNK_AUTO struct chunk ch = {0};

		assert_ok(
		    content_chunk(c, &content.root, CHUNK_LIST, 0, &ch, &err));
		assert_ok(list_decode(ch.data, ch.len, &node, &err));
		assert_int_equal(node.level, content.level);
		assert_true(content.level == 0 || node.n > 1);
		levels[content.level]++;
	}
	assert_true(levels[0] > 10 && levels[1] > 10);
	list_clear(&node);
	fake_chunks_free(c);
}

static void
finish__rewrites_one_node_a_level(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	uint64_t size, size2;
	struct content a = build_many(c, SIZE_MAX, &size), b;
	size_t before = fake_count(c, CHUNK_LIST);
	struct content_cursor *ca, *cb;
	bool equal;
	size_t gets;

	(void)state;
	b = build_many(c, MANY / 2, &size2);
	assert_int_equal(size, size2);
	assert_int_equal(b.level, a.level);
	assert_int_equal(fake_count(c, CHUNK_LIST) - before, a.level + 1);

	/* Comparing reads those and no others, then the chunk itself. */
	ca = open_cursor(c, &a, size);
	cb = open_cursor(c, &b, size);
	gets = fake_gets(c);
	assert_rc(ERR_CORRUPT, content_equal(ca, cb, true, &equal, &err));
	assert_int_equal(fake_gets(c) - gets, 2 * (a.level + 1u) + 1);
	content_cursor_free(ca);
	content_cursor_free(cb);
	fake_chunks_free(c);
}

/* List nodes that ${n} elements take, which all differ from others' */
static size_t
count_nodes(struct content_builder *b, size_t n)
{
	struct chunks *c = fake_chunks_new(0);
	struct content out;
	uint64_t size;
	size_t nodes;

	for (size_t i = 0; i < n; i++) {
		struct element el = data_element(8192, i);

		assert_ok(content_builder_add(b, fake_lane(c), &el, &err));
	}
	assert_ok(content_builder_finish(b, fake_lane(c), &out, &size, &err));
	assert_int_equal(size, n * 8192);
	nodes = fake_count(c, CHUNK_LIST);
	fake_chunks_free(c);
	return nodes;
}

/* So that a page that changes has few others' names stored again. */
static void
finish__makes_small_nodes_of_pages(void **state)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	const size_t n = 20000;
	size_t nodes;

	(void)state;
	assert_ok(content_builder_new(&b, &err));
	content_builder_pages(b, true);
	nodes = count_nodes(b, n);
	assert_in_range(nodes, n / 12, n / 5);
	/* The next file is no database, unless that is said again. */
	nodes = count_nodes(b, n);
	assert_in_range(nodes, n / 250, n / 100);
}

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

static void
read__passes_a_hole_of_a_tebibyte(void **state)
{
	struct chunks *c = fake_chunks_new(0);
	struct element els[] = {stored_element(c, "head", 4), hole(TIB),
	    stored_element(c, "tail", 4)};
	uint64_t size, pos, bytes;
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
	assert_ok(content_allocated(cur, &bytes, &err));
	assert_int_equal(bytes, 8);
	content_cursor_free(cur);
	fake_chunks_free(c);
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
	cur = open_cursor(c, &content, size - 1);
	assert_fails(ERR_CORRUPT, "another level or length",
	    content_read(cur, 0, buf, 10, &got, &err));
	content_cursor_free(cur);
	content.level = 1;
	cur = open_cursor(c, &content, size);
	assert_fails(ERR_CORRUPT, "another level or length",
	    content_read(cur, 0, buf, 10, &got, &err));
	content_cursor_free(cur);
	content.level = 0;
	fake_replace(c, &content.root, "\0\1\3\0", 4);
	cur = open_cursor(c, &content, 1);
	assert_fails(ERR_CORRUPT, "malformed node",
	    content_read(cur, 0, buf, 10, &got, &err));
	content_cursor_free(cur);
	fake_drop(c, &content.root);
	cur = open_cursor(c, &content, 1);
	assert_rc(ERR_CORRUPT, content_read(cur, 0, buf, 10, &got, &err));
	content_cursor_free(cur);
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
	list_put_child(100, &content.root, &w);
	fake_replace(c, &content.root, w.buf, w.len);
	cur = open_cursor(c, &content, 100);
	assert_rc(ERR_CORRUPT, content_read(cur, 0, buf, 4, &got, &err));
	content_cursor_free(cur);
	fake_chunks_free(c);
}

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encode__gives_the_bytes_of_the_format),
	    cmocka_unit_test(decode__mirrors_encode),
	    cmocka_unit_test(decode__refuses_what_does_not_add_up),
	    cmocka_unit_test(decode__refuses_what_exceeds_a_limit),
	    cmocka_unit_test(list_decode__refuses_the_malformed),
	    cmocka_unit_test(finish__lists_up_to_four_in_place),
	    cmocka_unit_test(add__joins_neighbouring_holes),
	    cmocka_unit_test(add__refuses_what_cannot_be),
	    cmocka_unit_test(finish__starts_over_after_a_failure),
	    cmocka_unit_test(at__finds_each_of_millions),
	    cmocka_unit_test(finish__always_makes_the_same_nodes),
	    cmocka_unit_test(finish__leaves_out_a_root_of_one_child),
	    cmocka_unit_test(finish__rewrites_one_node_a_level),
	    cmocka_unit_test(finish__makes_small_nodes_of_pages),
	    cmocka_unit_test(read__agrees_with_a_reference),
	    cmocka_unit_test(seek__agrees_with_a_reference),
	    cmocka_unit_test(read__passes_a_hole_of_a_tebibyte),
	    cmocka_unit_test(read__reports_damage),
	    cmocka_unit_test(read__refuses_a_list_that_does_not_descend),
	    cmocka_unit_test(equal__compares_bytes_however_they_are_cut),
	    cmocka_unit_test(equal__takes_only_zeros_for_a_hole),
	    cmocka_unit_test(equal__skips_only_what_starts_alike),
	    cmocka_unit_test(equal__reads_nothing_of_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
