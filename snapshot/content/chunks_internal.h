#ifndef SNAPSHOT_CONTENT_CHUNKS_INTERNAL_H
#define SNAPSHOT_CONTENT_CHUNKS_INTERNAL_H

/* What finding chunks and reading them share. */
#include "snapshot/content/chunks.h"
#include "snapshot/content/index_set.h"
#include "snapshot/content/pack_cache.h"
#include "snapshot/content/segcache.h"
#include "snapshot/content/verify.h"

#include <pthread.h>

struct chunks {
	struct segcache *cache;
	struct index_source src;
	struct pack_cache *packs;
	struct verifier *verifier;

	pthread_mutex_t mu;
	struct index_set *set; /* guarded by mu */
	uint64_t generation;   /* of the set; guarded by mu */
	/* Guarded by mu: as chunks_set_indexes() was told, and whether older
	 * ones are in the set, too. */
	uint8_t (*narrow)[OBJECT_NAME_LEN];
	size_t nnarrow;
	bool wide;

	pthread_mutex_t refresh_mu; /* held while one is under way */
	chunks_refresh_fn *refresh; /* set before look-ups begin */
	void *refresh_arg;
	chunks_refresh_fn *widen;
	void *widen_arg;
};

/** chunks_current(c, generation): The set to look in, and which it is;
 * index_set_unref(). */
struct index_set *chunks_current(struct chunks *c, uint64_t *generation);

/* What to do with a place where the chunk should be; 0 ends the look-up. */
typedef int chunks_place_fn(struct chunks *c, const struct chunk_name *name,
    const struct chunk_place *place, void *out, struct err *err);

/**
 * chunks_look_up(c, name, fn, out, err):
 * Call ${fn} with the chunk's places until one will do, in the newest indexes
 * first; and again where newer ones are found when something was missing.
 * Errors: ERR_NOT_FOUND no index lists it; else the failure that tells most.
 */
NODISCARD int chunks_look_up(struct chunks *c, const struct chunk_name *name,
    chunks_place_fn *fn, void *out, struct err *err);

/** chunks_try(): The same, once, whatever comes of it. */
void chunks_try(struct chunks *c, const struct chunk_name *name,
    chunks_place_fn *fn, void *out);

#endif
