/* The chunks of a file, as they are written down and built. */
#include "snapshot/content/list.h"
#include "tests/unit/content_elements.h"

/* --- to the byte --------------------------------------------------------- */

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
	c.holes = 300;
	memset(c.root.b, 0xcd, 32);
	content_encode(&c, &w);
	assert_int_equal(w.len, 36);
	assert_memory_equal(w.buf, "\x02\x03\xac\x02", 4);
	assert_memory_equal(w.buf + 4, c.root.b, 32);

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
	assert_int_equal(d.holes, 1 + 4 + 7 + 10 + 13 + 16);
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
	wr_reset(&w);
	tree.holes = 3;
	content_encode(&tree, &w);
	assert_int_equal(decode_field(&w, 3, &d), 0);
	assert_int_equal(d.holes, 3);
	assert_int_equal(decode_field(&w, 2, &d), ERR_CORRUPT);
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
	assert_int_equal(node.holes, 3);
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
list_decode__refuses_more_holes_than_bytes(void **state)
{
	const struct chunk_name name = {{7}};
	struct list_node node = {0};
	WR_AUTO struct wr w = {0};

	(void)state;
	list_put_head(1, 2, &w);
	list_put_child(5, 5, &name, &w);
	list_put_child(9, 2, &name, &w);
	assert_ok(list_decode(w.buf, w.len, &node, &err));
	assert_int_equal(node.holes, 7);
	assert_int_equal(node.items[1].end, 14);
	assert_int_equal(node.items[1].holes, 2);
	wr_reset(&w);
	list_put_head(1, 1, &w);
	list_put_child(5, 6, &name, &w);
	assert_rc(ERR_CORRUPT, list_decode(w.buf, w.len, &node, &err));
	list_clear(&node);
}

/* --- building ------------------------------------------------------------- */

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encode__gives_the_bytes_of_the_format),
	    cmocka_unit_test(decode__mirrors_encode),
	    cmocka_unit_test(decode__refuses_what_does_not_add_up),
	    cmocka_unit_test(decode__refuses_what_exceeds_a_limit),
	    cmocka_unit_test(list_decode__refuses_the_malformed),
	    cmocka_unit_test(list_decode__refuses_more_holes_than_bytes),
	    cmocka_unit_test(finish__lists_up_to_four_in_place),
	    cmocka_unit_test(add__joins_neighbouring_holes),
	    cmocka_unit_test(add__refuses_what_cannot_be),
	    cmocka_unit_test(finish__starts_over_after_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
