/* Chunks that are damaged, or whose place something else has taken. */
#include "tests/unit/chunks_fixture.h"

/* --- damaged ------------------------------------------------------------ */

static void
get__damage_is_told_apart_from_absence(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p;
	struct moved m = {0};
	uint8_t *buf;
	size_t len;

	c = new_of_pack(f, cache, &p, 4, 5);
	chunks_on_missing(c, refresh, &m);
	buf = memstore_bytes(f->store, &p.ref, &len);
	buf[p.places[2].offset + 9] ^= 1;
	assert_fails(ERR_CORRUPT, "segment 2", get(c, 10, &err));
	assert_int_equal(m.calls, 0);
	/* The rest of the pack is of use. */
	assert_ok(get(c, 0, &err));
	assert_ok(get(c, 15, &err));
	/* Repaired: nothing was remembered. */
	buf[p.places[2].offset + 9] ^= 1;
	assert_ok(get(c, 10, &err));
	memstore_fail(f->store, ERR_IO);
	assert_rc(ERR_IO, get(c, 5, &err));
}

static void
get__a_pack_whose_header_is_damaged(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p;
	uint8_t *buf;
	size_t len;

	c = new_of_pack(f, cache, &p, 4, 5);
	buf = memstore_bytes(f->store, &p.ref, &len);
	buf[70] ^= 1;
	assert_fails(ERR_CORRUPT, "pack ", get(c, 10, &err));
}

static void
get__a_damaged_index(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed packs[2];
	struct object_ref refs[2];
	uint8_t *buf;
	size_t len;

	put_pack(f, &packs[0], 0, 4, 5, LEN);
	put_pack(f, &packs[1], 100, 4, 5, LEN);
	refs[0] = put_index(f, &packs[0], 1);
	refs[1] = put_index(f, &packs[1], 1);
	c = new_chunks(f, cache, refs, 2);
	buf = memstore_bytes(f->store, &refs[1], &len);
	buf[40] ^= 1;
	assert_fails(ERR_CORRUPT, "index ", get(c, 103, &err));
	assert_ok(get(c, 3, &err));
	/* Repaired: seen with the next set of indexes. */
	buf[40] ^= 1;
	assert_ok(chunks_set_indexes(
	    c, (const uint8_t(*)[OBJECT_NAME_LEN])refs[1].name, 1, &err));
	assert_ok(get(c, 103, &err));
}

/* What an older record named; ${to} is the newest's, and stays the last. */
struct older {
	struct chunks *c;
	uint8_t names[2][OBJECT_NAME_LEN];
	int rc;
	unsigned calls;
};

static int
add_older(void *arg, struct err *err)
{
	struct older *o = arg;

	o->calls++;
	if (o->rc != 0)
		return err_set(err, (enum err_code)o->rc, "no log");
	return chunks_widen_indexes(
	    o->c, (const uint8_t(*)[OBJECT_NAME_LEN])o->names, 2, err);
}

/* Readers of the second index alone; an older record named the first. */
static struct chunks *
new_with_older(struct fixture *f, struct segcache *cache,
    const struct object_ref refs[2], struct older *o)
{
	o->c = new_chunks(f, cache, refs + 1, 1);
	memcpy(o->names[0], refs[0].name, OBJECT_NAME_LEN);
	memcpy(o->names[1], refs[1].name, OBJECT_NAME_LEN);
	chunks_on_failure(o->c, add_older, o);
	return o->c;
}

static void
get__a_damaged_index_in_the_place_of_a_whole_one(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed packs[2];
	struct object_ref refs[2];
	struct older o = {.rc = ERR_IO};
	uint8_t *buf;
	size_t len;

	put_pack(f, &packs[0], 0, 4, 5, LEN);
	put_pack(f, &packs[1], 100, 4, 5, LEN);
	refs[0] = put_index(f, &packs[0], 1);
	refs[1] = put_index(f, packs, 2);
	c = new_with_older(f, cache, refs, &o);
	buf = memstore_bytes(f->store, &refs[1], &len);
	buf[40] ^= 1;
	/* What went wrong is the index, and not the look for older ones. */
	assert_fails(ERR_CORRUPT, "index ", get(c, 3, &err));
	o.rc = 0;
	for (uint64_t i = 0; i < 20; i++)
		assert_ok(get(c, i, &err));
	assert_fails(ERR_CORRUPT, "index ", get(c, 103, &err));
	/* Once for a set, and the same one is none that is new. */
	assert_int_equal(o.calls, 2);
	assert_ok(chunks_set_indexes(
	    c, (const uint8_t(*)[OBJECT_NAME_LEN])refs[1].name, 1, &err));
	assert_fails(ERR_CORRUPT, "index ", get(c, 103, &err));
	assert_ok(get(c, 19, &err));
	assert_int_equal(o.calls, 2);
	assert_ok(chunks_set_indexes(
	    c, (const uint8_t(*)[OBJECT_NAME_LEN])refs[0].name, 1, &err));
	assert_fails(ERR_CORRUPT, "index ", get(c, 103, &err));
	assert_int_equal(o.calls, 3);
}

/* Of an index that lists a pack, and not one chunk in it. */
static void
get__an_index_that_lists_nothing_in_the_place_of_another(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p, other;
	struct object_ref refs[2];
	struct older o = {0};

	put_pack(f, &p, 0, 4, 5, LEN);
	put_pack(f, &other, 100, 1, 1, LEN);
	refs[0] = put_index(f, &p, 1);
	refs[1] = put_index(f, &other, 1);
	c = new_with_older(f, cache, refs, &o);
	assert_ok(get(c, 100, &err));
	assert_int_equal(o.calls, 0);
	for (uint64_t i = 0; i < 20; i++)
		assert_ok(get(c, i, &err));
	assert_rc(ERR_NOT_FOUND, get(c, 1000, &err));
	assert_int_equal(o.calls, 1);
}

/* Stored twice: one whole place will do. */
static void
get__another_place_of_the_chunk(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed a, b;
	struct object_ref refs[2];
	uint8_t *buf;
	size_t len;

	put_pack(f, &a, 0, 4, 5, LEN);
	put_pack(f, &b, 0, 2, 10, LEN);
	refs[0] = put_index(f, &a, 1);
	refs[1] = put_index(f, &b, 1);
	c = new_chunks(f, cache, refs, 2);
	buf = memstore_bytes(f->store, &b.ref, &len);
	buf[b.places[1].offset] ^= 1;
	for (uint64_t i = 0; i < 20; i++)
		assert_ok(get(c, i, &err));
}

/* --- in the place of another -------------------------------------------- */

/* An index that says what is not so, made by somebody who has the key. */
static struct object_ref
put_lie(
    struct fixture *f, const struct packed *p, uint64_t chunk, uint32_t segment)
{
	AUTO(index_builder) struct index_builder *b = NULL;
	struct object_ref ref = {.cls = OBJECT_INDEX};
	struct chunk_name name = name_of(chunk);
	WR_AUTO struct wr w = {0};
	uint32_t number;

	memcpy(ref.dataset, f->ks->dataset, sizeof(ref.dataset));
	assert_ok(index_builder_new(&b, &err));
	assert_ok(index_builder_pack(
	    b, &p->ref, p->size, p->kind, p->places, p->n, &number, &err));
	assert_ok(index_builder_chunk(b, &name, number, segment, &err));
	assert_ok(index_builder_finish(b, f->ks, &w, &err));
	assert_ok(store_put(f->store, &ref, w.buf, w.len, &err));
	return ref;
}

static void
get__a_segment_that_does_not_hold_it(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p;
	struct object_ref refs[2];

	put_pack(f, &p, 0, 4, 5, LEN);
	refs[0] = put_lie(f, &p, 500, 1);
	c = new_chunks(f, cache, refs, 1);
	assert_fails(
	    ERR_CORRUPT, "segment 1: does not hold it", get(c, 500, &err));
	/* A true index beside it helps. */
	chunks_free(STEAL(c));
	refs[0] = put_index(f, &p, 1);
	refs[1] = put_lie(f, &p, 7, 3);
	c = new_chunks(f, cache, refs, 2);
	assert_ok(get(c, 7, &err));
}

/*
 * Other bytes under a chunk's name, in an authentic pack and a newer index: all
 * that a writer's key can do to what an earlier snapshot relies on.
 */
static void
get__other_bytes_under_its_name(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(segcache) struct segcache *cold = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	AUTO(chunks) struct chunks *c2 = NULL;
	AUTO(segment_builder) struct segment_builder *b = NULL;
	AUTO(pack_writer) struct pack_writer *w = NULL;
	WR_AUTO struct wr plain = {0};
	struct packed good, forged = {.n = 1};
	struct chunk_name name = name_of(7);
	struct object_ref refs[2];

	put_pack(f, &good, 0, 2, 5, LEN);
	assert_ok(segment_builder_new(&b, &err));
	assert_ok(segment_builder_add(b, &name, CHUNK_DATA, "forged", 6, &err));
	assert_ok(segment_builder_finish(b, &plain, &err));
	assert_ok(pack_writer_new(
	    f->store, f->run, f->ks->dataset, PACK_DATA, &w, &err));
	assert_ok(
	    pack_writer_add(w, plain.buf, plain.len, &forged.places[0], &err));
	assert_ok(pack_writer_commit(w, &forged.ref, &forged.size, &err));
	refs[0] = put_index(f, &good, 1);
	refs[1] = put_lie(f, &forged, 7, 0);
	c = new_chunks(f, cache, refs, 2);
	assert_ok(get(c, 7, &err));
	/* Now that the forged segment is in memory, too. */
	assert_ok(get(c, 7, &err));
	c2 = new_chunks(f, cold, refs + 1, 1);
	assert_fails(ERR_CORRUPT, "not what its name says", get(c2, 7, &err));
}

static void
get__a_pack_under_another_name(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed a, b;
	struct object_ref ref;
	uint8_t *buf;
	size_t len;

	put_pack(f, &a, 0, 1, 5, LEN);
	put_pack(f, &b, 100, 1, 5, LEN);
	ref = put_index(f, &a, 1);
	buf = memstore_bytes(f->store, &b.ref, &len);
	memstore_set(f->store, &a.ref, buf, len);
	c = new_chunks(f, cache, &ref, 1);
	assert_rc(ERR_CORRUPT, get(c, 2, &err));
}

/* What one dataset's key opened is not served to another's reader. */
static void
get__packs_of_another_dataset(void **state)
{
	struct fixture *f = *state;
	struct fixture other = {.store = f->store};
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *theirs = NULL;
	AUTO(chunks) struct chunks *ours = NULL;
	struct packed p;
	struct object_ref ref, moved;
	uint8_t *buf;
	size_t len;

	fixture_keys(&other, "other");
	put_pack(&other, &p, 0, 2, 5, LEN);
	ref = put_index(&other, &p, 1);
	theirs = new_chunks(&other, cache, &ref, 1);
	assert_ok(get(theirs, 3, &err));
	/* An index of ours that names their pack, which was put here, too. */
	moved = p.ref;
	memcpy(moved.dataset, f->ks->dataset, sizeof(moved.dataset));
	buf = memstore_bytes(f->store, &p.ref, &len);
	memstore_set(f->store, &moved, buf, len);
	ref = put_index(f, &p, 1);
	ours = new_chunks(f, cache, &ref, 1);
	assert_fails(ERR_CORRUPT, "another dataset", get(ours, 3, &err));
	chunks_free(STEAL(theirs));
	chunks_free(STEAL(ours));
	fixture_free_keys(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(get__damage_is_told_apart_from_absence),
	    content_test(get__a_pack_whose_header_is_damaged),
	    content_test(get__a_damaged_index),
	    content_test(get__a_damaged_index_in_the_place_of_a_whole_one),
	    content_test(
		get__an_index_that_lists_nothing_in_the_place_of_another),
	    content_test(get__another_place_of_the_chunk),
	    content_test(get__a_segment_that_does_not_hold_it),
	    content_test(get__other_bytes_under_its_name),
	    content_test(get__a_pack_under_another_name),
	    content_test(get__packs_of_another_dataset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
