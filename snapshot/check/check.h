#ifndef SNAPSHOT_CHECK_CHECK_H
#define SNAPSHOT_CHECK_CHECK_H

/*
 * Is the store whole?
 */
#include "snapshot/content/chunks.h"
#include "snapshot/log/log.h"

#include <stdatomic.h>

enum check_depth {
	CHECK_NO_KEYS,   /* every object's hash and shape; no key needed */
	CHECK_STRUCTURE, /* signatures, logs, indexes, trees, lists; every
				 * chunk is where the index says */
	CHECK_READ_DATA, /* also every byte of every pack, opened, and
				 * every chunk's name computed again */
};

struct check_progress {
	_Atomic uint64_t objects;
	_Atomic uint64_t bytes; /* read so far */
	_Atomic uint64_t total; /* bytes to read, once known */
};

struct check_options {
	enum check_depth depth;
	const char *dataset; /* NULL: all that the key may read */
	unsigned threads;    /* 0: one a processor */
	const atomic_bool *stop;
	struct check_progress *progress;
	/* One call at a time. ${object}: the damaged or missing object; ${what}: why;
	 * ${affects}: NULL, or a snapshot or file that can't be restored. */
	void (*on_damage)(void *arg, const char *object, const char *what,
	    const char *affects);
	void *arg;
};

struct check_result {
	uint64_t objects, bytes; /* looked at */
	uint64_t snapshots, entries, chunks;
	uint64_t damaged;      /* calls of on_damage */
	uint64_t unreferenced; /* objects that no log record needs */
};

/**
 * check_run(a, heads, opt, out, err):
 * Goes on after damage; fails only where it can't look at all.
 * Trees and lists that snapshots share are looked at once. A writer's key checks
 * what it can open (logs, indexes, the presence of packs).
 */
NODISCARD int check_run(struct access *a, struct heads *heads,
    const struct check_options *opt, struct check_result *out, struct err *err);

#endif
