#ifndef SNAPSHOT_EXPIRE_EXPIRE_H
#define SNAPSHOT_EXPIRE_EXPIRE_H

/*
 * Retention: what the rules no longer keep is signed away; what is held stays.
 * Nothing is removed here: 'prune' does that.
 * All that writes takes the dataset's append lock for a moment, and needs an
 * admin who can sign (ERR_DENIED).
 * Thread: as log.h. Source: FORMAT.md section 9, types 2 to 4.
 */
#include "snapshot/expire/keep.h"
#include "snapshot/log/log.h"

/* What expires of a dataset, and why the rest stays. */
struct expire_plan {
	struct log *log; /* owned */
	bool ruled;      /* there are rules; without any, everything stays */
	struct rules rules;
	/* All snapshots that had not expired before, and what keeps each. */
	const struct snapshot **snapshots; /* the log's, by sequence */
	struct keep_item *items;
	size_t n;
	size_t gone; /* how many expire */
};
void expire_plan_clear(struct expire_plan *p);
#define EXPIRE_PLAN_AUTO __attribute__((cleanup(expire_plan_clear)))

/**
 * expire_look(a, ds, heads, rules, now, out, err):
 * By ${rules} or, where that is NULL, the dataset's own. Clear ${out} also
 * after a failure. Errors: ERR_USAGE ${rules} keep nothing; those of
 * log_load().
 */
NODISCARD int expire_look(struct access *a, const struct dataset *ds,
    struct heads *heads, const struct rules *rules, struct moment now,
    struct expire_plan *out, struct err *err);

/**
 * expire_run(a, ds, heads, rules, now, out, err):
 * The same, and do it: one record, if anything expires. Errors: also those of
 * log_append_expire().
 */
NODISCARD int expire_run(struct access *a, const struct dataset *ds,
    struct heads *heads, const struct rules *rules, struct moment now,
    struct expire_plan *out, struct err *err);

/* --- one record ----------------------------------------------------------- */

/**
 * expire_hold(a, ds, heads, id, on, why, err):
 * Hold, or release, the snapshot ${id}. Errors: ERR_NOT_FOUND it has expired
 * meanwhile; ERR_USAGE to release one that is not held.
 */
NODISCARD int expire_hold(struct access *a, const struct dataset *ds,
    struct heads *heads, const uint8_t id[OBJECT_NAME_LEN], bool on,
    const char *why, struct err *err);

/** expire_set_rules(a, ds, heads, rules, err): From now on, keep by these. */
NODISCARD int expire_set_rules(struct access *a, const struct dataset *ds,
    struct heads *heads, const struct rules *rules, struct err *err);

/* --- the store's default -------------------------------------------------- */

/**
 * expire_default(a, out, err):
 * The rules of datasets to come. ERR_NOT_FOUND: there are none.
 */
NODISCARD int expire_default(
    const struct access *a, struct rules *out, struct err *err);

/**
 * expire_set_default(a, rules, err): Errors: those of access_set_defaults().
 */
NODISCARD int expire_set_default(
    struct access *a, const struct rules *rules, struct err *err);

/**
 * expire_inherit(a, ds, heads, err):
 * Give a new dataset the store's default, if there is one, and if this key can
 * sign. A log that has records stays as it is.
 */
NODISCARD int expire_inherit(struct access *a, const struct dataset *ds,
    struct heads *heads, struct err *err);

#endif
