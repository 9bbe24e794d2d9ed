#ifndef SNAPSHOT_BACKUP_ITEM_H
#define SNAPSHOT_BACKUP_ITEM_H

/*
 * What travels through a backup's pipeline: jobs, in the order of the walk.
 *
 *	scout --> views --> walk --> jobs in order --> workers, in any order
 *	    --> assembly, in order
 *
 * A job is a batch of entries of one directory, or the start or end of a
 * directory. Only batches with something to read concern the workers. Of most
 * entries that are as they were, a batch has no item but only what the last
 * snapshot's state says of them.
 */
#include "snapshot/backup/backup.h"

#include <sys/stat.h>

#define BATCH_ITEMS 128
#define BATCH_BYTES (1024 * 1024) /* to read; then the batch is sent */
#define BATCH_KEPT (32 * 1024)    /* bytes of records, likewise */

/* An open directory, shared by those who still read files in it. */
struct dirh {
	_Atomic unsigned refs;
	int fd;
};
struct dirh *dirh_new(int fd);
struct dirh *dirh_ref(struct dirh *d);
void dirh_unref(struct dirh *d);

enum item_what {
	ITEM_KEEP, /* unchanged: the last entry serves again */
	ITEM_READ, /* a regular file to be read */
	ITEM_META, /* no content: its metadata is read by a worker */
	ITEM_LINK, /* another link of a file met before */
};

enum item_fate {
	ITEM_GOOD,
	ITEM_UNREADABLE,
	ITEM_VANISHED,
	ITEM_CHANGED, /* good, but it changed while it was read */
};

/* One entry. Fields below 'found' are written by its worker. */
struct item {
	enum item_what what;
	struct stat st;
	struct moment seen; /* when it was looked at */
	uint8_t *last;      /* its entry in the last snapshot, or NULL; behind
				 * the name */
	size_t last_len;
	size_t kept_before; /* of its batch's records: bytes */
	size_t namelen;

	/* found */
	enum item_fate fate;
	int errnum;
	uint64_t size;
	struct wr content; /* encoded */
	struct wr xattrs;  /* encoded */
	size_t nxattrs;
	char *target; /* of a symlink */

	char name[]; /* NUL after it */
};

/** item_new(name, len, st): NULL out of memory. */
struct item *item_new(const char *name, size_t len, const struct stat *st);
/** item_new_after(name, len, st, last): Of one that was ${last} before. */
struct item *item_new_after(
    const char *name, size_t len, const struct stat *st, struct span last);
void item_free(struct item *it);
DEFINE_AUTO(item, item_free)

enum job_kind { JOB_BATCH, JOB_ENTER, JOB_LEAVE };

struct job {
	enum job_kind kind;
	bool to_work;     /* JOB_BATCH: a worker is needed */
	bool done;        /* guarded by the pool's lock */
	struct dirh *dir; /* JOB_BATCH */
	char *path;       /* JOB_BATCH, JOB_ENTER: of the directory, from
				 * the root; "" is the root */
	/* JOB_ENTER: the path's state_dir_key(), where the walk needed it. */
	bool has_key;
	uint8_t key[HASH_LEN];
	/* JOB_BATCH: records (last.h) of entries that stay as they are. */
	struct wr kept;
	uint64_t kept_entries;
	uint64_t kept_files; /* regular ones among them, and their sizes */
	uint64_t kept_bytes;
	uint64_t bytes; /* to be read */
	size_t asked;   /* of them, asked for by readahead_job() */
	/* JOB_LEAVE: some entry of the last snapshot is no longer there. */
	bool removed;
	size_t n;
	/* JOB_BATCH: BATCH_ITEMS at most; JOB_ENTER: 1, the directory itself */
	struct item *items[];
};

struct job *job_new(enum job_kind kind, const char *path);
void job_free(struct job *job);
DEFINE_AUTO(job, job_free)

#endif
