/* An index that is damaged; and one that is malformed, but sealed. */
#include "tests/unit/index_fixture.h"

/* --- damaged ------------------------------------------------------------- */

/* Open and look everything up: the first failure, or 0. */
static int
read_all(struct fixture *f, const uint8_t *buf, size_t len, struct err *err)
{
	AUTO(index) struct index *ix = NULL;
	struct object_ref ref = {.cls = OBJECT_INDEX};
	uint8_t *exact = malloc(len);
	struct chunk_place place;
	int rc;

	/* In memory that ends where the bytes do, so that ASan sees. */
	memcpy(exact, buf, len);
	memcpy(ref.dataset, f->ks->dataset, sizeof(ref.dataset));
	rc = index_open_bytes(exact, len, &ref, f->kr, &ix, err);
	for (uint64_t i = 0; rc == 0 && i < 20; i++) {
		struct chunk_name name = name_of(i);

		rc = index_find(ix, &name, &place, err);
	}
	index_close(STEAL(ix));
	free(exact);
	return rc;
}

static void
read__every_truncation_fails(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	struct object_ref ref;
	const uint8_t *buf;
	size_t len;

	made_up(&p, 0, 2, 10, 1000);
	ref = put_index(f, &p, 1);
	buf = memstore_bytes(f->store, &ref, &len);
	for (size_t cut = 0; cut < len; cut++)
		assert_rc(ERR_CORRUPT, read_all(f, buf, cut, &err));
	assert_ok(read_all(f, buf, len, &err));
}

static bool
right_failure(size_t at, int rc)
{
	if (at >= 4 && at < 6)
		return rc == ERR_VERSION;
	if (at >= 24 && at < 28)
		return rc == ERR_DENIED; /* of an epoch that we lack */
	if (at >= 32 && at < 96)
		return rc == ERR_AUTH;
	return rc == ERR_CORRUPT;
}

static void
read__every_bit_flip_fails(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	struct object_ref ref;
	uint8_t *buf;
	size_t len;

	made_up(&p, 0, 2, 10, 1000);
	ref = put_index(f, &p, 1);
	buf = memstore_bytes(f->store, &ref, &len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct err err = {0};
		int rc;

		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		rc = read_all(f, buf, len, &err);
		if (!right_failure(bit / 8, rc))
			fail_msg("bit %zu: %d: %s", bit, rc, err.text);
		assert_int_equal(err.code, rc);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void
read__swapped_pages_fail(void **state)
{
	const size_t page = PAGE_ENTRIES * ENTRY + TAG;
	struct fixture *f = *state;
	struct packed p;
	struct object_ref ref;
	uint8_t *buf, *hold = malloc(page);
	size_t len;

	made_up(&p, 0, 2, 1100, 1000);
	ref = put_index(f, &p, 1);
	buf = memstore_bytes(f->store, &ref, &len) + HEADS + PACK;
	memcpy(hold, buf, page);
	memcpy(buf, buf + page, page);
	memcpy(buf + page, hold, page);
	buf = memstore_bytes(f->store, &ref, &len);
	assert_fails(ERR_CORRUPT, "damaged", read_all(f, buf, len, &err));
	free(hold);
}

/* --- malformed, but sealed by somebody who has the key ------------------ */

#define SEALED 100 /* of each segment below */

struct parts {
	struct index_summary s;
	uint64_t firsts[2];
	struct index_pack packs[2];
	struct index_segment segments[3];
};

/* Two pages; two packs of 2 segments and 1. */
static void
make_parts(struct parts *p)
{
	*p = (struct parts){
	    .packs = {{.name = {1}, .size = 1024, .n = 2},
		{.kind = PACK_META, .size = 1024, .first = 2, .n = 1}},
	    .segments = {{128, SEALED}, {128 + SEALED, SEALED}, {128, SEALED}},
	};
	p->firsts[0] = 0x0101010101010101;
	p->firsts[1] = 0x0202020202020202;
	p->s = (struct index_summary){
	    .entries = PAGE_ENTRIES + 2,
	    .npages = 2,
	    .firsts = p->firsts,
	    .npacks = 2,
	    .packs = p->packs,
	    .nsegments = 3,
	};
}

/* Decode what ${p} says, but for the last ${cut} bytes of the summary. */
static int
decode_parts(const struct parts *p, size_t cut, struct err *err)
{
	INDEX_SUMMARY_AUTO struct index_summary out = {0};
	WR_AUTO struct wr packs = {0};
	WR_AUTO struct wr w = {0};
	int rc;

	for (size_t i = 0; i < p->s.npacks; i++)
		index_pack_encode(&p->packs[i], &packs);
	index_summary_encode(&p->s, &w);
	rc = index_packs_decode(packs.buf, p->s.npacks, &out, err);
	return rc != 0 ? rc
		       : index_summary_decode(w.buf, w.len - cut, &out, err);
}

/* One field of ${p} is wrong. */
#define summary_fails(change)                                                  \
	do {                                                                   \
		make_parts(&p);                                                \
		change;                                                        \
		assert_rc(ERR_CORRUPT, decode_parts(&p, 0, &err));             \
	} while (0)

static void
summary__malformed_fields_fail(void **state)
{
	struct parts p;

	(void)state;
	make_parts(&p);
	assert_ok(decode_parts(&p, 0, &err));
	summary_fails(p.s.entries = 0);
	summary_fails(p.s.entries = PAGE_ENTRIES);
	summary_fails(p.s.entries = 2 * PAGE_ENTRIES + 1);
	summary_fails(p.s.entries = (uint64_t)1 << 40);
	summary_fails(p.firsts[1] = p.firsts[0] - 1);
	summary_fails(p.packs[1].kind = 2);
	summary_fails(
	    memcpy(p.packs[0].name, p.packs[1].name, sizeof(p.packs[0].name)));
	summary_fails(p.packs[0].size = PACK_LIMIT + 1);
	summary_fails(p.packs[0].n = 0);
	summary_fails(p.packs[0].n = PACK_LIMIT + 1);
	/* Names are long enough to be told apart by their first bytes, but need
	 * not be. */
	make_parts(&p);
	p.firsts[1] = p.firsts[0];
	assert_ok(decode_parts(&p, 0, &err));
}

static void
summary__leftovers_and_truncations_fail(void **state)
{
	INDEX_SUMMARY_AUTO struct index_summary whole = {0};
	WR_AUTO struct wr packs = {0};
	WR_AUTO struct wr w = {0};
	struct parts p;

	(void)state;
	make_parts(&p);
	index_summary_encode(&p.s, &w);
	for (size_t cut = 1; cut <= w.len; cut++)
		assert_rc(ERR_CORRUPT, decode_parts(&p, cut, &err));
	for (size_t i = 0; i < p.s.npacks; i++)
		index_pack_encode(&p.packs[i], &packs);
	wr_u8(&w, 0);
	assert_ok(index_packs_decode(packs.buf, p.s.npacks, &whole, &err));
	assert_rc(
	    ERR_CORRUPT, index_summary_decode(w.buf, w.len, &whole, &err));
}

#define segment_fails(i, change)                                               \
	do {                                                                   \
		make_parts(&p);                                                \
		change;                                                        \
		assert_false(index_segment_ok(&p.s, i, &p.segments[i]));       \
	} while (0)

static void
segment__malformed_fails(void **state)
{
	struct parts p;

	(void)state;
	make_parts(&p);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(index_segment_ok(&p.s, i, &p.segments[i]));
	segment_fails(1, p.packs[0].size = 128 + 2 * SEALED + 16);
	/* Before the first place, and after it; too short; too long. */
	segment_fails(0, p.segments[0].offset = 127);
	segment_fails(0, p.segments[0].offset = 129);
	segment_fails(1, p.segments[1].offset = 127);
	segment_fails(2, p.segments[2].offset++);
	segment_fails(2, p.segments[2].sealed_len = 16);
	segment_fails(2, p.segments[2].sealed_len = 1024);
	segment_fails(2, p.segments[2].sealed_len = UINT32_MAX);
}

/* The second page: two entries, the second of them up to the caller. */
static void
page_rc(int want, uint8_t first, uint8_t second, uint32_t segment)
{
	WR_AUTO struct wr w = {0};
	struct index_entry e[2] = {{.segment = 0}, {.segment = segment}};
	struct parts p;

	make_parts(&p);
	memset(&e[0].name, first, sizeof(e[0].name));
	memset(&e[1].name, second, sizeof(e[1].name));
	index_entry_encode(&e[0], &w);
	index_entry_encode(&e[1], &w);
	assert_rc(want, index_page_check(&p.s, 1, w.buf, w.len, &err));
	assert_rc(
	    ERR_CORRUPT, index_page_check(&p.s, 1, w.buf, w.len - 1, &err));
	/* As the first page it would have to be full. */
	assert_rc(ERR_CORRUPT, index_page_check(&p.s, 0, w.buf, w.len, &err));
}

static void
page__malformed_entries_fail(void **state)
{
	(void)state;
	page_rc(0, 2, 3, 2);
	page_rc(ERR_CORRUPT, 2, 3, 3);
	page_rc(ERR_CORRUPT, 2, 2, 0);
	page_rc(ERR_CORRUPT, 2, 1, 0);
	page_rc(ERR_CORRUPT, 1, 3, 0);
}

/* The first page, full: its last name is up to the caller. */
static void
page__must_end_before_the_next(void **state)
{
	WR_AUTO struct wr w = {0};
	struct index_entry e = {.segment = 0};
	struct parts p;
	uint8_t *last;

	(void)state;
	make_parts(&p);
	p.firsts[0] = 0;
	for (unsigned i = 0; i < PAGE_ENTRIES; i++) {
		e.name.b[30] = (uint8_t)(i >> 8);
		e.name.b[31] = (uint8_t)i;
		index_entry_encode(&e, &w);
	}
	assert_ok(index_page_check(&p.s, 0, w.buf, w.len, &err));
	last = w.buf + w.len - ENTRY;
	memset(last, 2, 32);
	last[7] = 3;
	assert_rc(ERR_CORRUPT, index_page_check(&p.s, 0, w.buf, w.len, &err));
	last[7] = 2;
	assert_ok(index_page_check(&p.s, 0, w.buf, w.len, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(read__every_truncation_fails),
	    content_test(read__every_bit_flip_fails),
	    content_test(read__swapped_pages_fail),
	    cmocka_unit_test(summary__malformed_fields_fail),
	    cmocka_unit_test(summary__leftovers_and_truncations_fail),
	    cmocka_unit_test(segment__malformed_fails),
	    cmocka_unit_test(page__malformed_entries_fail),
	    cmocka_unit_test(page__must_end_before_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
