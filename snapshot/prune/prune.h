#ifndef SNAPSHOT_PRUNE_PRUNE_H
#define SNAPSHOT_PRUNE_PRUNE_H

/*
 * Giving space back: what no snapshot needs any more goes, packs that are
 * mostly dead and small packs and indexes are made into fewer, beside running
 * backups and mounts.
 * Source: FORMAT.md section 9, type 5.
 */
#include "snapshot/log/log.h"

#include <stdatomic.h>

#define PRUNE_MAX_DEAD 25

/* What was done last. */
enum prune_step {
	PRUNE_BEGUN,     /* nothing is known yet */
	PRUNE_FINISHED,  /* what an earlier prune left to be removed */
	PRUNE_MARKED,    /* what is needed is known */
	PRUNE_WRITTEN,   /* new packs and indexes, that nothing refers to yet */
	PRUNE_CONDEMNED, /* the record that takes away what is not needed */
	PRUNE_REMOVED,
};

/* Read by any thread at any time. */
struct prune_progress {
	_Atomic uint64_t snapshots, snapshots_total; /* looked at */
	_Atomic uint64_t chunks;                     /* found to be needed */
	_Atomic uint64_t bytes, bytes_total;         /* of packs made anew */
};

struct prune_options {
	bool dry_run;      /* find out what would be done */
	unsigned max_dead; /* percent of a pack that may be dead; 0: nothing */
	const atomic_bool *stop;
	struct prune_progress *progress; /* may be NULL */
	/* A pack that can't be repacked, since it is damaged; it stays. */
	void (*on_damage)(
	    void *arg, const struct object_ref *pack, const struct err *why);
	/*
	 * ${chunks} that snapshots need lie in ${pack}, which is missing or of
	 * another size than listed. Once a pack, and before the run ends: with
	 * any such, it changes nothing. May be NULL.
	 */
	void (*on_lost)(void *arg, const struct object_ref *pack,
	    uint64_t chunks, const struct err *why);
	void (*on_step)(void *arg, enum prune_step step); /* may be NULL */
	void *arg;
};

/* Objects, and their bytes. */
struct prune_count {
	uint64_t n;
	uint64_t bytes;
};

struct prune_result {
	uint64_t snapshots;
	uint64_t chunks, dead_chunks; /* needed; listed, but not needed */
	/*
	 * Needed, and not there: in packs that on_lost was told of, or listed
	 * by no index. With any of them nothing is done.
	 */
	uint64_t lost_chunks, lost_packs, unlisted_chunks;
	struct prune_count packs;     /* that there were */
	struct prune_count dead;      /* packs in which nothing is needed */
	struct prune_count repacked;  /* packs made anew, for what they hold */
	struct prune_count merged;    /* likewise, since they were small */
	struct prune_count written;   /* packs in their place */
	struct prune_count kept_dead; /* packs with dead bytes that stay */
	/* Packs to be made anew, which stay: the store has no room for it. */
	struct prune_count no_room;
	struct prune_count leaving; /* packs that only older snapshots need */
	struct prune_count indexes; /* that others replace, or nothing needs */
	struct prune_count orphans; /* packs that runs which died have left */
	/* Removed now; and left to the next prune, since a backup is running. */
	struct prune_count removed, waiting;
	uint64_t damaged; /* calls of on_damage */
	uint64_t record;  /* number of the record that was appended; 0: none */
};

/**
 * prune_run(a, ds, heads, opt, out, err):
 * Prune one dataset. Every unexpired snapshot, and what a running backup
 * builds on, is readable at each moment, also when it is ended at any.
 * What is dead in packs that stay may be taken up again by later backups.
 *
 * Where chunks that are needed are not there, it does no more than count them.
 *
 * Where the store is full when packs are made anew, it takes away what nobody
 * needs first, and makes them anew as far as there is room then.
 *
 * Errors: ERR_DENIED this key is no admin's, or the store is read-only;
 * ERR_LOCKED another prune of the dataset is running, or a backup that does not
 * get to reading the log; ERR_CORRUPT the log, an index or a directory of an
 * unexpired snapshot can't be read, so that nobody knows what is needed;
 * ERR_CANCELLED; ERR_FULL there is no room for as much as an index and a
 * record; ERR_IO. ${out} is filled in any case.
 * Thread: one run an access at a time.
 * Memory: a bit and 8 bytes a segment for each chunk, and some 50 MiB.
 */
NODISCARD int prune_run(struct access *a, const struct dataset *ds,
    struct heads *heads, const struct prune_options *opt,
    struct prune_result *out, struct err *err);

#endif
