#ifndef SNAPSHOT_EXPIRE_KEEP_H
#define SNAPSHOT_EXPIRE_KEEP_H

/*
 * Which snapshots rules keep. Pure: nothing is read, and the time is told.
 * Thread: safe.
 */
#include "snapshot/log/record.h"
#include "snapshot/log/rules.h"

/*
 * What keeps a snapshot: bits, one for each rule, and one for a hold. With some
 * of them, one that says that not all times can be right, and that by some of
 * them it would go: keep_log.h.
 */
#define KEEP_RULE(rule) (UINT32_C(1) << (rule))
#define KEEP_HELD (UINT32_C(1) << RULES)
#define KEEP_DOUBT (UINT32_C(1) << (RULES + 1))

/* A snapshot, as rules see it. */
struct keep_item {
	struct moment time;
	bool held;
	uint32_t why; /* out; 0: nothing keeps it */
};

/**
 * keep_period(rule, m):
 * The number of the hour, day, week, month or year, as the rule counts, that
 * ${m} lies in. Those that follow one another have numbers that do.
 */
int64_t keep_period(enum rule rule, struct moment m);

/**
 * keep_apply(items, n, rules, now, err):
 * Find out what keeps each of the ${n} items, which are in any order; of two
 * that have the same time, the later counts as newer. RULE_WITHIN keeps those
 * that are not older than so many seconds; RULE_LAST the newest; the others the
 * newest of each of the newest hours, days, weeks (from Monday), months or
 * years that have any, in UTC. A snapshot from the future counts as any other.
 * Errors: ERR_NOMEM. Cost: sorts.
 */
NODISCARD int keep_apply(struct keep_item *items, size_t n,
    const struct rules *rules, struct moment now, struct err *err);

#endif
