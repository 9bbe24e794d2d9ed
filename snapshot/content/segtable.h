#ifndef SNAPSHOT_CONTENT_SEGTABLE_H
#define SNAPSHOT_CONTENT_SEGTABLE_H

/*
 * Private to this folder: the open segments that the cache keeps, bounded by
 * their size, found by their place or by a chunk they hold.
 * Thread: none of its own; the cache calls it with its mutex held.
 */
#include "crypto/packkey.h"
#include "snapshot/content/pack.h"

/*
 * A segment. The dataset is part of it: an index of one dataset that names a
 * pack of another must not be served what that one's key opened.
 */
struct segtable_key {
	uint8_t dataset[DATASET_ID_LEN];
	uint8_t pack[OBJECT_NAME_LEN];
	uint32_t number;
};

bool segtable_key_equal(
    const struct segtable_key *a, const struct segtable_key *b);

struct segtable;

/** segtable_new(limit, out, err): At most ${limit} bytes are kept. */
NODISCARD int segtable_new(
    size_t limit, struct segtable **out, struct err *err);
void segtable_free(struct segtable *t);
DEFINE_AUTO(segtable, segtable_free)

size_t segtable_memory(const struct segtable *t);

/** segtable_get(t, key): A reference, or NULL; the segment is now the newest. */
struct segment *segtable_get(
    struct segtable *t, const struct segtable_key *key);

bool segtable_has(struct segtable *t, const struct segtable_key *key);

/** segtable_find(): The same of a segment that holds the chunk. */
struct segment *segtable_find(struct segtable *t,
    const uint8_t dataset[DATASET_ID_LEN], const struct chunk_name *name);

/* Segments that had to go; to be freed when the mutex is no longer held. */
struct segtable_entry;
void segtable_free_entries(struct segtable_entry *list);

/**
 * segtable_keep(t, key, seg):
 * Take another reference of a segment that isn't there yet, if there is room or
 * can be made: the oldest that nobody uses go, and are returned.
 */
struct segtable_entry *segtable_keep(
    struct segtable *t, const struct segtable_key *key, struct segment *seg);

#endif
