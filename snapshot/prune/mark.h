#ifndef SNAPSHOT_PRUNE_MARK_H
#define SNAPSHOT_PRUNE_MARK_H

/*
 * Private to this folder: finding what snapshots need. Pages and list nodes are
 * read once, however many snapshots lead to them: those that are live already
 * have been.
 * Thread: belongs to one thread.
 */
#include "snapshot/content/chunks.h"
#include "snapshot/content/name_set.h"
#include "snapshot/log/log.h"
#include "snapshot/prune/live.h"
#include "snapshot/prune/prune.h"
#include "snapshot/tree/refs.h"

struct mark {
	struct live *live;
	const struct prune_options *opt;
	struct segcache *cache;
	struct chunks *chunks;
	bool newest; /* the snapshot at hand is the newest */
	/*
	 * When set: ${live} has been decided on, and what it does not list, later
	 * indexes must. What is needed of a pack that was to go takes it back.
	 */
	bool late;
	struct name_set later; /* pages and nodes that were read since */
	struct ref *stack;     /* pages and nodes to be read */
	size_t nstack, stack_cap;
	struct chunk_name *batch; /* chunks to be looked up */
	size_t nbatch;
	struct chunk_name *recent; /* those marked lately */
};

/** mark_init(m, live, opt, err): Both outlive it. mark_clear() in any case. */
NODISCARD int mark_init(struct mark *m, struct live *live,
    const struct prune_options *opt, struct err *err);
void mark_clear(struct mark *m);

/** mark_indexes(m, names, n, err): Where pages are read from. */
NODISCARD int mark_indexes(struct mark *m,
    const uint8_t (*names)[OBJECT_NAME_LEN], size_t n, struct err *err);

/**
 * mark_snapshot(m, snap, newest, err):
 * Mark all that ${snap} needs. Errors: ERR_CORRUPT something that tells of more
 * can't be read; ERR_CANCELLED.
 */
NODISCARD int mark_snapshot(
    struct mark *m, const struct snapshot *snap, bool newest, struct err *err);

/** mark_finish(m, err): After the last: look up what is left. */
NODISCARD int mark_finish(struct mark *m, struct err *err);

#endif
