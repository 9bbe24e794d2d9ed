#ifndef SNAPSHOT_BACKUP_WALK_H
#define SNAPSHOT_BACKUP_WALK_H

/*
 * The walk over a source: depth first, entries in order of name. It decides
 * what is left out and what is unchanged, and sends jobs to its sink.
 *
 * No path is ever opened whole, so depth is not limited by PATH_MAX; and only
 * the deepest directories are kept open, so it is not by open files either.
 */
#include "snapshot/backup/exclude.h"
#include "snapshot/backup/item.h"
#include "snapshot/backup/links.h"
#include "snapshot/state/state.h"

struct walk_options {
	const struct exclude *exclude;
	bool exclude_caches;
	bool cross_filesystems;
	bool full;
	struct state *state; /* the last snapshot's, or NULL */
	struct links *links;
	const atomic_bool *stop; /* or NULL */
};

/* Receives the jobs in order; takes them over. */
typedef int walk_sink_fn(void *arg, struct job *job, struct err *err);

/**
 * walk_run(root_fd, root, opt, sink, arg, err):
 * ${root_fd} is taken over. ${root}: the root directory itself, taken over.
 * Errors: ERR_CANCELLED; ERR_NOMEM; those of the sink and the state. What can't
 * be read is a job with that fate, not an error.
 */
NODISCARD int walk_run(int root_fd, struct item *root,
    const struct walk_options *opt, walk_sink_fn *sink, void *arg,
    struct err *err);

#endif
