#ifndef SNAPSHOT_SITE_LAG_H
#define SNAPSHOT_SITE_LAG_H

/*
 * How far a site is behind: the log here, against the newest receipt that the
 * site gave. Needs no key: what is counted stands in the clear.
 * Thread: a log belongs to one thread.
 * Source: FORMAT.md section 9 (what stands in the clear); KEYS.md 'Sites'.
 */
#include "snapshot/access/site.h"
#include "snapshot/state/receipts.h"

/* A dataset's log, as names of records. */
struct lag_log;

/**
 * lag_log_new(s, dataset, out, err):
 * List it; the caller's. ${s} outlives it. Errors: those of store_list().
 */
NODISCARD int lag_log_new(struct store *s,
    const uint8_t dataset[STORE_DATASET_LEN], struct lag_log **out,
    struct err *err);
void lag_log_free(struct lag_log *l);
DEFINE_AUTO(lag_log, lag_log_free)

/** lag_log_head(l): The newest record's number; 0: there is none. */
uint64_t lag_log_head(const struct lag_log *l);

/**
 * lag_log_newest(l, time, err):
 * When the newest snapshot was made; ERR_NOT_FOUND none.
 */
NODISCARD int lag_log_newest(
    const struct lag_log *l, int64_t *time, struct err *err);

struct lag {
	bool received; /* there is a receipt; else all of the log is missing */
	bool forked;   /* it is for a record that is not in this log */
	uint64_t seq;  /* of the newest record that the site holds */
	int64_t time;  /* of the receipt, by the site's clock */
	/* What the site lacks; of a fork, nothing is known. */
	uint64_t records;
	uint64_t snapshots;
	uint64_t bytes;  /* estimated, of packs that it can't have, once each */
	int64_t seconds; /* since the oldest missing snapshot was made, or 0 */
};

/**
 * lag_measure(l, site, receipts, now, out, err):
 * Errors: ERR_AUTH a receipt is kept that the site did not sign; those of
 * receipts_get() and of reading the log.
 * Cost: reads the records that are missing, and, where there are any, the lists
 * of packs of the newest one's indexes and of those of the newest that the site
 * holds; after a prune, looks up when each pack was stored. 90 bytes of memory a
 * pack.
 */
NODISCARD int lag_measure(const struct lag_log *l,
    const struct identity_public *site, struct receipts *receipts, int64_t now,
    struct lag *out, struct err *err);

#endif
