#ifndef SNAPSHOT_CONTENT_INDEX_SET_H
#define SNAPSHOT_CONTENT_INDEX_SET_H

/*
 * Private to this folder: a set of indexes that look-ups go through, opened when
 * they are first needed. A set does not change; a new one shares the open
 * indexes of the one before. Reference-counted. Thread: safe.
 */
#include "snapshot/content/index_pages.h"

struct index_set;

/* Where its indexes are found, and what opens them; it outlives the set. */
struct index_source {
	struct store *store;
	const struct keyring *kr;
	struct index_pages *pages;
	uint8_t dataset[DATASET_ID_LEN];
};

/** index_set_new(src, before, names, n, out, err): ${before} may be NULL. */
NODISCARD int index_set_new(const struct index_source *src,
    const struct index_set *before, const uint8_t (*names)[OBJECT_NAME_LEN],
    size_t n, struct index_set **out, struct err *err);
struct index_set *index_set_ref(struct index_set *s);
void index_set_unref(struct index_set *s);
DEFINE_AUTO(index_set, index_set_unref)

size_t index_set_count(const struct index_set *s);

/**
 * index_set_lookup(s, i, name, place, found, err):
 * Look into the i-th index, opening it if need be. An index that turned out to
 * be damaged fails in the same way from then on, without being read again.
 * Errors: those of index_open() and index_find(), but for 'not listed', which
 * is *${found} false.
 */
NODISCARD int index_set_lookup(const struct index_set *s, size_t i,
    const struct chunk_name *name, struct chunk_place *place, bool *found,
    struct err *err);

#endif
