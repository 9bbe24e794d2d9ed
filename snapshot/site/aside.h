#ifndef SNAPSHOT_SITE_ASIDE_H
#define SNAPSHOT_SITE_ASIDE_H

/*
 * Taking a log's end out of the way: its records are moved to STORE/aside/TIME/,
 * whole, and what they need is left alone. So nothing is lost, and nothing that
 * the retention lock keeps is removed before its time: what stays, and what comes
 * in their place, counts as having just come.
 * Thread: one; the caller holds the dataset's lock.
 */
#include "snapshot/site/sitedir.h"
#include "snapshot/store/record_refs.h"

#define ASIDE_NAME 32
/** aside_name(clock, out): 'aside/TIME'; ${clock}: Unix seconds. */
void aside_name(int64_t clock, char out[ASIDE_NAME]);

/**
 * aside_move(s, db, refs, keep, when, name, moved, err):
 * Move the records after number ${keep}, newest first, so that what is left is
 * whole at any moment; *${moved}: how many. ${when}: now, as site_time.borne.
 * Errors: those of store_set_aside(). After one, do it again.
 */
NODISCARD int aside_move(struct store *s, struct sitedb *db,
    const struct record_refs *refs, uint64_t keep, int64_t when,
    const char *name, uint64_t *moved, struct err *err);

#endif
