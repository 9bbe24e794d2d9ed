#ifndef SNAPSHOT_REPLICATE_REPAIR_H
#define SNAPSHOT_REPLICATE_REPAIR_H

/*
 * Damaged and missing objects, fetched anew from another site. No key is
 * needed: an object's name says what its bytes have to be, and the newest
 * record leads to all that has to be there. It works in either direction.
 * Thread: one; progress may be looked at from any.
 * Source: PROTOCOL.md section 8.
 */
#include "snapshot/replicate/fetch.h"

#include <stdatomic.h>

struct repair_progress {
	atomic_uint_fast64_t objects, bytes; /* looked at */
	atomic_uint_fast64_t repaired;
};

struct repair_options {
	bool dry_run; /* say what would be fetched, and change nothing */
	const atomic_bool *stop;          /* may be NULL */
	struct repair_progress *progress; /* may be NULL */
	/*
	 * An object that was not as it should be: ${what} says how; ${why} is
	 * NULL when it is whole again, and else says why it is not.
	 */
	void (*on_object)(void *arg, const struct object_ref *ref,
	    const char *what, const struct err *why);
	/*
	 * A dataset of which not all could be looked at: something else has a
	 * directory's place, say.
	 */
	void (*on_unlisted)(void *arg, const struct err *why);
	void *arg;
};

struct repair_result {
	uint64_t objects, bytes; /* looked at */
	uint64_t damaged, missing;
	uint64_t repaired;
	uint64_t unlisted; /* datasets */
	char aside
	    [64]; /* where what was damaged is kept, below the store; or "" */
};

/**
 * repair_run(p, c, opt, out, err):
 * Look at every object of the store, and fetch what is damaged or missing over
 * ${c}, a connection of mode HELLO_FETCH (NULL with ${opt}->dry_run). What came
 * is compared with its name before it takes the damaged one's place, which is
 * moved to aside/DATE/ in the store.
 * Errors: ERR_CANCELLED; those of the connection, and of reading and writing
 * the store. What the other side doesn't have is no error, nor is a dataset that
 * can't be listed.
 * Cost: reads every byte.
 */
NODISCARD int repair_run(struct party *p, struct channel *c,
    const struct repair_options *opt, struct repair_result *out,
    struct err *err);

#endif
