#ifndef SNAPSHOT_SITE_PROMOTE_H
#define SNAPSHOT_SITE_PROMOTE_H

/*
 * Taking over: make a replica the primary. Each dataset's log gets a record
 * that says so, signed by an admin; from then on the former primary's records
 * follow another history, and are refused. A log that is not whole gets none, for
 * nobody knows what it lacks: its dataset is left to the former primary, and
 * marked so (store_left()), and keeps nobody from the others. All logs are looked
 * at before anything is added to one; the mark of the replica goes last: after a
 * crash, do it again. Done once more, it takes over what was left and has become
 * whole. A log that is behind what this machine has seen (log_behind()) is taken
 * over as it is.
 * Thread: one.
 * Source: FORMAT.md sections 2 (site/left) and 9, type 6.
 */
#include "snapshot/log/log.h"
#include "snapshot/site/aside.h"

struct promote_options {
	struct heads *heads; /* may be NULL */
	/* What has arrived, so that a log that was cut back shows. NULL: unknown */
	struct sitedb *site;
	/*
	 * What is behind the newest record that can be used is moved aside, and
	 * what was seen or has arrived beyond that doesn't count. Needs ${site}.
	 */
	bool up_to_readable;
	bool dry_run;  /* only look */
	int64_t clock; /* Unix seconds, for the name of what is moved aside */
};

/* What came of a dataset. */
struct promoted {
	const struct dataset *dataset;
	const struct log *log; /* NULL: nothing of it can be used */
	const struct err *why; /* why it was left; NULL: it was taken over */
	uint64_t moved;        /* records that were moved aside, ... */
	const char *aside;     /* ... to this directory of the store */
};

/* Called for each dataset; ${p} is borrowed. */
typedef int promote_fn(void *arg, const struct promoted *p, struct err *err);

/**
 * promote_run(a, opt, visit, arg, err):
 * ${a} is opened by an admin's own key.
 * Errors: ERR_DENIED not an admin, or opened by the recovery key, which signs
 * no log; ERR_USAGE the store is a primary, and nothing was left; ERR_NOT_FOUND
 * it stands at no site; ERR_LOCKED something is just being received: try again;
 * ERR_CORRUPT of a replica's logs, none can be taken over: it stays one; those of
 * store_set_replica() and log_append_primary(). After any of the last, which may
 * come when some were taken over already, do it again; after all others nothing
 * has changed.
 * Cost: reads all logs twice.
 */
NODISCARD int promote_run(struct access *a, const struct promote_options *opt,
    promote_fn *visit, void *arg, struct err *err);

#endif
