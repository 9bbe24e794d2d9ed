#ifndef FS_WATCH_H
#define FS_WATCH_H

/*
 * The datasets of a mount and their logs, kept up to date: a log is loaded at
 * the first step into its dataset; what is new in the store is looked for when
 * somebody looks, and at most once a second.
 *
 * Locks, in this order: the watch's (its folders, and the access), a dataset's
 * (its log and days). Neither is held while chunks are read, for that may end
 * in here: when a chunk is not where the indexes say, the log is read again.
 */
#include "fs/days.h"
#include "fs/folder.h"
#include "fs/report.h"
#include "snapshot/log/log.h"

#include <pthread.h>
#include <stdatomic.h>

/* A dataset in the mount. */
struct fs_dataset {
	struct watch *watch;
	const struct dataset *ds;
	uint32_t ordinal; /* in order of arrival, from 0 */

	pthread_rwlock_t lock;
	/* guarded by lock */
	struct log *log;       /* once loaded, it stays */
	struct chunks *chunks; /* likewise; whoever has an entry may use it */
	struct days days;
	const struct snapshot *newest; /* of those in days, or NULL */
	bool behind;                   /* the log knows more than is shown */
	bool gap_told;    /* what is wrong with the first lost record */
	bool damage_told; /* what is wrong with the log's end */
	bool lag_told;    /* that a replica lacks what was seen elsewhere */

	pthread_mutex_t turn; /* who looks for news */
	_Atomic int64_t next; /* when to look again: ms, CLOCK_MONOTONIC */
	_Atomic bool loaded;
	_Atomic int failed; /* errno of the last load that failed */
};

struct watch;

struct watch_options {
	struct access *access;
	struct heads *heads;
	struct segcache *cache;
	struct report *report;
	const char *dataset; /* only this one, or NULL */
};

/**
 * watch_new(): Errors: ERR_NOT_FOUND no such dataset. Loads no log but those of
 * which a replica lacks records that this machine has seen: it is told of.
 */
NODISCARD int watch_new(
    const struct watch_options *opt, struct watch **out, struct err *err);
void watch_free(struct watch *w);
DEFINE_AUTO(watch, watch_free)

/**
 * watch_folders(w), watch_leave_folders(w):
 * The tree of datasets, up to date, and locked for reading.
 */
const struct folders *watch_folders(struct watch *w);
void watch_leave_folders(struct watch *w);

/**
 * watch_enter(d):
 * The dataset's log, loaded if need be, up to date, and locked for reading
 * until watch_leave(). Returns 0, or an errno after having reported why: then
 * nothing is locked.
 */
NODISCARD int watch_enter(struct fs_dataset *d);
void watch_leave(struct fs_dataset *d);

/**
 * watch_peek(d):
 * As watch_enter(), but leaves a log that is not loaded alone: false.
 */
bool watch_peek(struct fs_dataset *d);

#endif
