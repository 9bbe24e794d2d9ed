#ifndef SNAPSHOT_STORE_RECORD_REFS_H
#define SNAPSHOT_STORE_RECORD_REFS_H

/*
 * The records of a dataset's log, as a store lists them: by their names alone,
 * whoever wrote them. There may be gaps, and several of one number.
 * Thread: belongs to one thread.
 */
#include "snapshot/store/store.h"

struct record_refs {
	struct object_ref *v; /* ascending by seq */
	size_t n, cap;
};

void record_refs_clear(struct record_refs *r);
#define RECORD_REFS_AUTO __attribute__((cleanup(record_refs_clear)))

/**
 * record_refs_list(s, dataset, r, err):
 * List them anew; the memory that ${r} has is used again. Clear ${r} also after
 * a failure. A directory that is read while records are added may show a later
 * one and not the one before it: so one that is not plain is read again, and
 * what then is not plain is so in the store.
 * Errors: those of store_list().
 */
NODISCARD int record_refs_list(struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], struct record_refs *r,
    struct err *err);

/** record_refs_plain(r): Whether there is one of each number, from 1. */
bool record_refs_plain(const struct record_refs *r);

/** record_refs_single(r): Whether there are no two of one number. */
bool record_refs_single(const struct record_refs *r);

/** record_refs_find(r, seq): The first that is not before ${seq}, or n. */
size_t record_refs_find(const struct record_refs *r, uint64_t seq);

/** record_refs_last(r): The highest number; 0: there is none. */
uint64_t record_refs_last(const struct record_refs *r);

#endif
