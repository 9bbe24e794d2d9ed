#ifndef SNAPSHOT_BACKUP_WALK_H
#define SNAPSHOT_BACKUP_WALK_H

/*
 * The walk over a source: depth first, entries in order of name. A scout looks
 * at the source ahead of it; the walk decides what is unchanged since the last
 * snapshot, and sends jobs to its sink.
 */
#include "snapshot/backup/item.h"
#include "snapshot/backup/links.h"
#include "snapshot/backup/scout.h"
#include "snapshot/state/state.h"

struct walk_options {
	const atomic_bool *stop; /* or NULL */
	bool full;               /* what has not changed is read, too */
	struct state *state;     /* the last snapshot's, or NULL */
	struct links *links;
	uint64_t *elsewhere; /* counts directories on other filesystems */
	bool *met_store;     /* set when the store is met, and left out */
};

/* Receives the jobs in order; takes them over. */
typedef int walk_sink_fn(void *arg, struct job *job, struct err *err);

/**
 * walk_run(scout, root, opt, sink, arg, err):
 * ${scout}: of the source, and nothing was taken from it yet. ${root}: the root
 * directory itself, taken over.
 * Errors: ERR_CANCELLED; ERR_NOMEM; those of scout_next(), the sink and the
 * state. What can't be read is a job with that fate, not an error.
 */
NODISCARD int walk_run(struct scout *scout, struct item *root,
    const struct walk_options *opt, walk_sink_fn *sink, void *arg,
    struct err *err);

#endif
