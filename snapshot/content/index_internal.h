#ifndef SNAPSHOT_CONTENT_INDEX_INTERNAL_H
#define SNAPSHOT_CONTENT_INDEX_INTERNAL_H

/*
 * What the files that read an index share.
 *
 *	index_open.c	opening: head, packs, summary
 *	index_read.c	looking up, page by page
 *	index_walk.c	all of it, and merging
 */
#include "snapshot/content/index_pages.h"

#include <pthread.h>

struct index {
	struct object_ref ref;
	/* Where its bytes are: in a store, or (${bytes}) in memory. */
	struct store *store;
	const uint8_t *bytes;
	uint64_t size;

	uint8_t clear[HASH_LEN]; /* of the head and the list of packs */
	pthread_mutex_t mu;
	struct aead *aead; /* guarded by mu */
	struct index_summary sum;
	struct index_pages *pages;
	struct index_pages *own_pages; /* or NULL */
	/* Of pages of names, then of segments; guarded by pages' mutex. */
	struct index_page **homes;
};

/** index_name_failure(): Returns ${rc}, its text with the index's name. */
int index_name_failure(const struct index *ix, int rc, struct err *err);

/** index_misplaced(): ERR_CORRUPT: a segment is where it can't be. */
int index_misplaced(const struct index *ix, size_t segment, struct err *err);

/** index_read_sealed(): Read ${len} sealed bytes and open them in place. */
NODISCARD int index_read_sealed(struct index *ix, uint64_t counter,
    uint64_t off, uint8_t *buf, size_t len, struct err *err);

/** index_spot_of(s, entry, segment): What an entry says, as numbers. */
struct index_spot index_spot_of(
    const struct index_summary *s, size_t entry, uint32_t segment);

/** index_page_offset(), index_segments_offset(): Where a page lies. */
uint64_t index_page_offset(const struct index *ix, size_t page);
uint64_t index_segments_offset(const struct index *ix, size_t page);

#endif
