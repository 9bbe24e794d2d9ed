#ifndef TESTS_UNIT_CONTENT_FIXTURE_H
#define TESTS_UNIT_CONTENT_FIXTURE_H

/*
 * A dataset's keys and a store in memory, and chunks made of a number each, so
 * that a test can say what it expects.
 */
#include "snapshot/content/chunks.h"
#include "tests/unit/memstore.h"
#include "tests/unit/outcome.h"

#include <stdlib.h>
#include <string.h>

/* Every byte of the id key. */
#define FIXTURE_ID_KEY 0x5a

struct fixture {
	struct store *store;
	struct keyring *kr;        /* a reader's */
	struct keyring *writer_kr; /* without the private half */
	const struct keyset *ks;   /* of kr */
	struct packrun *run;
};

/* Keyrings of a dataset of its own. */
static inline UNUSED void
fixture_keys(struct fixture *f, const char *name)
{
	struct keyset *ks, *blind;

	assert_ok(keyset_new(name, &ks, &err));
	assert_ok(keyset_new(name, &blind, &err));
	memset(&ks->id, FIXTURE_ID_KEY, sizeof(ks->id));
	*blind = *ks;
	blind->has_private = false;
	memset(&blind->seal, 0, sizeof(blind->seal));
	assert_ok(keyring_new(&f->kr, &err));
	assert_ok(keyring_new(&f->writer_kr, &err));
	assert_ok(keyring_add(f->kr, ks, &err));
	assert_ok(keyring_add(f->writer_kr, blind, &err));
	f->ks = keyring_latest(f->kr);
	assert_ok(packrun_new(
	    &f->ks->seal_pub, f->ks->dataset, f->ks->epoch, &f->run, &err));
}

static inline UNUSED void
fixture_free_keys(struct fixture *f)
{
	packrun_free(f->run);
	keyring_free(f->kr);
	keyring_free(f->writer_kr);
}

static inline UNUSED int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->store = memstore_new();
	fixture_keys(f, "test");
	*state = f;
	return 0;
}

static inline UNUSED int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	fixture_free_keys(f);
	store_close(f->store);
	free(f);
	return 0;
}

#define content_test(name)                                                     \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* A cheap generator with a good spread (splitmix64). */
static inline UNUSED uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/* The bytes of chunk ${i}; compressible. */
static inline UNUSED void
fill(uint8_t *buf, size_t len, uint64_t i)
{
	for (size_t k = 0; k < len; k++)
		buf[k] = (uint8_t)(mix(i + k / 16) >> (k % 4));
}

/* The bytes of chunk ${i}; not compressible. */
static inline UNUSED void
fill_random(uint8_t *buf, size_t len, uint64_t i)
{
	for (size_t k = 0; k < len; k++)
		buf[k] = (uint8_t)mix(i * 0x100000 + k);
}

#ifndef REAL_NAMES_LEN
/* The name of chunk ${i}: as good as uniformly distributed. */
static inline UNUSED struct chunk_name
name_of(uint64_t i)
{
	struct chunk_name name;

	for (size_t k = 0; k < sizeof(name.b); k++)
		name.b[k] = (uint8_t)mix(i * sizeof(name.b) + k);
	return name;
}
#else
/* The name of the REAL_NAMES_LEN bytes of chunk ${i}; from TREES on, a tree's. */
#define TREES 1000000
static inline UNUSED struct chunk_name
name_of(uint64_t i)
{
	AUTO(namer) struct namer *namer = NULL;
	uint8_t buf[REAL_NAMES_LEN];
	struct chunk_name name;
	struct id_key key;

	memset(&key, FIXTURE_ID_KEY, sizeof(key));
	fill(buf, sizeof(buf), i);
	assert_ok(namer_new(&key, &namer, &err));
	assert_ok(namer_name(namer, i < TREES ? CHUNK_DATA : CHUNK_TREE, buf,
	    sizeof(buf), &name, &err));
	return name;
}
#endif

/* Append the plaintext of a segment of chunks ${from} to ${to} - 1. */
static inline UNUSED void
put_segment(struct wr *out, uint64_t from, uint64_t to, size_t len,
    enum chunk_kind kind)
{
	AUTO(segment_builder) struct segment_builder *b = NULL;
	uint8_t *buf = malloc(len);

	assert_ok(segment_builder_new(&b, &err));
	for (uint64_t i = from; i < to; i++) {
		struct chunk_name name = name_of(i);

		fill(buf, len, i);
		assert_ok(segment_builder_add(b, &name, kind, buf, len, &err));
	}
	assert_ok(segment_builder_finish(b, out, &err));
	free(buf);
}

static inline UNUSED void
assert_chunk(const struct segment_chunk *ch, uint64_t i, size_t len)
{
	uint8_t *want = malloc(len);

	fill(want, len, i);
	assert_int_equal(ch->len, len);
	assert_memory_equal(ch->data, want, len);
	free(want);
}

/* A pack and where its segments lie. */
#define PACKED_SEGMENTS_MAX 1024
struct packed {
	struct object_ref ref;
	uint64_t size;
	enum pack_kind kind;
	size_t n;
	uint64_t first;     /* chunk */
	size_t per_segment; /* chunks */
	struct segment_place places[PACKED_SEGMENTS_MAX];
};

/* A pack of ${n} segments with ${per} chunks of ${len} bytes each. */
static inline UNUSED void
put_pack_kind(struct fixture *f, struct packed *p, uint64_t first, size_t n,
    size_t per, size_t len, enum chunk_kind kind)
{
	AUTO(pack_writer) struct pack_writer *w = NULL;

	p->kind = kind == CHUNK_DATA ? PACK_DATA : PACK_META;
	p->n = n;
	p->first = first;
	p->per_segment = per;
	assert_ok(pack_writer_new(
	    f->store, f->run, f->ks->dataset, p->kind, &w, &err));
	for (size_t i = 0; i < n; i++) {
		WR_AUTO struct wr plain = {0};

		put_segment(
		    &plain, first + i * per, first + (i + 1) * per, len, kind);
		assert_ok(pack_writer_add(
		    w, plain.buf, plain.len, &p->places[i], &err));
	}
	assert_ok(pack_writer_commit(w, &p->ref, &p->size, &err));
}

static inline UNUSED void
put_pack(struct fixture *f, struct packed *p, uint64_t first, size_t n,
    size_t per, size_t len)
{
	put_pack_kind(f, p, first, n, per, len, CHUNK_DATA);
}

/* Add a pack and its chunks to an index. */
static inline UNUSED void
index_packed(struct index_builder *b, const struct packed *p)
{
	uint32_t number;

	assert_ok(index_builder_pack(
	    b, &p->ref, p->size, p->kind, p->places, p->n, &number, &err));
	for (size_t i = 0; i < p->n * p->per_segment; i++) {
		struct chunk_name name = name_of(p->first + i);

		assert_ok(index_builder_chunk(
		    b, &name, number, (uint32_t)(i / p->per_segment), &err));
	}
}

/* Store an index of packs. */
static inline UNUSED struct object_ref
put_index(struct fixture *f, const struct packed *packs, size_t n)
{
	AUTO(index_builder) struct index_builder *b = NULL;
	struct object_ref ref = {.cls = OBJECT_INDEX};
	WR_AUTO struct wr w = {0};

	memcpy(ref.dataset, f->ks->dataset, sizeof(ref.dataset));
	assert_ok(index_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++)
		index_packed(b, &packs[i]);
	assert_ok(index_builder_finish(b, f->ks, &w, &err));
	assert_ok(store_put(f->store, &ref, w.buf, w.len, &err));
	return ref;
}

#endif
