/* Packs that are damaged, or in the place of another. */
#include "tests/unit/pack_fixture.h"

/* --- in the place of another -------------------------------------------- */

static void
open__of_another_dataset(void **state)
{
	struct fixture *f = *state;
	struct fixture other = {.store = f->store};
	struct object_ref ref;
	struct packed p;
	uint8_t *buf;
	size_t len;

	fixture_keys(&other, "other");
	put_pack(&other, &p, 0, 1, 1, 100);
	/* Moved into our dataset as it is. */
	ref = p.ref;
	memcpy(ref.dataset, f->ks->dataset, sizeof(ref.dataset));
	buf = memstore_bytes(f->store, &p.ref, &len);
	memstore_set(f->store, &ref, buf, len);
	assert_fails(
	    ERR_CORRUPT, "another dataset", read_all(f, &ref, &p, 100, &err));
	assert_fails(ERR_CORRUPT, "another dataset",
	    pack_check_shape(f->store, &ref, &err));
	/* With our id written over its own: the commitment does not hold. */
	buf = memstore_bytes(f->store, &ref, &len);
	memcpy(buf + 9, f->ks->dataset, 16);
	assert_rc(ERR_AUTH, read_all(f, &ref, &p, 100, &err));
	fixture_free_keys(&other);
}

/*
 * Under another pack's name, all segments open: it is an authentic pack. That
 * the chunks are others is found out by who asked for one.
 */
static void
segment__of_a_pack_under_another_name(void **state)
{
	struct fixture *f = *state;
	AUTO(pack_openers) struct pack_openers *o = new_openers(f->kr);
	AUTO(pack) struct pack *pack = NULL;
	AUTO(segment) struct segment *s = NULL;
	struct packed a, b;
	struct chunk_name name = name_of(0);
	struct segment_chunk ch;
	uint8_t *buf;
	size_t len;

	put_pack(f, &a, 0, 2, 2, 5);
	put_pack(f, &b, 10, 2, 2, 5);
	assert_int_equal(a.places[0].sealed_len, b.places[0].sealed_len);
	buf = memstore_bytes(f->store, &b.ref, &len);
	memstore_set(f->store, &a.ref, buf, len);
	assert_ok(pack_open(f->store, o, &a.ref, &pack, &err));
	assert_ok(pack_segment(pack, &a.places[0], &s, &err));
	assert_false(segment_find(s, &name, &ch));
}

static void
segment__swapped_segments_fail(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	uint8_t *buf, *first, *second, *hold;
	size_t len, n;

	put_pack(f, &p, 0, 3, 2, 5);
	n = p.places[0].sealed_len;
	assert_int_equal(n, p.places[1].sealed_len);
	buf = memstore_bytes(f->store, &p.ref, &len);
	first = buf + p.places[0].offset;
	second = buf + p.places[1].offset;
	hold = malloc(n);
	memcpy(hold, first, n);
	memcpy(first, second, n);
	memcpy(second, hold, n);
	free(hold);
	assert_fails(ERR_CORRUPT, "segment 0: damaged",
	    read_all(f, &p.ref, &p, 5, &err));
}

/* Right bytes under a wrong number or from a wrong place. */
static void
segment__wrong_places_fail(void **state)
{
	struct fixture *f = *state;
	AUTO(pack_openers) struct pack_openers *o = new_openers(f->kr);
	AUTO(pack) struct pack *pack = NULL;
	struct segment *s;
	struct packed p;
	struct segment_place bad[9];

	put_pack(f, &p, 0, 3, 2, 100);
	assert_ok(pack_open(f->store, o, &p.ref, &pack, &err));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = p.places[1];
	bad[0].number = 2;
	bad[1].offset++;
	bad[2].sealed_len--;
	bad[3].offset = 0;
	bad[4].offset = UINT32_MAX;
	bad[5].sealed_len = 0;
	bad[6].sealed_len = UINT32_MAX;
	bad[7].sealed_len = SEGMENT_PLAIN_MAX + TAG;
	bad[8].offset = (uint32_t)p.size;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_fails(ERR_CORRUPT, "segment ",
		    pack_segment(pack, &bad[i], &s, &err));
		assert_null(s);
	}
	assert_ok(pack_segment(pack, &p.places[1], &s, &err));
	segment_unref(s);
}

static void
segment__kinds_must_fit_the_pack(void **state)
{
	struct fixture *f = *state;
	AUTO(pack_writer) struct pack_writer *w = NULL;
	WR_AUTO struct wr plain = {0};
	struct packed p = {.n = 1, .per_segment = 1};

	put_segment(&plain, 0, 1, 100, CHUNK_TREE);
	assert_ok(pack_writer_new(
	    f->store, f->run, f->ks->dataset, PACK_DATA, &w, &err));
	assert_ok(pack_writer_add(w, plain.buf, plain.len, &p.places[0], &err));
	assert_ok(pack_writer_commit(w, &p.ref, &p.size, &err));
	assert_fails(
	    ERR_CORRUPT, "can't hold", read_all(f, &p.ref, &p, 100, &err));
}

/* --- damaged ------------------------------------------------------------ */

static void
read__every_truncation_fails(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	uint8_t *copy, *buf;
	size_t len;

	put_pack(f, &p, 0, 2, 2, 50);
	buf = memstore_bytes(f->store, &p.ref, &len);
	copy = malloc(len);
	memcpy(copy, buf, len);
	for (size_t cut = 0; cut < len; cut++) {
		memstore_set(f->store, &p.ref, copy, cut);
		assert_rc(ERR_CORRUPT, read_all(f, &p.ref, &p, 50, &err));
		assert_rc(
		    ERR_CORRUPT, pack_check_shape(f->store, &p.ref, &err));
	}
	free(copy);
}

/* What the flip of a bit at ${at} must give. */
static bool
right_failure(size_t at, size_t len, int rc)
{
	if (at >= 4 && at < 6)
		return rc == ERR_VERSION;
	if (at >= 25 && at < 29)
		return rc == ERR_DENIED; /* of an epoch that we lack */
	if (at == 8)
		return rc == ERR_AUTH || rc == ERR_CORRUPT; /* kind */
	if (at >= 29 && at < 125)
		return rc == ERR_AUTH;
	return rc == ERR_CORRUPT && at < len;
}

static void
read__every_bit_flip_fails(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	uint8_t *buf;
	size_t len;

	put_pack(f, &p, 0, 2, 2, 50);
	buf = memstore_bytes(f->store, &p.ref, &len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct err err = {0};
		int rc;

		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		rc = read_all(f, &p.ref, &p, 50, &err);
		if (!right_failure(bit / 8, len, rc))
			fail_msg("bit %zu: %d: %s", bit, rc, err.text);
		assert_int_equal(err.code, rc);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_ok(read_all(f, &p.ref, &p, 50, &err));
}

static void
open__missing_is_not_damaged(void **state)
{
	struct fixture *f = *state;
	AUTO(pack_openers) struct pack_openers *o = new_openers(f->kr);
	AUTO(pack) struct pack *pack = NULL;
	struct segment_place *places;
	struct segment *s;
	struct packed p;
	size_t n;

	put_pack(f, &p, 0, 1, 2, 50);
	assert_ok(pack_open(f->store, o, &p.ref, &pack, &err));
	assert_ok(store_remove(f->store, &p.ref, &err));
	assert_rc(ERR_NOT_FOUND, pack_segment(pack, &p.places[0], &s, &err));
	assert_rc(ERR_NOT_FOUND, pack_table(pack, &places, &n, &err));
	assert_rc(ERR_NOT_FOUND, read_all(f, &p.ref, &p, 50, &err));
	assert_rc(ERR_NOT_FOUND, pack_check_shape(f->store, &p.ref, &err));
	memstore_fail(f->store, ERR_IO);
	assert_rc(ERR_IO, pack_segment(pack, &p.places[0], &s, &err));
	assert_rc(ERR_IO, read_all(f, &p.ref, &p, 50, &err));
}

/* Malformed, but sealed by somebody who has the key. */
static void
table_rc(int want, uint64_t count, uint64_t second, uint8_t padding)
{
	WR_AUTO struct wr w = {0};
	struct segment_place *places;
	size_t n;

	wr_varint(&w, count);
	wr_varint(&w, 100);
	wr_varint(&w, second);
	wr_u8(&w, 0);
	wr_u8(&w, padding);
	assert_rc(want,
	    pack_table_decode(w.buf, w.len, HEADER + 300, &places, &n, &err));
	if (want == 0) {
		assert_int_equal(n, 2);
		assert_int_equal(places[0].offset, HEADER);
		assert_int_equal(places[1].number, 1);
		assert_int_equal(places[1].offset, HEADER + 100);
		assert_int_equal(places[1].sealed_len, 200);
	} else {
		assert_null(places);
	}
	free(places);
}

static void
table__malformed_fields_fail(void **state)
{
	(void)state;
	table_rc(0, 2, 200, 0);
	table_rc(ERR_CORRUPT, 2, 200, 1);
	table_rc(ERR_CORRUPT, 2, 199, 0);
	table_rc(ERR_CORRUPT, 2, 201, 0);
	table_rc(ERR_CORRUPT, 2, UINT64_MAX, 0);
	table_rc(ERR_CORRUPT, 0, 200, 0);
	table_rc(ERR_CORRUPT, 1, 200, 0);
	table_rc(ERR_CORRUPT, 3, 200, 0);
	table_rc(ERR_CORRUPT, UINT64_MAX, 200, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(open__of_another_dataset),
	    content_test(segment__of_a_pack_under_another_name),
	    content_test(segment__swapped_segments_fail),
	    content_test(segment__wrong_places_fail),
	    content_test(segment__kinds_must_fit_the_pack),
	    content_test(read__every_truncation_fails),
	    content_test(read__every_bit_flip_fails),
	    content_test(open__missing_is_not_damaged),
	    cmocka_unit_test(table__malformed_fields_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
