#ifndef SNAPSHOT_REPLICATE_REPAIR_INTERNAL_H
#define SNAPSHOT_REPLICATE_REPAIR_INTERNAL_H

/*
 * Private to this folder: a repair, as its files share it.
 *
 *	repair.c	what leads to what: records, indexes, packs
 *	repair_keys.c	key objects
 *	repair_object.c	looking at one object, and mending it
 */
#include "snapshot/content/name_set.h"
#include "snapshot/replicate/repair.h"
#include "snapshot/store/record_refs.h"

#define REPAIR_PIECE ((size_t)1024 * 1024) /* read at a time */

struct repair {
	struct party *party;
	struct store *store;
	const struct repair_options *opt;
	struct repair_result *out;
	struct channel *channel;
	struct store_batch *batch;
	struct sha256_ctx *sha;
	uint8_t *buf;         /* REPAIR_PIECE bytes */
	struct name_set seen; /* names that were looked at */
	uint8_t dataset[STORE_DATASET_LEN];
	struct record_refs records; /* of that dataset */
	bool unlisted;              /* that was told of it */
};

/**
 * repair_visit(r, ref, good, err):
 * Look at an object that has to be there, once, and mend it. *${good}: it is
 * whole now, or was looked at before. Errors: what is not the object's fault.
 */
NODISCARD int repair_visit(struct repair *r, const struct object_ref *ref,
    bool *good, struct err *err);
/** repair_visit_listed(): The same, as a store_visit_fn. */
NODISCARD int repair_visit_listed(
    void *arg, const struct object_ref *ref, uint64_t size, struct err *err);

/** repair_goes_on(rc): What says nothing of the object after it. */
bool repair_goes_on(int rc);

/**
 * repair_keys(r, err): Those that are here; and those that the other side has
 * beyond them, if they count for something.
 */
NODISCARD int repair_keys(struct repair *r, struct err *err);

#endif
