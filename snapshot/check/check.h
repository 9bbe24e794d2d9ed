#ifndef SNAPSHOT_CHECK_CHECK_H
#define SNAPSHOT_CHECK_CHECK_H

/*
 * Is the store whole?
 */
#include "snapshot/check/check_early.h"
#include "snapshot/content/chunks.h"
#include "snapshot/log/log.h"

#include <stdatomic.h>

enum check_depth {
	CHECK_NO_KEYS,   /* every object's hash and shape, the logs' chains and
			  * signatures; that the objects the newest record
			  * needs are there; no key needed */
	CHECK_STRUCTURE, /* signatures, logs, indexes, trees, lists; every
			  * chunk is where the index says */
	CHECK_READ_DATA, /* also every byte of every pack, opened, and
			  * every chunk's name computed again; of indexes
			  * that nothing needs, their bytes */
};

struct check_progress {
	_Atomic uint64_t objects;
	_Atomic uint64_t bytes; /* read so far */
	_Atomic uint64_t total; /* bytes to read, as far as known */
};

struct check_options {
	enum check_depth depth;
	const char *dataset; /* NULL: all that the key may read */
	unsigned threads;    /* 0: one a processor */
	struct sitedb *site; /* of a replica: which records came; or NULL */
	struct check_early *early; /* or NULL; it is ended */
	const atomic_bool *stop;
	struct check_progress *progress;
	/*
	 * One call at a time, but from several threads. ${object}: the damaged
	 * or missing object, or the directory of a class that can't be listed;
	 * ${what}: why; ${affects}: NULL, or a snapshot or file that can't be
	 * restored, as 'DATASET@TIME:/PATH' with the path's bytes as they are.
	 * Damage of an object as such comes first, then what it affects: files in
	 * the newest snapshot that has them so, and of older ones the
	 * directories that they have in common with it.
	 */
	void (*on_damage)(void *arg, const char *object, const char *what,
	    const char *affects);
	/*
	 * The same of a replica that has yet to get records that this machine
	 * has seen, which is no damage. ${name}: the dataset's; NULL without
	 * keys. NULL: nobody is told.
	 */
	void (*on_behind)(void *arg, const uint8_t dataset[DATASET_ID_LEN],
	    const char *name, const struct log_behind *b);
	void *arg;
};

struct check_result {
	uint64_t objects, bytes; /* looked at */
	uint64_t snapshots, entries, chunks;
	uint64_t damaged; /* calls of on_damage */
	/*
	 * Objects that no log record needs: an unfinished run, or a newer index
	 * in their place, has left them. Not counted when part of the log or of
	 * the indexes can't be read, for then they may be needed.
	 */
	uint64_t unreferenced;
	uint64_t behind; /* calls of on_behind */
	uint64_t closed; /* datasets with snapshots that the key can't open */
};

/**
 * check_run(a, heads, opt, out, err):
 * Goes on after damage; fails only where it can't look at all.
 * Trees and lists that snapshots share are looked at once. A writer's key
 * checks what it can open (logs, indexes, the presence of packs). ${heads} may
 * be NULL: then nobody notices that the newest records are missing; of a replica
 * that is no damage. A log that is found whole is remembered there. A dataset
 * that is pruned meanwhile is looked at again, a few times at most.
 *
 * Errors: ERR_NOT_FOUND the key may see no such dataset; ERR_CANCELLED;
 * ERR_NOMEM; those of the remembered heads. ${out} is filled in any case.
 * Thread: uses opt->threads of its own; ${a} is not refreshed meanwhile.
 * Memory: about 120 bytes for each page and node and 90 for each pack of a
 * dataset, 128 MiB of trees and 24 MiB of chunks to be looked up at most, and a
 * few bytes a chunk to read data.
 */
NODISCARD int check_run(struct access *a, struct heads *heads,
    const struct check_options *opt, struct check_result *out, struct err *err);

#endif
