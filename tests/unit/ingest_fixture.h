#ifndef TESTS_UNIT_INGEST_FIXTURE_H
#define TESTS_UNIT_INGEST_FIXTURE_H

/* Runs of ingest into a store in memory, and reading back what they stored. */
#include "snapshot/content/ingest_internal.h"
#include "tests/unit/content_fixture.h"

#define LEN 1000 /* bytes of a chunk, unless a test says more */

typedef uint8_t object_name[OBJECT_NAME_LEN];

/* What a run is told of its packs. */
#define PACKS_MAX 16
struct told {
	size_t n;
	struct object_ref pack[PACKS_MAX];
	struct wr note[PACKS_MAX];
};

static inline UNUSED int
tell(void *arg, const struct object_ref *pack, const uint8_t *note, size_t len,
    UNUSED struct err *err)
{
	struct told *t = arg;

	assert_true(t->n < PACKS_MAX);
	t->pack[t->n] = *pack;
	wr_bytes(&t->note[t->n++], note, len);
	return 0;
}

static inline UNUSED void
told_clear(struct told *t)
{
	for (size_t i = 0; i < t->n; i++)
		wr_clear(&t->note[i]);
	t->n = 0;
}
#define TOLD_AUTO __attribute__((cleanup(told_clear)))

/* A run by somebody who can't read what is stored. */
static inline UNUSED struct ingest *
run_new(struct fixture *f)
{
	struct ingest *in;

	assert_ok(ingest_new(f->store, f->writer_kr, &in, &err));
	return in;
}

static inline UNUSED struct ingest_lane *
lane_new(struct ingest *in)
{
	struct ingest_lane *lane;

	assert_ok(ingest_lane_new(in, &lane, &err));
	return lane;
}

static inline UNUSED struct chunk_name
take_in(struct ingest_lane *lane, uint64_t i, size_t len)
{
	struct chunk_name name;
	uint8_t *buf = malloc(len);

	fill_random(buf, len, i);
	assert_ok(ingest_chunk(lane, CHUNK_DATA, buf, len, &name, &err));
	free(buf);
	return name;
}

/* Chunks ${from} to ${to} - 1, by a lane of their own. */
static inline UNUSED void
take_run(struct ingest *in, uint64_t from, uint64_t to)
{
	AUTO(ingest_lane) struct ingest_lane *lane = lane_new(in);

	for (uint64_t i = from; i < to; i++)
		(void)take_in(lane, i, LEN);
	assert_ok(ingest_lane_flush(lane, &err));
}

/* Take up what a note says. */
static inline UNUSED void
resume(struct ingest *in, const struct wr *note)
{
	assert_ok(ingest_resume(in, note->buf, note->len, &err));
}

/* The set of indexes as a snapshot would have it. */
struct indexes {
	object_name *names;
	size_t n;
};

static inline UNUSED void
indexes_clear(struct indexes *ix)
{
	free(ix->names);
	memset(ix, 0, sizeof(*ix));
}
#define INDEXES_AUTO __attribute__((cleanup(indexes_clear)))

/* The ${i}th of them as an object. */
static inline UNUSED struct object_ref
index_object(const struct fixture *f, const struct indexes *ix, size_t i)
{
	struct object_ref ref = {.cls = OBJECT_INDEX};

	memcpy(ref.dataset, f->ks->dataset, sizeof(ref.dataset));
	memcpy(ref.name, ix->names[i], sizeof(ref.name));
	return ref;
}

static inline UNUSED void
know(struct ingest *in, const struct indexes *ix)
{
	assert_ok(
	    ingest_known(in, (const object_name *)ix->names, ix->n, &err));
}

static inline UNUSED void
finish(struct ingest *in, struct indexes *ix)
{
	indexes_clear(ix);
	assert_ok(ingest_finish(in, &ix->names, &ix->n, &err));
}

/* One whole run that takes ${from} to ${to} - 1 in; returns its totals. */
static inline UNUSED struct ingest_totals
whole_run(struct fixture *f, struct indexes *ix, struct told *told,
    uint64_t from, uint64_t to)
{
	AUTO(ingest) struct ingest *in = run_new(f);

	if (told != NULL)
		ingest_on_pack(in, tell, told);
	know(in, ix);
	take_run(in, from, to);
	finish(in, ix);
	return ingest_totals(in);
}

/* --- reading back ------------------------------------------------------- */

struct reader {
	struct segcache *cache;
	struct chunks *chunks;
	struct namer *namer;
};

static inline UNUSED struct reader
reader_new(struct fixture *f, const struct indexes *ix)
{
	struct reader r;

	assert_ok(segcache_new(2 * CHUNK_MAX, &r.cache, &err));
	assert_ok(chunks_new(f->store, r.cache, f->kr, &r.chunks, &err));
	assert_ok(chunks_set_indexes(
	    r.chunks, (const object_name *)ix->names, ix->n, &err));
	assert_ok(namer_new(&f->ks->id, &r.namer, &err));
	return r;
}

static inline UNUSED void
reader_free(struct reader *r)
{
	namer_free(r->namer);
	chunks_free(r->chunks);
	segcache_free(r->cache);
}
#define READER_AUTO __attribute__((cleanup(reader_free)))

static inline UNUSED struct chunk_name
name_by(struct namer *namer, uint64_t i, size_t len)
{
	struct chunk_name name;
	uint8_t *buf = malloc(len);

	fill_random(buf, len, i);
	assert_ok(namer_name(namer, CHUNK_DATA, buf, len, &name, &err));
	free(buf);
	return name;
}

/* Chunk ${i} is found, and has its bytes. */
static inline UNUSED void
assert_found(struct reader *r, uint64_t i, size_t len)
{
	struct chunk_name name = name_by(r->namer, i, len);
	uint8_t *want = malloc(len);
	CHUNK_AUTO struct chunk ch = {0};

	fill_random(want, len, i);
	assert_ok(chunks_get(r->chunks, &name, CHUNK_DATA, &ch, &err));
	assert_int_equal(ch.len, len);
	assert_memory_equal(ch.data, want, len);
	free(want);
}

/* Chunk ${i} is looked for in that pack first. */
static inline UNUSED void
assert_in_pack(struct reader *r, uint64_t i, const struct object_ref *pack)
{
	struct chunk_name name = name_by(r->namer, i, LEN);
	struct chunk_place place;

	assert_ok(chunks_place(r->chunks, &name, &place, &err));
	assert_memory_equal(place.pack, pack->name, sizeof(place.pack));
}

static inline UNUSED void
assert_all_found(
    struct fixture *f, const struct indexes *ix, uint64_t from, uint64_t to)
{
	READER_AUTO struct reader r = reader_new(f, ix);

	for (uint64_t i = from; i < to; i++)
		assert_found(&r, i, LEN);
}

/* The chunks in a pack, as its segments have them. */
static inline UNUSED size_t
chunks_in_pack(struct fixture *f, const struct object_ref *ref)
{
	AUTO(pack_openers) struct pack_openers *openers = NULL;
	AUTO(pack) struct pack *pack = NULL;
	struct segment_place *places;
	size_t n, count = 0;

	assert_ok(pack_openers_new(f->kr, &openers, &err));
	assert_ok(pack_open(f->store, openers, ref, &pack, &err));
	assert_ok(pack_table(pack, &places, &n, &err));
	for (size_t i = 0; i < n; i++) {
		AUTO(segment) struct segment *seg = NULL;

		assert_ok(pack_segment(pack, &places[i], &seg, &err));
		count += segment_count(seg);
	}
	free(places);
	return count;
}

#endif
