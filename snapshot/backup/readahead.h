#ifndef SNAPSHOT_BACKUP_READAHEAD_H
#define SNAPSHOT_BACKUP_READAHEAD_H

/*
 * The system is asked for files before a worker comes to them, so that the disk
 * has hundreds of requests at a time and not one a worker. That is done while
 * files are found that are not in the page cache; where all are, only a few are
 * looked at.
 */
#include "snapshot/backup/item.h"

/* All zero at first. Belongs to one thread. */
struct readahead {
	unsigned looks;  /* files still to be looked at, one by one */
	unsigned passed; /* files since the last that was looked at */
};

/**
 * readahead_job(r, job):
 * To be called before workers get it. What can't be looked at is theirs to tell.
 * Cost: 3 us for a file that is looked at, 6 where it is asked for. At most
 * READAHEAD_BYTES of a file are: what comes behind, the system reads ahead
 * itself.
 */
#define READAHEAD_BYTES (256 * 1024)
void readahead_job(struct readahead *r, const struct job *job);

#endif
