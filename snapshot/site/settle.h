#ifndef SNAPSHOT_SITE_SETTLE_H
#define SNAPSHOT_SITE_SETTLE_H

/*
 * At a replica: a log whose end is not the one that an admin has said counts
 * gives way. Source: PROTOCOL.md section 7.
 */
#include "crypto/settlement.h"
#include "snapshot/site/aside.h"

/* What was set aside. */
struct settled {
	struct settlement by;
	uint64_t records; /* 0: nothing */
	char aside[ASIDE_NAME];
};

/**
 * settle_pending(s, by, pending, err):
 * Whether the record that ${by} names isn't here: settle_run() has to look. Needs
 * no lock.
 */
NODISCARD int settle_pending(struct store *s, const struct settlement *by,
    bool *pending, struct err *err);

/**
 * settle_run(s, by, db, clock, out, err):
 * Where the log has the record that ${by} says is before, and after it others
 * than the one that ${by} names, set these aside. Without them, changes nothing.
 * The caller holds the dataset's lock. Cost: a look, once it is done.
 * Errors: those of aside_move().
 */
NODISCARD int settle_run(struct store *s, const struct settlement *by,
    struct sitedb *db, int64_t clock, struct settled *out, struct err *err);

#endif
