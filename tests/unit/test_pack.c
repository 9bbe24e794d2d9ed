/* Packs: writing them, and reading what is in them. */
#include "tests/unit/pack_fixture.h"
#include "tests/unit/wiped.h"

static void
padded__is_padme(void **state)
{
	(void)state;
	/* By hand: E = 3, S = 2: the lowest bit is zero. */
	assert_int_equal(pack_padded(8), 8);
	assert_int_equal(pack_padded(9), 10);
	assert_int_equal(pack_padded(1), 1);
	assert_int_equal(pack_padded(0), 0);
	/* E = 7, S = 3: the lowest 4 bits are zero. */
	assert_int_equal(pack_padded(128), 128);
	assert_int_equal(pack_padded(129), 144);
	/* E = 9, S = 4: 5 bits. */
	assert_int_equal(pack_padded(1000), 1024);
	assert_int_equal(pack_padded(990), 992);
	/* E = 16, S = 5: 11 bits. */
	assert_int_equal(pack_padded(65537), 65536 + 2048);
	/* E = 19, S = 5: 14 bits; 1,000,000 = 61.04 * 16,384. */
	assert_int_equal(pack_padded(1000000), 62 * 16384);
	/* E = 24, S = 5: 19 bits; just below 32 MiB. */
	assert_int_equal(pack_padded(PACK_TARGET - 1), PACK_TARGET);
	assert_int_equal(
	    pack_padded(PACK_TARGET - 524288), PACK_TARGET - 524288);
	assert_int_equal(pack_padded(PACK_TARGET), PACK_TARGET);
	assert_int_equal(pack_padded(PACK_LIMIT), PACK_LIMIT);
}

static void
segment__round_trips(void **state)
{
	struct fixture *f = *state;
	struct packed data, meta;

	put_pack(f, &data, 100, 20, 5, 3000);
	put_pack_kind(f, &meta, 500, 3, 2, 400, CHUNK_TREE);
	assert_ok(read_all(f, &data.ref, &data, 3000, &err));
	assert_ok(read_all(f, &meta.ref, &meta, 400, &err));
	assert_int_equal(data.size, pack_padded(data.size));
	assert_ok(pack_check_shape(f->store, &data.ref, &err));
	assert_ok(pack_check_shape(f->store, &meta.ref, &err));
}

static void
commit__bytes_are_as_specified(void **state)
{
	struct fixture *f = *state;
	struct packed p;
	struct segment_place last;
	const uint8_t *buf;
	uint64_t t;
	size_t len;

	put_pack(f, &p, 0, 3, 4, 1000);
	buf = memstore_bytes(f->store, &p.ref, &len);
	assert_int_equal(len, p.size);
	assert_memory_equal(buf, "VRVp\1\0\0\0", 8);
	assert_int_equal(buf[8], 0);
	assert_memory_equal(buf + 9, f->ks->dataset, 16);
	assert_memory_equal(buf + 25, "\1\0\0\0", 4);
	assert_memory_equal(buf + 125, "\0\0\0", 3);
	last = p.places[2];
	t = last.offset + last.sealed_len;
	assert_int_equal(p.places[0].offset, 128);
	assert_int_equal(p.places[1].offset, 128 + p.places[0].sealed_len);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(buf[len - TAIL + i], (uint8_t)(t >> 8 * i));
	assert_memory_equal(buf + len - 8, "\0\0\0\0VRVe", 8);
}

static void
fits__fills_a_pack_to_exactly_its_target(void **state)
{
	struct fixture *f = *state;
	AUTO(pack_writer) struct pack_writer *w = NULL;
	const size_t len = 200000;
	uint8_t *plain = calloc(1, len);
	struct segment_place place;
	struct object_ref ref;
	uint64_t size, end = 0;

	assert_ok(pack_writer_new(
	    f->store, f->run, f->ks->dataset, PACK_DATA, &w, &err));
	while (pack_writer_fits(w, len)) {
		assert_ok(pack_writer_add(w, plain, len, &place, &err));
		end = place.offset + place.sealed_len;
	}
	assert_rc(ERR_USAGE, pack_writer_add(w, plain, len, &place, &err));
	assert_int_equal(pack_writer_segments(w), place.number + 1);
	/* The rest, but for the table, the tail and some bytes of slack. */
	assert_true(PACK_TARGET - end < len + 1000);
	for (size_t rest = len; rest > 100; rest -= 1) {
		if (!pack_writer_fits(w, rest))
			continue;
		assert_ok(pack_writer_add(w, plain, rest, &place, &err));
		break;
	}
	assert_ok(pack_writer_commit(w, &ref, &size, &err));
	assert_int_equal(size, PACK_TARGET);
	free(plain);
}

static void
writer__begins_another_pack_after_a_commit(void **state)
{
	struct fixture *f = *state;
	AUTO(pack_writer) struct pack_writer *w = NULL;
	WR_AUTO struct wr plain = {0};
	struct packed a = {.n = 1, .per_segment = 2}, b = a;

	put_segment(&plain, 0, 2, 100, CHUNK_DATA);
	assert_ok(pack_writer_new(
	    f->store, f->run, f->ks->dataset, PACK_DATA, &w, &err));
	assert_rc(ERR_USAGE, pack_writer_commit(w, &a.ref, &a.size, &err));
	assert_ok(pack_writer_add(w, plain.buf, plain.len, &a.places[0], &err));
	assert_ok(pack_writer_commit(w, &a.ref, &a.size, &err));
	assert_int_equal(pack_writer_segments(w), 0);
	assert_ok(pack_writer_add(w, plain.buf, plain.len, &b.places[0], &err));
	assert_ok(pack_writer_commit(w, &b.ref, &b.size, &err));
	/* Another salt: the same bytes make another object. */
	assert_memory_not_equal(a.ref.name, b.ref.name, OBJECT_NAME_LEN);
	assert_ok(read_all(f, &a.ref, &a, 100, &err));
	assert_ok(read_all(f, &b.ref, &b, 100, &err));
}

/* A counter that was used for bytes that may have been seen stays used. */
static void
add__nothing_follows_a_failed_write(void **state)
{
	struct fixture *f = *state;
	AUTO(pack_writer) struct pack_writer *w = NULL;
	WR_AUTO struct wr plain = {0};
	struct segment_place place;
	struct object_ref ref;
	uint64_t size;

	put_segment(&plain, 0, 2, 100, CHUNK_DATA);
	assert_ok(pack_writer_new(
	    f->store, f->run, f->ks->dataset, PACK_DATA, &w, &err));
	assert_ok(pack_writer_add(w, plain.buf, plain.len, &place, &err));
	memstore_fail(f->store, ERR_FULL);
	assert_rc(
	    ERR_FULL, pack_writer_add(w, plain.buf, plain.len, &place, &err));
	memstore_fail(f->store, 0);
	assert_rc(
	    ERR_USAGE, pack_writer_add(w, plain.buf, plain.len, &place, &err));
	assert_rc(ERR_USAGE, pack_writer_commit(w, &ref, &size, &err));
}

/* After a few, and, for the system may have dropped it, after many more. */
static void
much_read__now_and_then(void **state)
{
	struct fixture *f = *state;
	AUTO(pack_openers) struct pack_openers *o = new_openers(f->kr);
	struct pack *pack;
	struct packed p;

	put_pack(f, &p, 0, 1, 1, 100);
	assert_ok(pack_open(f->store, o, &p.ref, &pack, &err));
	for (unsigned n = 1; n <= 100; n++)
		assert_int_equal(
		    pack_much_read(pack), n == 8 || n == 40 || n == 72);
	pack_unref(pack);
}

/* --- keys --------------------------------------------------------------- */

static void
open__a_writer_cannot_read(void **state)
{
	struct fixture *f = *state;
	AUTO(pack_openers) struct pack_openers *o = new_openers(f->writer_kr);
	struct pack *pack;
	struct packed p;

	put_pack(f, &p, 0, 1, 1, 100);
	assert_rc(ERR_DENIED, pack_open(f->store, o, &p.ref, &pack, &err));
	assert_null(pack);
}

static void
open__packs_of_every_epoch(void **state)
{
	struct fixture *f = *state;
	AUTO(pack_openers) struct pack_openers *o = NULL;
	AUTO(packrun) struct packrun *first = NULL;
	struct packed old, new;
	struct keyset *next;
	struct pack *pack;

	put_pack(f, &old, 0, 2, 2, 100);
	assert_ok(keyset_next(f->ks, &next, &err));
	first = STEAL(f->run);
	assert_ok(packrun_new(
	    &next->seal_pub, next->dataset, next->epoch, &f->run, &err));
	o = new_openers(f->kr);
	put_pack(f, &new, 50, 2, 2, 100);
	/* Not given yet. */
	assert_fails(ERR_DENIED, "epoch 2",
	    pack_open(f->store, o, &new.ref, &pack, &err));
	assert_ok(keyring_add(f->kr, next, &err));
	assert_ok(read_all(f, &old.ref, &old, 100, &err));
	assert_ok(read_all(f, &new.ref, &new, 100, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(padded__is_padme),
	    content_test(segment__round_trips),
	    content_test(commit__bytes_are_as_specified),
	    content_test(fits__fills_a_pack_to_exactly_its_target),
	    content_test(writer__begins_another_pack_after_a_commit),
	    content_test(add__nothing_follows_a_failed_write),
	    content_test(much_read__now_and_then),
	    content_test(open__a_writer_cannot_read),
	    content_test(open__packs_of_every_epoch),
	    cmocka_unit_test(wiped__all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
