#include "crypto/hash.h"
#include "snapshot/content/chunks.h"
#include "snapshot/tree/dir.h"
#include "tests/bench/parts/parts.h"
#include "tests/bench/parts/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUPS 20000 /* in one go */

/* --- an index of a million chunks --------------------------------------- */

#define CHUNKS 1000000
#define SEGMENTS 128 /* in a pack */
#define PER_PACK 16384

struct locating {
	struct keyring *kr;
	struct wr bytes;
	struct index *index;
	struct chunk_name *names; /* CHUNKS, sorted */
	size_t within;            /* look-ups are for the first so many */
	uint64_t seed;
};

static int
by_name(const void *a, const void *b)
{
	return memcmp(a, b, CHUNK_NAME_LEN);
}

static const struct chunk_name *
any_name(struct locating *l)
{
	return &l->names[mix(l->seed++) % l->within];
}

static uint64_t
find_chunks(void *arg)
{
	struct locating *l = arg;
	struct chunk_place place;

	for (size_t i = 0; i < LOOKUPS; i++)
		must(index_find(l->index, any_name(l), &place, &err));
	return LOOKUPS;
}

static uint64_t
search_names(void *arg)
{
	struct locating *l = arg;

	for (size_t i = 0; i < LOOKUPS; i++)
		if (bsearch(any_name(l), l->names, CHUNKS, CHUNK_NAME_LEN,
			by_name) == NULL)
			die("a name is not in its list");
	return LOOKUPS;
}

static void
add_pack(struct index_builder *b, const struct chunk_name *names, size_t n)
{
	struct segment_place places[SEGMENTS];
	struct object_ref ref = {.cls = OBJECT_PACK};
	uint32_t pack;

	memcpy(ref.name, names, sizeof(ref.name));
	for (uint32_t i = 0; i < SEGMENTS; i++)
		places[i] = (struct segment_place){
		    i, PACK_HEADER_LEN + i * 65536, 65536};
	must(index_builder_pack(b, &ref,
	    pack_padded(PACK_HEADER_LEN + SEGMENTS * 65536 + 4096), PACK_DATA,
	    places, SEGMENTS, &pack, &err));
	for (size_t i = 0; i < n; i++)
		must(index_builder_chunk(b, &names[i], pack,
		    (uint32_t)(i * SEGMENTS / PER_PACK), &err));
}

static void
locating_init(struct locating *l)
{
	AUTO(index_builder) struct index_builder *b = NULL;
	struct keyset *ks;
	struct object_ref ref = {.cls = OBJECT_INDEX};

	memset(l, 0, sizeof(*l));
	l->names = need(calloc(CHUNKS, sizeof(*l->names)));
	must(random_bytes(l->names, CHUNKS * sizeof(*l->names), &err));
	must(index_builder_new(&b, &err));
	for (size_t i = 0; i < CHUNKS; i += PER_PACK)
		add_pack(b, l->names + i,
		    CHUNKS - i < PER_PACK ? CHUNKS - i : PER_PACK);
	must(keyset_new("bench", &ks, &err));
	must(keyring_new(&l->kr, &err));
	must(keyring_add(l->kr, ks, &err));
	must(index_builder_finish(b, ks, &l->bytes, &err));
	must(sha256(l->bytes.buf, l->bytes.len, ref.name, &err));
	memcpy(ref.dataset, ks->dataset, sizeof(ref.dataset));
	must(index_open_bytes(
	    l->bytes.buf, l->bytes.len, &ref, l->kr, &l->index, &err));
	qsort(l->names, CHUNKS, sizeof(*l->names), by_name);
}

void
part_index(UNUSED const struct source *src)
{
	struct locating l;
	struct pair p = {
	    .what = "locating chunks: any of a million",
	    .unit = PART_OPERATIONS,
	    .own = find_chunks,
	    .beside = "a binary search in memory",
	    .limit = search_names,
	    .arg = &l,
	};

	locating_init(&l);
	l.within = CHUNKS;
	pair_measure(&p);
	l.within = 1000;
	p.what = "locating chunks: near each other";
	pair_measure(&p);
	index_close(l.index);
	wr_clear(&l.bytes);
	keyring_free(l.kr);
	free(l.names);
}

/* --- a directory of 100,000 files --------------------------------------- */

#define FILES 100000
#define FILE_NAME_LEN 24
#define CACHE ((size_t)64 * 1024 * 1024)

struct listing {
	struct place place;
	struct segcache *cache;
	struct chunks *chunks;
	struct dir_ref dir;
	char (*names)[FILE_NAME_LEN]; /* sorted */
	uint64_t seed;
};

static uint64_t
look_up(void *arg)
{
	struct listing *l = arg;

	for (size_t i = 0; i < LOOKUPS; i++) {
		DIR_ENTRY_AUTO struct dir_entry e = {0};
		const char *name = l->names[mix(l->seed++) % FILES];

		must(dir_lookup(l->chunks, &l->dir, (const uint8_t *)name,
		    strlen(name), &e, &err));
	}
	return LOOKUPS;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static uint64_t
search_text(void *arg)
{
	struct listing *l = arg;

	for (size_t i = 0; i < LOOKUPS; i++)
		if (bsearch(l->names[mix(l->seed++) % FILES], l->names, FILES,
			FILE_NAME_LEN, by_text) == NULL)
			die("a name is not in its list");
	return LOOKUPS;
}

static uint64_t
list_all(void *arg)
{
	struct listing *l = arg;
	AUTO(dir_cursor) struct dir_cursor *cur = NULL;
	struct dir_entry e;
	uint64_t n = 0;
	int rc = 0;

	must(dir_cursor_new(l->chunks, &l->dir, &cur, &err));
	do {
		must((rc = dir_cursor_next(cur, &e, &err)) < 0 ? rc : 0);
		n += (uint64_t)rc;
	} while (rc > 0);
	return n;
}

/* Every name is looked at, in order. */
static uint64_t
list_text(void *arg)
{
	struct listing *l = arg;
	size_t len = 0;

	for (size_t i = 0; i < FILES; i++)
		len += strlen(l->names[i]);
	return len == 0 ? 0 : FILES;
}

static void
add_files(struct listing *l, struct dir_builder *b, struct ingest_lane *lane)
{
	static const uint8_t nothing[1] = {CONTENT_EMPTY};
	WR_AUTO struct wr w = {0};

	for (size_t i = 0; i < FILES; i++) {
		struct entry e = {
		    .type = ENTRY_FILE,
		    .mode = 0644,
		    .mtime = 1700000000 + (int64_t)i,
		    .mtime_ns = (uint32_t)(mix(i) % 1000000000),
		    .ino = i + 2,
		    .nlink = 1,
		    .content = {nothing, 1},
		};

		(void)snprintf(l->names[i], FILE_NAME_LEN, "file-%08zu.txt", i);
		wr_reset(&w);
		entry_encode(&e, &w);
		must(dir_builder_add(b, lane, (const uint8_t *)l->names[i],
		    strlen(l->names[i]), w.buf, w.len, &err));
	}
}

static void
listing_init(struct listing *l)
{
	AUTO(ingest) struct ingest *in = NULL;
	AUTO(ingest_lane) struct ingest_lane *lane = NULL;
	AUTO(dir_builder) struct dir_builder *b = NULL;
	uint8_t(*indexes)[OBJECT_NAME_LEN];
	size_t n;

	memset(l, 0, sizeof(*l));
	place_new(&l->place);
	l->names = need(calloc(FILES, sizeof(*l->names)));
	must(ingest_new(l->place.store, l->place.ds->keys, &in, &err));
	must(ingest_lane_new(in, &lane, &err));
	must(dir_builder_new(&b, &err));
	add_files(l, b, lane);
	must(dir_builder_finish(b, lane, &l->dir, &err));
	must(ingest_lane_flush(lane, &err));
	must(ingest_finish(in, &indexes, &n, &err));
	must(segcache_new(CACHE, &l->cache, &err));
	must(chunks_new(
	    l->place.store, l->cache, l->place.ds->keys, &l->chunks, &err));
	must(chunks_set_indexes(l->chunks, indexes, n, &err));
	free(indexes);
}

void
part_tree(UNUSED const struct source *src)
{
	struct listing l;

	listing_init(&l);
	pair_measure(&(struct pair){
	    .what = "looking files up: any of 100,000 in a directory",
	    .unit = PART_OPERATIONS,
	    .own = look_up,
	    .beside = "a binary search in memory",
	    .limit = search_text,
	    .arg = &l,
	});
	pair_measure(&(struct pair){
	    .what = "listing a directory of 100,000",
	    .unit = PART_OPERATIONS,
	    .own = list_all,
	    .beside = "strlen() of the names in memory",
	    .limit = list_text,
	    .arg = &l,
	});
	chunks_free(l.chunks);
	segcache_free(l.cache);
	free(l.names);
	place_clear(&l.place);
}
