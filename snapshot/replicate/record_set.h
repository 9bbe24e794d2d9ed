#ifndef SNAPSHOT_REPLICATE_RECORD_SET_H
#define SNAPSHOT_REPLICATE_RECORD_SET_H

/*
 * Private to this folder: a log record's index set, as a site without keys sees
 * it: the indexes, and the packs that these list in the clear.
 */
#include "snapshot/log/log.h"

struct record_set {
	uint8_t dataset[STORE_DATASET_LEN];
	uint8_t (*names)[OBJECT_NAME_LEN]; /* ascending */
	size_t n;
};

/** record_set_read(set, clear, err): A record's; what it was is freed. */
NODISCARD int record_set_read(
    struct record_set *set, const struct record_clear *clear, struct err *err);
void record_set_clear(struct record_set *set);
#define RECORD_SET_AUTO __attribute__((cleanup(record_set_clear)))

/**
 * record_set_here(s, set, seen, err):
 * Whether its indexes and their packs are in the store, of the size that they
 * should have. Those that ${seen} (may be NULL) has are not looked at.
 * Errors: ERR_NOT_FOUND, and ERR_CORRUPT damaged: the text says which; ERR_IO.
 */
NODISCARD int record_set_here(struct store *s, const struct record_set *set,
    const struct record_set *seen, struct err *err);

/**
 * record_set_covers(s, set, before, err):
 * Whether all packs of ${before} are some of ${set}, as of the sets of a record
 * and of that before it: only a prune record drops packs. An index of ${before}
 * that is not in the store lists nothing.
 * Errors: ERR_CORRUPT it does not cover them; those of index_peek().
 * Cost: nothing is read when all indexes of ${before} are in ${set}.
 */
NODISCARD int record_set_covers(struct store *s, const struct record_set *set,
    const struct record_set *before, struct err *err);

#endif
