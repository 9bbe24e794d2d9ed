#ifndef SNAPSHOT_REPLICATE_DOOM_H
#define SNAPSHOT_REPLICATE_DOOM_H

/*
 * Private to this folder: what a dataset's log condemns, as a site without keys
 * can tell, and what of it is needed all the same.
 * Thread: belongs to one thread. Source: PROTOCOL.md section 9.
 */
#include "snapshot/content/name_set.h"
#include "snapshot/replicate/doomed.h"

struct doom {
	struct store *store;
	uint8_t dataset[STORE_DATASET_LEN];
	struct doomed_set set;
	size_t prunes;
	uint64_t snapshot;       /* seq of the newest so far */
	struct name_set indexes; /* of the record before */
	/* Of the newest prune record's set, and of all sets after it. */
	struct name_set current;
	bool any;   /* a prune record has come */
	bool blind; /* one of the current ones isn't here */
};

/**
 * doom_read(d, s, dataset, err):
 * Read the whole log, and what the indexes list that are needed. doom_clear()
 * in any case. Errors: those of store_get(), record_peek() and index_peek().
 */
NODISCARD int doom_read(struct doom *d, struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], struct err *err);
void doom_clear(struct doom *d);

/** doom_is_gone(d, o): Condemned, and needed by nothing. */
bool doom_is_gone(const struct doom *d, const struct doomed *o);

#endif
