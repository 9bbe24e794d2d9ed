#ifndef SNAPSHOT_RESTORE_RESTORE_H
#define SNAPSHOT_RESTORE_RESTORE_H

/*
 * Copying out of a snapshot, with all metadata.
 */
#include "snapshot/log/log.h"
#include "snapshot/tree/dir.h"

#include <stdatomic.h>

struct restore_progress {
	_Atomic uint64_t entries;
	_Atomic uint64_t bytes;
};

struct restore_options {
	const char *path;   /* in the snapshot; "" or NULL: all of it */
	const char *target; /* where to: see restore_run() */
	bool no_owner;      /* don't set owners (never done unless root) */
	bool numeric_ids;   /* ids as they are, names not looked up */
	unsigned threads;   /* 0: one a processor */
	const atomic_bool *stop;
	struct restore_progress *progress;
	/* Something that could not be restored; the rest goes on. */
	void (*on_problem)(void *arg, const char *path, const struct err *err);
	void *arg;
};

struct restore_result {
	/* A file counts under each of its names, as in a snapshot's totals. */
	uint64_t files, dirs, others, bytes;
	uint64_t failed; /* entries, told to on_problem */
	bool damaged;    /* some of them because the store is damaged */
};

/**
 * restore_run(chunks, s, opt, out, err):
 * A directory is restored as ${target} (made when missing; must be empty if it
 * is there); anything else as the file ${target} (must not be there), or into
 * ${target} under its own name where that is a directory. Nothing that exists is
 * ever overwritten. Owners only as root; a user gets what a user may set.
 * Names on the way can't escape ${target}, whatever the snapshot says. A file
 * whose bytes can't be restored is not left behind, under none of its names; one
 * that lacks metadata is kept, and told.
 *
 * Errors: ERR_NOT_FOUND no such path in the snapshot; ERR_USAGE the target is
 * in the way; ERR_FULL; ERR_DENIED; ERR_CANCELLED; ERR_IO. Single entries that
 * fail are counted in ${out} and told to on_problem instead.
 */
NODISCARD int restore_run(struct chunks *chunks, const struct snapshot *s,
    const struct restore_options *opt, struct restore_result *out,
    struct err *err);

#endif
