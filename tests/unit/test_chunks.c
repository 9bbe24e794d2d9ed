#define LEN 3000
/* Readers compute the names again. */
#define REAL_NAMES_LEN LEN
#include "snapshot/content/segcache.h"
#include "tests/unit/content_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static struct segcache *
new_cache(void)
{
	struct segcache *c;

	assert_ok(segcache_new(64 << 20, &c, &err));
	return c;
}

/* A reader of the dataset with these indexes. */
static struct chunks *
new_chunks(struct fixture *f, struct segcache *cache,
    const struct object_ref *refs, size_t n)
{
	uint8_t names[16][OBJECT_NAME_LEN];
	struct chunks *c;

	for (size_t i = 0; i < n; i++)
		memcpy(names[i], refs[i].name, OBJECT_NAME_LEN);
	assert_ok(chunks_new(f->store, cache, f->kr, &c, &err));
	assert_ok(chunks_set_indexes(
	    c, (const uint8_t(*)[OBJECT_NAME_LEN])names, n, &err));
	return c;
}

static int
get(struct chunks *c, uint64_t i, struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};
	struct chunk_name name = name_of(i);
	struct segment_chunk got;
	int rc = chunks_get(c, &name, CHUNK_DATA, &ch, err);

	if (rc != 0) {
		assert_null(ch.seg);
		return rc;
	}
	got.data = ch.data;
	got.len = ch.len;
	assert_chunk(&got, i, LEN);
	return 0;
}

static void
get__finds_all(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed packs[3];
	struct object_ref refs[2];

	put_pack(f, &packs[0], 0, 10, 5, LEN);
	put_pack(f, &packs[1], 100, 10, 5, LEN);
	put_pack(f, &packs[2], 200, 10, 5, LEN);
	refs[0] = put_index(f, packs, 2);
	refs[1] = put_index(f, packs + 2, 1);
	c = new_chunks(f, cache, refs, 2);
	for (uint64_t p = 0; p < 3; p++)
		for (uint64_t i = 0; i < 50; i++)
			assert_ok(get(c, p * 100 + i, &err));
	assert_fails(ERR_NOT_FOUND, "no index", get(c, 50, &err));
	/* The chunk is named. */
	assert_fails(ERR_NOT_FOUND, "chunk ", get(c, 50, &err));
}

static void
get__nothing_is_read_that_is_in_memory(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p;
	struct object_ref ref;
	unsigned reads;

	put_pack(f, &p, 0, 4, 10, LEN);
	ref = put_index(f, &p, 1);
	c = new_chunks(f, cache, &ref, 1);
	reads = memstore_reads(f->store);
	assert_ok(get(c, 0, &err));
	/* Index: head and box, packs, tail, summary, a page of chunks and one
	 * of segments; pack: header, segment. */
	assert_int_equal(memstore_reads(f->store), reads + 8);
	for (uint64_t i = 0; i < 10; i++)
		assert_ok(get(c, i, &err));
	assert_int_equal(memstore_reads(f->store), reads + 8);
	/* Another segment of the same pack is one read. */
	assert_ok(get(c, 10, &err));
	assert_int_equal(memstore_reads(f->store), reads + 9);
}

static void
get__of_another_kind(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed packs[2];
	struct object_ref ref;
	struct chunk_name data = name_of(1), tree = name_of(TREES + 1);
	struct chunk ch;

	put_pack(f, &packs[0], 0, 1, 5, LEN);
	put_pack_kind(f, &packs[1], TREES, 1, 5, LEN, CHUNK_TREE);
	ref = put_index(f, packs, 2);
	c = new_chunks(f, cache, &ref, 1);
	/* Before and after it is in memory. */
	for (int i = 0; i < 2; i++) {
		assert_rc(
		    ERR_CORRUPT, chunks_get(c, &data, CHUNK_TREE, &ch, &err));
		assert_fails(ERR_CORRUPT, "kind",
		    chunks_get(c, &tree, CHUNK_DATA, &ch, &err));
		assert_rc(
		    ERR_CORRUPT, chunks_get(c, &tree, CHUNK_LIST, &ch, &err));
	}
	assert_ok(chunks_get(c, &tree, CHUNK_TREE, &ch, &err));
	chunk_release(&ch);
	assert_null(ch.seg);
	chunk_release(&ch);
}

static void
get__a_writer_locates_but_cannot_open(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p;
	struct object_ref ref;
	struct chunk_name name = name_of(7);
	struct chunk_place place;
	struct chunk ch;

	put_pack(f, &p, 0, 4, 5, LEN);
	ref = put_index(f, &p, 1);
	assert_ok(chunks_new(f->store, cache, f->writer_kr, &c, &err));
	assert_ok(chunks_set_indexes(
	    c, (const uint8_t(*)[OBJECT_NAME_LEN])ref.name, 1, &err));
	assert_ok(chunks_place(c, &name, &place, &err));
	assert_memory_equal(place.pack, p.ref.name, OBJECT_NAME_LEN);
	assert_memory_equal(
	    &place.segment, &p.places[1], sizeof(place.segment));
	assert_int_equal(place.pack_size, p.size);
	assert_rc(ERR_DENIED, chunks_get(c, &name, CHUNK_DATA, &ch, &err));
}

/* --- gone, moved -------------------------------------------------------- */

struct moved {
	struct chunks *c;
	struct object_ref to;
	int rc;
	atomic_uint calls;
};

static int
refresh(void *arg, struct err *err)
{
	struct moved *m = arg;

	atomic_fetch_add(&m->calls, 1);
	if (m->rc != 0)
		return err_set(err, (enum err_code)m->rc, "no log");
	return chunks_set_indexes(
	    m->c, (const uint8_t(*)[OBJECT_NAME_LEN])m->to.name, 1, err);
}

static void
get__looks_again_when_a_pack_has_gone(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed old, new;
	struct object_ref ref;
	struct moved m = {0};

	put_pack(f, &old, 0, 4, 5, LEN);
	ref = put_index(f, &old, 1);
	c = new_chunks(f, cache, &ref, 1);
	m.c = c;
	chunks_on_missing(c, refresh, &m);
	assert_ok(get(c, 0, &err));
	/* Repacked; the pack is open here, but its next segment is gone. */
	put_pack(f, &new, 0, 2, 10, LEN);
	m.to = put_index(f, &new, 1);
	assert_ok(store_remove(f->store, &old.ref, &err));
	assert_ok(store_remove(f->store, &ref, &err));
	for (uint64_t i = 0; i < 20; i++)
		assert_ok(get(c, i, &err));
	assert_int_equal(m.calls, 1);
	/* Really gone: asked once more, and no more than that. */
	assert_ok(store_remove(f->store, &new.ref, &err));
	assert_rc(ERR_NOT_FOUND, get(c, 100, &err));
	assert_int_equal(m.calls, 2);
}

static void
get__missing_and_nothing_newer(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p;
	struct object_ref ref;
	struct moved m = {.rc = ERR_IO};

	put_pack(f, &p, 0, 4, 5, LEN);
	ref = put_index(f, &p, 1);
	c = new_chunks(f, cache, &ref, 1);
	assert_rc(ERR_NOT_FOUND, get(c, 77, &err));
	chunks_on_missing(c, refresh, &m);
	/* Why it was missed is told, not why asking failed. */
	assert_rc(ERR_NOT_FOUND, get(c, 77, &err));
	assert_int_equal(m.calls, 1);
	assert_ok(store_remove(f->store, &p.ref, &err));
	assert_rc(ERR_NOT_FOUND, get(c, 0, &err));
	assert_int_equal(m.calls, 2);
}

static void
get__an_index_that_has_gone(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed packs[2];
	struct object_ref refs[2];
	struct moved m = {0};

	put_pack(f, &packs[0], 0, 4, 5, LEN);
	put_pack(f, &packs[1], 100, 4, 5, LEN);
	refs[0] = put_index(f, &packs[0], 1);
	refs[1] = put_index(f, &packs[1], 1);
	c = new_chunks(f, cache, refs, 2);
	assert_ok(store_remove(f->store, &refs[1], &err));
	/* What the other lists is found without asking. */
	assert_ok(get(c, 3, &err));
	/* Without a newer set, what it alone listed is lost: no mere absence. */
	assert_rc(ERR_CORRUPT, get(c, 103, &err));
	m.c = c;
	m.to = put_index(f, packs, 2);
	chunks_on_missing(c, refresh, &m);
	assert_ok(get(c, 3, &err));
	assert_int_equal(m.calls, 0);
	assert_ok(get(c, 103, &err));
	assert_int_equal(m.calls, 1);
}

/* --- damaged ------------------------------------------------------------ */

static void
get__damage_is_told_apart_from_absence(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p;
	struct object_ref ref;
	struct moved m = {0};
	uint8_t *buf;
	size_t len;

	put_pack(f, &p, 0, 4, 5, LEN);
	ref = put_index(f, &p, 1);
	c = new_chunks(f, cache, &ref, 1);
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
	struct object_ref ref;
	uint8_t *buf;
	size_t len;

	put_pack(f, &p, 0, 4, 5, LEN);
	ref = put_index(f, &p, 1);
	c = new_chunks(f, cache, &ref, 1);
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

/* --- threads ------------------------------------------------------------ */

struct thread {
	struct chunks *c;
	uint64_t seed;
	atomic_bool *stop;
};

static void *
get_many(void *arg)
{
	struct thread *t = arg;

	for (uint64_t i = 0; i < 400; i++) {
		struct chunk_name name = name_of(mix(t->seed + i) % 100);

		chunks_prefetch(t->c, &name);
		assert_ok(get(t->c, mix(t->seed + i * 7) % 100, &err));
	}
	return NULL;
}

/* Readers, prefetches, new sets of indexes and a small cache, all at once. */
static void
get__many_threads(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = NULL;
	AUTO(chunks) struct chunks *c = NULL;
	struct packed packs[2];
	struct object_ref refs[2];
	struct thread t[4];
	pthread_t ids[4];

	assert_ok(segcache_new(200000, &cache, &err));
	assert_ok(segcache_threads(cache, 2, &err));
	put_pack(f, &packs[0], 0, 10, 5, LEN);
	put_pack(f, &packs[1], 50, 10, 5, LEN);
	refs[0] = put_index(f, packs, 2);
	refs[1] = put_index(f, packs, 1);
	c = new_chunks(f, cache, refs, 2);
	for (uint64_t i = 0; i < 4; i++) {
		t[i] = (struct thread){.c = c, .seed = i * 1000};
		assert_int_equal(
		    pthread_create(&ids[i], NULL, get_many, &t[i]), 0);
	}
	for (size_t i = 0; i < 200; i++)
		assert_ok(chunks_set_indexes(c,
		    (const uint8_t(*)[OBJECT_NAME_LEN])refs[0].name, 1, &err));
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(ids[i], NULL), 0);
	assert_true(segcache_memory(cache) <= 200000);
}

static void *
get_seven(void *arg)
{
	assert_ok(get(arg, 7, &err));
	return NULL;
}

static void
get__two_threads_open_a_segment_once(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p;
	struct object_ref ref;
	pthread_t ids[2];
	unsigned reads;

	put_pack(f, &p, 0, 2, 5, LEN);
	ref = put_index(f, &p, 1);
	c = new_chunks(f, cache, &ref, 1);
	/* The index and the pack are open: all that is read is the segment. */
	assert_ok(get(c, 0, &err));
	reads = memstore_reads(f->store);
	memstore_delay(f->store, 100);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    pthread_create(&ids[i], NULL, get_seven, c), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(ids[i], NULL), 0);
	assert_int_equal(memstore_reads(f->store), reads + 1);
}

static void
prefetch__brings_the_segment(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p;
	struct object_ref ref;
	struct chunk_name name = name_of(7), none = name_of(1000);
	struct timespec ms = {.tv_nsec = 1000000};
	unsigned reads;

	put_pack(f, &p, 0, 2, 5, LEN);
	ref = put_index(f, &p, 1);
	assert_ok(segcache_threads(cache, 2, &err));
	c = new_chunks(f, cache, &ref, 1);
	chunks_prefetch(c, &none);
	chunks_prefetch(c, &name);
	while (segcache_memory(cache) == 0)
		(void)nanosleep(&ms, NULL);
	reads = memstore_reads(f->store);
	assert_ok(get(c, 7, &err));
	assert_int_equal(memstore_reads(f->store), reads);
}

static void
free__with_prefetches_under_way(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	struct packed p;
	struct object_ref ref;

	put_pack(f, &p, 0, 20, 1, LEN);
	ref = put_index(f, &p, 1);
	assert_ok(segcache_threads(cache, 3, &err));
	memstore_delay(f->store, 2);
	for (int round = 0; round < 10; round++) {
		struct chunks *c = new_chunks(f, cache, &ref, 1);

		for (uint64_t i = 0; i < 20; i++) {
			struct chunk_name name = name_of(i);

			chunks_prefetch(c, &name);
		}
		chunks_free(c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(get__finds_all),
	    content_test(get__nothing_is_read_that_is_in_memory),
	    content_test(get__of_another_kind),
	    content_test(get__a_writer_locates_but_cannot_open),
	    content_test(get__looks_again_when_a_pack_has_gone),
	    content_test(get__missing_and_nothing_newer),
	    content_test(get__an_index_that_has_gone),
	    content_test(get__damage_is_told_apart_from_absence),
	    content_test(get__a_pack_whose_header_is_damaged),
	    content_test(get__a_damaged_index),
	    content_test(get__another_place_of_the_chunk),
	    content_test(get__a_segment_that_does_not_hold_it),
	    content_test(get__other_bytes_under_its_name),
	    content_test(get__a_pack_under_another_name),
	    content_test(get__packs_of_another_dataset),
	    content_test(get__many_threads),
	    content_test(get__two_threads_open_a_segment_once),
	    content_test(prefetch__brings_the_segment),
	    content_test(free__with_prefetches_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
