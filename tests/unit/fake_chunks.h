#ifndef TESTS_UNIT_FAKE_CHUNKS_H
#define TESTS_UNIT_FAKE_CHUNKS_H

/*
 * Chunks in memory that take the place of the real ones at link time: what
 * ingest_chunk() takes in, chunks_get() gives back. A chunk's name is the
 * SHA-256 of its salt, its kind and its bytes. Belongs to one thread.
 */
#include "snapshot/content/chunks.h"
#include "snapshot/content/ingest.h"

/** fake_chunks_new(salt): Aborts when memory runs out, as all of this does. */
struct chunks *fake_chunks_new(uint8_t salt);
/** fake_chunks_free(c): Fails an assertion when a chunk was not released. */
void fake_chunks_free(struct chunks *c);

/** fake_lane(c): A lane into ${c}; lives as long as it. */
struct ingest_lane *fake_lane(struct chunks *c);

/** fake_count(c, kind): Chunks of that kind. */
size_t fake_count(const struct chunks *c, enum chunk_kind kind);

/** fake_gets(c): Calls of chunks_get() so far. */
size_t fake_gets(const struct chunks *c);

/** fake_pinned(c): Chunks that were got and not released yet. */
size_t fake_pinned(const struct chunks *c);

/** fake_prefetches(c): Calls of chunks_prefetch() so far, and the last one's. */
size_t fake_prefetches(const struct chunks *c);
const struct chunk_name *fake_prefetched(const struct chunks *c);

/** fake_fetches(c): Calls of chunks_fetch_pack() so far, and the last one's. */
size_t fake_fetches(const struct chunks *c);
const struct chunk_name *fake_fetched(const struct chunks *c);
const struct chunk_name *fake_fetched_other(const struct chunks *c);

/** fake_drop(c, name): It is not found any more. */
void fake_drop(struct chunks *c, const struct chunk_name *name);

/** fake_replace(c, name, buf, len): Other bytes under the same name. */
void fake_replace(struct chunks *c, const struct chunk_name *name,
    const void *buf, size_t len);

/** fake_fail_at(c, n): The n-th chunk from now on fails to be taken in. */
void fake_fail_at(struct chunks *c, size_t n);

#endif
