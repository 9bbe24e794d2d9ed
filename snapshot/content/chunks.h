#ifndef SNAPSHOT_CONTENT_CHUNKS_H
#define SNAPSHOT_CONTENT_CHUNKS_H

/*
 * Reading chunks by name: index, pack, segment, chunk. One bounded cache of
 * open segments serves all datasets of a process; a segment that several
 * threads want is opened once, and the others wait for it.
 */
#include "snapshot/content/index.h"

/* The cache of open segments. Thread: safe. */
struct segcache;

/**
 * segcache_new(limit, out, err):
 * At most ${limit} bytes of segments are kept; those in use (struct chunk) don't
 * go, and what finds no room beside them is not kept. Pages of indexes take
 * another sixteenth.
 */
NODISCARD int segcache_new(
    size_t limit, struct segcache **out, struct err *err);
void segcache_free(struct segcache *c);
DEFINE_AUTO(segcache, segcache_free)
size_t segcache_limit(const struct segcache *c);

/**
 * segcache_threads(c, n, err):
 * Start ${n} threads that serve prefetches, and one for whole packs; without
 * any, prefetching does nothing.
 */
NODISCARD int segcache_threads(struct segcache *c, unsigned n, struct err *err);

/* The chunks of one dataset, as far as a set of indexes locates them. */
struct chunks;

/**
 * chunks_new(store, cache, kr, out, err):
 * ${store}, ${cache} and ${kr} outlive it. A keyring without private halves
 * still locates chunks, but opens none: ERR_DENIED. It begins with no indexes.
 * Errors: ERR_USAGE the keyring is empty; ERR_NOMEM.
 */
NODISCARD int chunks_new(struct store *store, struct segcache *cache,
    const struct keyring *kr, struct chunks **out, struct err *err);
void chunks_free(struct chunks *c);
DEFINE_AUTO(chunks, chunks_free)

/**
 * chunks_set_indexes(c, names, n, err):
 * The set of indexes to look in from now on (a log record's), from the last one
 * to the first: writers add new ones at the end. Those already open stay open;
 * look-ups in flight finish with the old set. They are opened at the first
 * look-up. Thread: safe.
 */
NODISCARD int chunks_set_indexes(struct chunks *c,
    const uint8_t (*names)[OBJECT_NAME_LEN], size_t n, struct err *err);

/*
 * Called (once a failed look-up) when a pack or a chunk is not where the
 * indexes say; it may call chunks_set_indexes() and return 0 to try again. One
 * call at a time; it must not look chunks up. Set it before the first look-up.
 */
typedef int chunks_refresh_fn(void *arg, struct err *err);
void chunks_on_missing(struct chunks *c, chunks_refresh_fn *fn, void *arg);

/*
 * Called when the indexes of the set, the newest, don't lead to a whole chunk:
 * they may be damaged, or their writer's lies. It may call
 * chunks_widen_indexes() with those of older records before them, and return 0
 * to try again. Else as chunks_refresh_fn; once for a set.
 */
void chunks_on_failure(struct chunks *c, chunks_refresh_fn *fn, void *arg);
/** chunks_widen_indexes(): As chunks_set_indexes(), until that is called. */
NODISCARD int chunks_widen_indexes(struct chunks *c,
    const uint8_t (*names)[OBJECT_NAME_LEN], size_t n, struct err *err);

/* A chunk in memory: borrowed from its segment, which ${seg} keeps alive. */
struct chunk {
	struct segment *seg;
	const uint8_t *data;
	uint32_t len;
};
void chunk_release(struct chunk *ch);
/** chunk_beside(ch, name): Whether chunk ${name} was opened along with it. */
bool chunk_beside(const struct chunk *ch, const struct chunk_name *name);
#define CHUNK_AUTO __attribute__((cleanup(chunk_release)))

/**
 * chunks_get(c, name, kind, out, err):
 * Errors: ERR_NOT_FOUND no index lists it, or its pack is gone; ERR_CORRUPT
 * damaged, of another kind, or an index that may list it is gone; ERR_DENIED
 * this key can't open; ERR_VERSION; ERR_IO; ERR_NOMEM. The text names the chunk and, where known, the pack and the
 * segment. A chunk that is stored twice is found as long as one place is whole.
 * The first time that a chunk of a segment in memory is asked for, its name is
 * computed again: what a writer stored under another chunk's name is refused.
 * Thread: safe. Cost: in memory a hash look-up; else one segment; naming.
 */
NODISCARD int chunks_get(struct chunks *c, const struct chunk_name *name,
    enum chunk_kind kind, struct chunk *out, struct err *err);

/** chunks_place(c, name, place, err): Where it lies; nothing is opened. */
NODISCARD int chunks_place(struct chunks *c, const struct chunk_name *name,
    struct chunk_place *place, struct err *err);

/**
 * chunks_prefetch(c, name):
 * Ask for the chunk's segment to be in the cache soon; never waits, and may
 * do nothing (queue full). Served by the cache's threads.
 */
void chunks_prefetch(struct chunks *c, const struct chunk_name *name);

/**
 * chunks_fetch_pack(c, name, other):
 * Likewise for all of the chunk's pack, as it is stored, to be in the system's
 * cache, long before its chunks are read in order: if ${other}, a chunk that will
 * be read a little later, lies in it, too. Else they will not be read in order.
 * Cost: two look-ups in the indexes. What is there already is not read again.
 */
void chunks_fetch_pack(struct chunks *c, const struct chunk_name *name,
    const struct chunk_name *other);

#endif
