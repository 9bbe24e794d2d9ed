#ifndef SNAPSHOT_CHECK_CHECK_CHAIN_H
#define SNAPSHOT_CHECK_CHECK_CHAIN_H

/* Private to this folder: a log under check, record by record. */
#include "snapshot/check/check_internal.h"
#include "snapshot/store/record_refs.h"

/* A log's records, by sequence number, and what this machine saw last of it. */
struct chain {
	struct scope *s;
	struct record_refs all;
	struct head_seen seen; /* seq 0: nothing */
	uint64_t changes;      /* of the primary, so far */
	bool moved;            /* see check_log.c's check_seen() */
	bool behind;           /* likewise */
	bool any;              /* there is a snapshot, the newest of then: */
	struct moment newest;  /* without keys, only when it ended is known */
	/* Of ${all}: in the place of a record, but none of this log. */
	bool *alien;
	uint64_t own; /* the number of the last that is sound; 0: none yet */
	/* Those of epochs of which the key is not at hand, and their first. */
	uint64_t closed;
	size_t first_closed; /* of ${all} */
	uint32_t closed_epoch;
	bool damaged;
};

/** chain_seq_before(ch, i): The number of the record before the i-th, or 0. */
uint64_t chain_seq_before(const struct chain *ch, size_t i);

/**
 * chain_check(ch, i, err):
 * Check the i-th record, its place in the chain and its signature, and take in
 * what it says. Records come in order. Damage is told of, not an error.
 */
NODISCARD int chain_check(struct chain *ch, size_t i, struct err *err);

#endif
