#ifndef SNAPSHOT_FIND_FIND_H
#define SNAPSHOT_FIND_FIND_H

/*
 * Every version of matching files over a sequence of snapshots. The first tree
 * is walked whole, each next one only where it differs from the one before.
 */
#include "snapshot/tree/dir.h"

#include <stdatomic.h>

/* A snapshot of the dataset: its root's raw entry, and where to read. */
struct find_snapshot {
	struct chunks *chunks;
	struct span root;
};

/*
 * Called when a directory of snapshot ${at} can't be read; path: raw bytes,
 * then NUL. What is in it counts as gone there. Return 0 to go on.
 */
typedef int find_problem_fn(void *arg, size_t at, const char *path,
    size_t path_len, const struct err *problem);

struct find_options {
	/*
	 * A shell pattern (fnmatch; '*' matches '/' and a leading '.' too). One
	 * with a '/' is for the whole path from the root on (a '/' in front is
	 * ignored), any other for the last part of the path.
	 */
	const char *pattern;
	find_problem_fn *on_problem; /* NULL: end with the error */
	void *arg;
	const atomic_bool *stop; /* may be NULL */
};

/*
 * A version of a file (or of a directory, symlink, ...): the same from snapshot
 * ${first} to ${last}, which are indexes. It ends when anything but the inode
 * number changes; a directory's does not when something inside changes.
 */
struct find_version {
	const char *path; /* raw bytes, then NUL */
	size_t path_len;
	struct span raw; /* the entry as it was first */
	struct entry e;
	size_t first;
	size_t last;
};

struct find;

/**
 * find_run(snapshots, n, opt, out, err):
 * Search ${n} snapshots of one dataset, oldest first. Files' contents are never
 * read: one that was cut in another way counts as changed.
 *
 * Owns:   borrows all it is given; *${out} is the caller's, NULL on failure.
 * Errors: those of chunks_get(); ERR_CORRUPT also for a chunk that is missing;
 * ERR_CANCELLED; ERR_USAGE an empty pattern. Damage goes to on_problem instead
 * where there is one; it costs a walk over that snapshot's whole tree.
 * Memory: the versions found, and diff_run()'s.
 */
NODISCARD int find_run(const struct find_snapshot *snapshots, size_t n,
    const struct find_options *opt, struct find **out, struct err *err);
void find_free(struct find *f);
DEFINE_AUTO(find, find_free)

/** find_count(f): Versions, in order of path (as bytes) and then of time. */
size_t find_count(const struct find *f);
const struct find_version *find_version(const struct find *f, size_t i);

#endif
