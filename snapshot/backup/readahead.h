#ifndef SNAPSHOT_BACKUP_READAHEAD_H
#define SNAPSHOT_BACKUP_READAHEAD_H

/*
 * The system is asked for files before a worker comes to them, so that the disk
 * has hundreds of requests at a time and not one a worker. That is done while
 * files are found that are not in the page cache, on filesystems that can tell
 * (RWF_NOWAIT: ext4, xfs, btrfs; not what is read over a network); where all are
 * there, only a few are looked at.
 */
#include "snapshot/backup/item.h"

/* Of a file; what comes behind, the system reads ahead itself. */
#define READAHEAD_BYTES (256 * 1024)
/* Of all files: while so much has yet to be read, nothing is asked for. */
#define READAHEAD_MOST (64 * 1024 * 1024)

/* All zero at first. */
struct readahead {
	/* of the thread that calls readahead_job() */
	unsigned looks;  /* files still to be looked at, one by one */
	unsigned passed; /* files since the last that was looked at */

	atomic_size_t asked; /* bytes of jobs that are not done */
};

/**
 * readahead_job(r, job):
 * To be called before workers get it. What can't be looked at is theirs to tell.
 * Cost: 3 us for a file that is looked at, 6 where it is asked for.
 */
void readahead_job(struct readahead *r, struct job *job);

/** readahead_done(r, job): All of it was read. Thread: safe. */
void readahead_done(struct readahead *r, const struct job *job);

#endif
