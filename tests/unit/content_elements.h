#ifndef TESTS_UNIT_CONTENT_ELEMENTS_H
#define TESTS_UNIT_CONTENT_ELEMENTS_H

/* Elements of contents, and contents built of them. */
#include "tests/unit/tree_fixture.h"

#define MIB (1024 * 1024)
#define TIB (UINT64_C(1) << 40)

/* An element of data whose chunk is not there; its name follows from ${i}. */
static inline UNUSED struct element
data_element(uint64_t len, uint64_t i)
{
	struct rng g = {i * 7919 + 3};
	struct element el = {.len = len};

	for (size_t k = 0; k < sizeof(el.name.b); k++)
		el.name.b[k] = (uint8_t)rng_next(&g);
	return el;
}

static inline UNUSED struct element
hole(uint64_t len)
{
	return (struct element){.len = len, .hole = true};
}

/* An element whose chunk is taken in. */
static inline UNUSED struct element
stored_element(struct chunks *c, const void *buf, size_t len)
{
	struct element el = {.len = len};

	assert_ok(
	    ingest_chunk(fake_lane(c), CHUNK_DATA, buf, len, &el.name, &err));
	return el;
}

static inline UNUSED struct content
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

static inline UNUSED struct content_cursor *
open_cursor(struct chunks *c, const struct content *content, uint64_t size)
{
	struct content_cursor *cur;

	assert_ok(content_cursor_new(c, content, size, &cur, &err));
	return cur;
}

#endif
