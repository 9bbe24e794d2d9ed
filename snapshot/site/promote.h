#ifndef SNAPSHOT_SITE_PROMOTE_H
#define SNAPSHOT_SITE_PROMOTE_H

/*
 * Taking over: make a replica the primary. Each dataset's log gets a record
 * that says so, signed by an admin; from then on the former primary's records
 * follow another history, and are refused. The mark of the replica goes last:
 * after a crash, do it again.
 * Thread: one.
 * Source: FORMAT.md section 9, type 6.
 */
#include "snapshot/log/log.h"

/* Called for each dataset that was taken over; ${l} is borrowed. */
typedef int promote_fn(void *arg, const struct log *l, struct err *err);

/**
 * promote_run(a, heads, visit, arg, err):
 * ${a} is opened by an admin's own key. ${heads} may be NULL.
 * Errors: ERR_DENIED not an admin, or opened by the recovery key, which signs
 * no log; ERR_USAGE the store is a primary; ERR_NOT_FOUND it stands at no site;
 * ERR_LOCKED something is just being received: try again; ERR_CORRUPT a log is
 * damaged. What was taken over before a failure stays so.
 */
NODISCARD int promote_run(struct access *a, struct heads *heads,
    promote_fn *visit, void *arg, struct err *err);

#endif
