/* The chunk list of a big file: a tree, of which a change rewrites little. */
#include "snapshot/content/list.h"
#include "tests/unit/content_elements.h"

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
	uint64_t size, start;
	struct content content = build_many(c, SIZE_MAX, &size);
	struct content_cursor *cur = open_cursor(c, &content, size);
	size_t gets;

	(void)state;
	assert_int_equal(size, start_of_nth(MANY));
	assert_int_equal(content.level, 3);
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
	for (uint64_t at = 0; at < size; at = start + el.len)
		assert_ok(content_at(cur, at, &el, &start, &err));
	assert_int_equal(fake_gets(c) - gets, fake_count(c, CHUNK_LIST));
	assert_int_equal(
	    size - content.holes, (MANY - MANY / 7) * (uint64_t)100);
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
	assert_string_equal(text, "6863a9f73abf1d97");
	assert_int_equal(fake_count(c, CHUNK_LIST), 18512);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(at__finds_each_of_millions),
	    cmocka_unit_test(finish__always_makes_the_same_nodes),
	    cmocka_unit_test(finish__leaves_out_a_root_of_one_child),
	    cmocka_unit_test(finish__rewrites_one_node_a_level),
	    cmocka_unit_test(finish__makes_small_nodes_of_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
