#ifndef SNAPSHOT_BACKUP_GRAB_H
#define SNAPSHOT_BACKUP_GRAB_H

/*
 * A worker's part: everything about an entry that is not in its stat: content,
 * extended attributes, symlink target. The source is not changed by it, access
 * times included where the system lets us.
 */
#include "snapshot/backup/feed.h"

struct readahead;

struct grab_options {
	_Atomic uint64_t *read; /* counts bytes read, or NULL */
	const atomic_bool *stop;
	/* How often the run has looked whether a lease was given back, or NULL. */
	atomic_uint *lease_looks;
	struct readahead *ahead; /* is told of batches that are done; or NULL */
};

/**
 * grab_item(): What it->what asks for, in the open directory ${dirfd}. A file that
 * another program holds a lease on is waited for, a minute at most; its error is
 * EWOULDBLOCK then.
 */
NODISCARD int grab_item(struct worker *w, int dirfd, struct item *it,
    const struct grab_options *opt, struct err *err);

/** grab_batch(): A pool_work_fn; ${arg} is a struct grab_options. */
NODISCARD int grab_batch(
    struct worker *w, struct job *job, void *arg, struct err *err);

/**
 * grab_xattrs(lane, fd, path, it, err):
 * The attributes of an open file, or (${fd} < 0) of what ${path} leads to.
 * A filesystem without any is fine.
 */
NODISCARD int grab_xattrs(struct ingest_lane *lane, int fd, const char *path,
    struct item *it, struct err *err);

/**
 * grab_open(dirfd, name): For reading, leaving atime alone; -1 and errno.
 * EWOULDBLOCK: somebody holds a lease, and has been asked to give it back.
 */
int grab_open(int dirfd, const char *name);

#endif
