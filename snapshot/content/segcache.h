#ifndef SNAPSHOT_CONTENT_SEGCACHE_H
#define SNAPSHOT_CONTENT_SEGCACHE_H

/*
 * Private to this folder: the cache of open segments as the readers of chunks
 * use it. Thread: safe.
 */
#include "snapshot/content/chunks.h"
#include "snapshot/content/index_pages.h"
#include "snapshot/content/prefetch.h"
#include "snapshot/content/segtable.h"

/** segcache_find(): A segment in memory that holds the chunk, or NULL. */
struct segment *segcache_find(struct segcache *c,
    const uint8_t dataset[DATASET_ID_LEN], const struct chunk_name *name);

typedef int segcache_load_fn(void *arg, struct segment **out, struct err *err);

/**
 * segcache_get(c, key, load, arg, out, err):
 * The segment, from memory or from ${load}, which is called by one thread while
 * the others that want the segment wait; a failure is all of theirs, and then
 * forgotten. What finds no room among segments in use is not kept.
 */
NODISCARD int segcache_get(struct segcache *c, const struct segtable_key *key,
    segcache_load_fn *load, void *arg, struct segment **out, struct err *err);

/** segcache_busy(): Whether it is in memory or on its way there. */
bool segcache_busy(struct segcache *c, const struct segtable_key *key);

/** segcache_memory(c): Bytes of the segments that are kept. */
size_t segcache_memory(struct segcache *c);

/* What those who read through the cache share; borrowed. */
struct segment_decoder *segcache_decoder(struct segcache *c);
struct index_pages *segcache_pages(struct segcache *c);
struct prefetch *segcache_prefetch(struct segcache *c);
/* For whole packs: one at a time, and no segment waits behind one. */
struct prefetch *segcache_fetch(struct segcache *c);

#endif
