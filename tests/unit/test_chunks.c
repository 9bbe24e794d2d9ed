/* Chunks by their names: found, moved meanwhile, and read by many threads. */
#include "tests/unit/chunks_fixture.h"
#include "tests/unit/wait.h"

#include <pthread.h>

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
	unsigned reads;

	c = new_of_pack(f, cache, &p, 4, 10);
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
	struct moved m = {.rc = ERR_IO};

	c = new_of_pack(f, cache, &p, 4, 5);
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
	pthread_t ids[2];
	unsigned reads;

	c = new_of_pack(f, cache, &p, 2, 5);
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
	struct chunk_name name = name_of(7), none = name_of(1000);
	unsigned reads;

	assert_ok(segcache_threads(cache, 2, &err));
	c = new_of_pack(f, cache, &p, 2, 5);
	chunks_prefetch(c, &none);
	chunks_prefetch(c, &name);
	while (segcache_memory(cache) == 0)
		wait_ms(1);
	reads = memstore_reads(f->store);
	assert_ok(get(c, 7, &err));
	assert_int_equal(memstore_reads(f->store), reads);
}

/* Every second segment, last one first: nobody would call it a sequence. */
static void
get__of_a_pack_that_is_much_read_the_rest_is_fetched(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p;
	uint64_t i;

	assert_ok(segcache_threads(cache, 2, &err));
	c = new_of_pack(f, cache, &p, 20, 1);
	for (i = 19; i > 5; i -= 2)
		assert_ok(get(c, i, &err));
	assert_ok(get(c, 19, &err));
	wait_ms(20);
	assert_int_equal(memstore_will_reads(f->store), 0);
	assert_ok(get(c, i, &err));
	while (memstore_will_reads(f->store) == 0)
		wait_ms(1);
	for (i = 0; i < 20; i += 2)
		assert_ok(get(c, i, &err));
	wait_ms(20);
	assert_int_equal(memstore_will_reads(f->store), 1);
}

/* Two packs: chunks 0 to 4 in the first, 5 to 9 in the second. */
static void
fetch_pack__of_chunks_that_lie_together(void **state)
{
	struct fixture *f = *state;
	AUTO(segcache) struct segcache *cache = new_cache();
	AUTO(chunks) struct chunks *c = NULL;
	struct packed p[2];
	struct object_ref refs[2];
	const struct {
		uint64_t a, b;
		unsigned fetches;
	} cases[] = {{0, 5, 0}, {9, 2, 0}, {1000, 1001, 0}, {3, 1000, 0},
	    {0, 4, 1}, {8, 8, 1}};
	unsigned want = 0;

	assert_ok(segcache_threads(cache, 2, &err));
	for (unsigned i = 0; i < 2; i++) {
		put_pack(f, &p[i], 5 * i, 5, 1, LEN);
		refs[i] = put_index(f, &p[i], 1);
	}
	c = new_chunks(f, cache, refs, 2);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct chunk_name a = name_of(cases[i].a);
		struct chunk_name b = name_of(cases[i].b);

		want += cases[i].fetches;
		chunks_fetch_pack(c, &a, &b);
		while (memstore_will_reads(f->store) < want)
			wait_ms(1);
		wait_ms(5);
		assert_int_equal(memstore_will_reads(f->store), want);
	}
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
	    content_test(get__many_threads),
	    content_test(get__two_threads_open_a_segment_once),
	    content_test(prefetch__brings_the_segment),
	    content_test(get__of_a_pack_that_is_much_read_the_rest_is_fetched),
	    content_test(fetch_pack__of_chunks_that_lie_together),
	    content_test(free__with_prefetches_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
