#ifndef SNAPSHOT_LOG_RUNNING_H
#define SNAPSHOT_LOG_RUNNING_H

/*
 * A running backup, as it lets others know of it: what it writes into the lock
 * that it holds from start to end (FORMAT.md section 2).
 */
#include "snapshot/store/store.h"

struct running {
	bool any;     /* there is one */
	bool told;    /* and it has read the log: */
	uint64_t seq; /* the newest record that it saw */
	/* Of the snapshot whose entries it may take over; zero: of none. */
	uint8_t base[OBJECT_NAME_LEN];
};

/**
 * running_tell(lock, seq, base, err):
 * Once, by the holder of the STORE_LOCK_RUN ${lock}, after it has read the log
 * and before it relies on anything in the store. ${base} may be NULL.
 */
NODISCARD int running_tell(struct store_lock *lock, uint64_t seq,
    const uint8_t base[OBJECT_NAME_LEN], struct err *err);

/**
 * running_look(store, dataset, out, err):
 * Whoever starts after this has looked sees at least the records that were
 * there before it looked. A note that makes no sense counts as none.
 */
NODISCARD int running_look(struct store *store,
    const uint8_t dataset[STORE_DATASET_LEN], struct running *out,
    struct err *err);

#endif
