#include "crypto/thread.h"
#include "tests/unit/ingest_fixture.h"

#include <pthread.h>

/* --- one run ------------------------------------------------------------ */

#define THREADS 4
#define SHARED 3000 /* chunks that all threads take in */
#define OWN 200     /* chunks that only one does */

struct worker {
	struct ingest *in;
	unsigned number;
	pthread_t thread;
};

static void
put_or_die(struct ingest_lane *lane, uint64_t i)
{
	struct chunk_name name;
	uint8_t buf[LEN];

	fill_random(buf, sizeof(buf), i);
	if (ingest_chunk(lane, CHUNK_DATA, buf, sizeof(buf), &name, NULL) != 0)
		abort();
}

/* Each begins elsewhere, so that they meet over the same chunks. */
static void *
worker_main(void *arg)
{
	const struct worker *w = arg;
	AUTO(ingest_lane) struct ingest_lane *lane = NULL;

	if (ingest_lane_new(w->in, &lane, NULL) != 0)
		abort();
	for (unsigned i = 0; i < SHARED; i++)
		put_or_die(lane, (i + w->number * SHARED / 8) % SHARED);
	for (unsigned i = 0; i < OWN; i++)
		put_or_die(lane, SHARED + w->number * OWN + i);
	if (ingest_lane_flush(lane, NULL) != 0)
		abort();
	return NULL;
}

static void
ingest_chunk__stores_a_chunk_once_for_all_threads(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};
	struct worker workers[THREADS];
	const size_t distinct = SHARED + THREADS * OWN;
	struct ingest_totals t;

	ingest_on_pack(in, tell, &told);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.in = in, .number = i};
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
				     worker_main, &workers[i]),
		    0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	finish(in, &ix);
	t = ingest_totals(in);
	assert_int_equal(t.chunks, distinct);
	assert_int_equal(t.bytes, distinct * LEN);
	assert_int_equal(told.n, 1);
	assert_int_equal(chunks_in_pack(f, &told.pack[0]), distinct);
	assert_int_equal(ix.n, 1);
	assert_all_found(f, &ix, 0, distinct);
}

static void
ingest_chunk__puts_kinds_in_packs_of_their_own(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	AUTO(ingest_lane) struct ingest_lane *lane = lane_new(in);
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};
	struct chunk_name names[CHUNK_KINDS];
	uint64_t stored = 0;

	ingest_on_pack(in, tell, &told);
	for (enum chunk_kind kind = 0; kind < CHUNK_KINDS; kind++)
		assert_ok(ingest_chunk(
		    lane, kind, "the same", 8, &names[kind], &err));
	assert_ok(ingest_lane_flush(lane, &err));
	finish(in, &ix);
	assert_int_equal(told.n, PACK_KINDS);
	assert_int_equal(chunks_in_pack(f, &told.pack[PACK_DATA]), 1);
	assert_int_equal(chunks_in_pack(f, &told.pack[PACK_META]), 2);
	for (size_t i = 0; i < told.n; i++) {
		uint64_t size;

		assert_ok(store_size(f->store, &told.pack[i], &size, &err));
		stored += size;
	}
	assert_int_equal(ingest_totals(in).stored, stored);
	assert_int_equal(ingest_totals(in).chunks, 3);
	assert_int_equal(ingest_totals(in).bytes, 24);
}

static void
ingest_chunk__refuses_no_chunk(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	AUTO(ingest_lane) struct ingest_lane *lane = lane_new(in);
	struct chunk_name name;
	uint8_t *big = calloc(1, CHUNK_MAX + 1);

	assert_fails(ERR_BUG, "chunk of 0 bytes",
	    ingest_chunk(lane, CHUNK_DATA, big, 0, &name, &err));
	assert_fails(ERR_BUG, "chunk of 1048577 bytes",
	    ingest_chunk(lane, CHUNK_DATA, big, CHUNK_MAX + 1, &name, &err));
	assert_ok(ingest_chunk(lane, CHUNK_DATA, big, CHUNK_MAX, &name, &err));
	free(big);
}

static void
ingest_new__wants_a_key(void **state)
{
	struct fixture *f = *state;
	AUTO(keyring) struct keyring *none = NULL;
	struct ingest *in;

	assert_ok(keyring_new(&none, &err));
	assert_fails(
	    ERR_DENIED, "no key", ingest_new(f->store, none, &in, &err));
	assert_null(in);
}

/* A full pack is closed, and its chunks are known on. */
static void
ingest_chunk__fills_several_packs(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *in = run_new(f);
	AUTO(ingest_lane) struct ingest_lane *lane = lane_new(in);
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};
	const uint64_t n = 40;

	ingest_on_pack(in, tell, &told);
	for (uint64_t i = 0; i < n; i++)
		(void)take_in(lane, i, CHUNK_MAX);
	while (ingest_totals(in).packs == 0) /* before the run ends */
		(void)sched_yield();
	assert_int_equal(told.n, 1);
	for (uint64_t i = 0; i < n; i++)
		(void)take_in(lane, i, CHUNK_MAX);
	assert_ok(ingest_lane_flush(lane, &err));
	finish(in, &ix);
	assert_int_equal(told.n, 2);
	assert_int_equal(ingest_totals(in).chunks, n);
	assert_int_equal(
	    chunks_in_pack(f, &told.pack[0]) + chunks_in_pack(f, &told.pack[1]),
	    n);
	READER_AUTO struct reader r = reader_new(f, &ix);
	for (uint64_t i = 0; i < n; i++)
		assert_found(&r, i, CHUNK_MAX);
}

/* --- what is known ------------------------------------------------------ */

static void
ingest_known__is_not_stored_again(void **state)
{
	struct fixture *f = *state;
	INDEXES_AUTO struct indexes ix = {0};
	struct ingest_totals t;
	object_name first;

	(void)whole_run(f, &ix, NULL, 0, 100);
	assert_int_equal(ix.n, 1);
	memcpy(first, ix.names[0], sizeof(first));

	t = whole_run(f, &ix, NULL, 0, 100);
	assert_int_equal(t.chunks, 0);
	assert_int_equal(t.bytes, 0);
	assert_int_equal(t.stored, 0);
	assert_int_equal(ix.n, 1);
	assert_memory_equal(ix.names[0], first, sizeof(first));

	t = whole_run(f, &ix, NULL, 90, 110);
	assert_int_equal(t.chunks, 10);
	assert_int_equal(ix.n, 2);
	assert_memory_equal(ix.names[0], first, sizeof(first));
	assert_all_found(f, &ix, 0, 110);
}

/* Store 0 to 9, lose the index as ${lose} does, and store them again. */
static void
check_lost_index(struct fixture *f,
    void (*lose)(struct store *s, const struct object_ref *ref))
{
	AUTO(ingest) struct ingest *in = run_new(f);
	struct object_ref ref;
	INDEXES_AUTO struct indexes ix = {0};

	(void)whole_run(f, &ix, NULL, 0, 10);
	ref = index_object(f, &ix, 0);
	lose(f->store, &ref);
	assert_int_equal(
	    ingest_known(in, (const object_name *)ix.names, 1, NULL), 0);
	assert_int_equal(ingest_lost(in), 1);
	take_run(in, 0, 10);
	finish(in, &ix);
	assert_int_equal(ingest_totals(in).chunks, 10);
	/* It stays in the set, for it may come back. */
	assert_int_equal(ix.n, 2);
	assert_memory_equal(ix.names[0], ref.name, sizeof(ref.name));
	assert_all_found(
	    f, &(struct indexes){.names = ix.names + 1, .n = 1}, 0, 10);
}

static void
lose_all(struct store *s, const struct object_ref *ref)
{
	assert_ok(store_remove(s, ref, &err));
}

static void
lose_some(struct store *s, const struct object_ref *ref)
{
	size_t len;
	const uint8_t *bytes = memstore_bytes(s, ref, &len);
	uint8_t *copy = malloc(len);

	memcpy(copy, bytes, len);
	memstore_set(s, ref, copy, len - 1);
	free(copy);
}

static void
ingest_known__does_without_an_index_that_has_gone(void **state)
{
	check_lost_index(*state, lose_all);
}

static void
ingest_known__does_without_an_index_that_is_damaged(void **state)
{
	check_lost_index(*state, lose_some);
}

enum sight {
	REFUSED, /* no run begins: it may be another epoch's */
	LOST,    /* a run knows that it can't rely on it */
	HIDDEN,  /* it does not, and the chunks are not found there */
};

/*
 * What a run makes of the index when the byte at ${at} has changed. If it does
 * begin, what the index lists is stored anew.
 */
static enum sight
see_changed(struct fixture *f, const struct indexes *ix, uint8_t *bytes,
    size_t len, size_t at)
{
	AUTO(ingest) struct ingest *in = run_new(f);
	struct object_ref ref = index_object(f, ix, 0);
	int rc;

	bytes[at] ^= 0x20;
	memstore_set(f->store, &ref, bytes, len);
	bytes[at] ^= 0x20;
	rc = ingest_known(in, (const object_name *)ix->names, 1, NULL);
	if (rc == ERR_DENIED)
		return REFUSED;
	assert_int_equal(rc, 0);
	take_run(in, 0, 10);
	assert_int_equal(ingest_totals(in).chunks, 10);
	return ingest_lost(in) == 1 ? LOST : HIDDEN;
}

/* The object's parts: FORMAT.md 7. The names come after the one pack. */
static enum sight
sight_of(size_t at)
{
	const size_t names = 96 + 37;

	if (at >= 24 && at < 28)
		return REFUSED;
	return at < names || at >= names + 10 * 36 + 16 ? LOST : HIDDEN;
}

static void
ingest_known__relies_on_no_byte_of_an_index_that_changed(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref;
	INDEXES_AUTO struct indexes ix = {0};
	const uint8_t *stored;
	uint8_t *bytes;
	size_t len;

	(void)whole_run(f, &ix, NULL, 0, 10);
	ref = index_object(f, &ix, 0);
	stored = memstore_bytes(f->store, &ref, &len);
	bytes = malloc(len);
	memcpy(bytes, stored, len);
	for (size_t at = 0; at < len; at++)
		if (see_changed(f, &ix, bytes, len, at) != sight_of(at))
			fail_msg("byte %zu of %zu", at, len);
	free(bytes);
}

/* Store 0 to 9, lose the pack as ${lose} does, and store them again. */
static void
check_lost_pack(struct fixture *f,
    void (*lose)(struct store *s, const struct object_ref *ref))
{
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};
	AUTO(ingest) struct ingest *in = NULL;

	(void)whole_run(f, &ix, &told, 0, 10);
	/* Listed by one index with these, which is too big to be merged. */
	(void)whole_run(f, &ix, &told, 1000, 1400);
	lose(f->store, &told.pack[0]);
	in = run_new(f);
	know(in, &ix);
	assert_int_equal(ingest_lost(in), 1);

	assert_int_equal(whole_run(f, &ix, &told, 0, 12).chunks, 12);
	assert_int_equal(told.n, 3);
	assert_int_equal(ix.n, 2);
	assert_int_equal(whole_run(f, &ix, &told, 0, 12).chunks, 0);
	assert_all_found(f, &ix, 0, 12);
	assert_all_found(f, &ix, 1000, 1400);

	READER_AUTO struct reader r = reader_new(f, &ix);
	for (uint64_t i = 0; i < 12; i++)
		assert_in_pack(&r, i, &told.pack[2]);
}

static void
ingest_known__does_not_rely_on_a_pack_that_has_gone(void **state)
{
	check_lost_pack(*state, lose_all);
}

static void
ingest_known__does_not_rely_on_a_pack_of_another_size(void **state)
{
	check_lost_pack(*state, lose_some);
}

/* Packs of as many runs, so many that threads share them. */
static void
ingest_known__looks_for_every_pack(void **state)
{
	struct fixture *f = *state;
	INDEXES_AUTO struct indexes ix = {0};
	TOLD_AUTO struct told told = {0};
	AUTO(ingest) struct ingest *in = NULL;

	_Static_assert(PACKS_MAX >= THREAD_EACH_MIN, "they are enough");
	for (uint64_t i = 0; i < PACKS_MAX; i++)
		(void)whole_run(f, &ix, &told, 10 * i, 10 * i + 10);
	assert_int_equal(told.n, PACKS_MAX);
	lose_all(f->store, &told.pack[3]);
	lose_some(f->store, &told.pack[PACKS_MAX - 1]);
	in = run_new(f);
	know(in, &ix);
	assert_int_equal(ingest_lost(in), 2);
	take_run(in, 0, 10 * PACKS_MAX);
	assert_int_equal(ingest_totals(in).chunks, 20);
}

/* --- effort ------------------------------------------------------------- */

#define PAGES 100

static void
take_pages(struct ingest_lane *lane, enum ingest_use use)
{
	assert_ok(ingest_lane_use(lane, use, &err));
	for (uint64_t i = 0; i < PAGES; i++)
		(void)take_in(lane, i, LEN);
	assert_ok(ingest_lane_flush(lane, &err));
}

/* Pages that the store had before, not those that a run meets twice. */
static void
worth_utmost__grows_with_the_known_pages(void **state)
{
	struct fixture *f = *state;
	AUTO(ingest) struct ingest *first = run_new(f);
	AUTO(ingest) struct ingest *next = run_new(f);
	AUTO(ingest_lane) struct ingest_lane *a = lane_new(first);
	AUTO(ingest_lane) struct ingest_lane *b = lane_new(next);
	INDEXES_AUTO struct indexes ix = {0};

	take_pages(a, INGEST_PAGES);
	take_pages(a, INGEST_PAGES);
	assert_int_equal(ingest_worth_utmost(first), PAGES_UTMOST_MIN);
	finish(first, &ix);
	know(next, &ix);
	take_pages(b, INGEST_WHOLE);
	assert_int_equal(ingest_worth_utmost(next), PAGES_UTMOST_MIN);
	take_pages(b, INGEST_PAGES);
	assert_int_equal(
	    ingest_worth_utmost(next), PAGES_UTMOST_MIN + PAGES * LEN / 8);
	atomic_store(&next->page_known, UINT64_MAX);
	assert_int_equal(ingest_worth_utmost(next), PAGES_UTMOST_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    content_test(ingest_chunk__stores_a_chunk_once_for_all_threads),
	    content_test(ingest_chunk__puts_kinds_in_packs_of_their_own),
	    content_test(ingest_chunk__refuses_no_chunk),
	    content_test(ingest_chunk__fills_several_packs),
	    content_test(ingest_new__wants_a_key),
	    content_test(ingest_known__is_not_stored_again),
	    content_test(ingest_known__does_without_an_index_that_has_gone),
	    content_test(ingest_known__does_without_an_index_that_is_damaged),
	    content_test(
		ingest_known__relies_on_no_byte_of_an_index_that_changed),
	    content_test(ingest_known__does_not_rely_on_a_pack_that_has_gone),
	    content_test(ingest_known__does_not_rely_on_a_pack_of_another_size),
	    content_test(ingest_known__looks_for_every_pack),
	    content_test(worth_utmost__grows_with_the_known_pages),
	};

	return cmocka_run_group_tests_name("ingest", tests, NULL, NULL);
}
