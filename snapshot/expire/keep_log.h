#ifndef SNAPSHOT_EXPIRE_KEEP_LOG_H
#define SNAPSHOT_EXPIRE_KEEP_LOG_H

/*
 * Which snapshots of a log rules keep, when some of their times are wrong: a
 * snapshot's time is its writer's word, and clocks are wrong at times. Where
 * the log's order and the times contradict one another, or the time that it is
 * said to be now, nobody knows which of them is wrong; so what the rules keep
 * by any explanation of it stays. With right clocks all come to the same.
 * Pure, as keep.h. Thread: safe.
 */
#include "snapshot/expire/keep.h"

/**
 * keep_log_apply(items, n, rules, now, err):
 * As keep_apply(), of the ${n} items in the order of their log, each with the
 * time that its writer says. RULE_LAST goes by the order alone. RULE_WITHIN
 * counts an item as no older than any before it that is not from the future;
 * and one from the future as made with the next that isn't, or now. The rules
 * that count periods keep what they keep by any of these:
 *
 * - what is dated before one that came first doesn't count;
 * - what is dated after one that came later doesn't count;
 * - only the longest row counts of which none contradicts another, of several
 *   the one that ends the earliest;
 * - the same, with items from the future by their own time; in the first three
 *   they are as for RULE_WITHIN;
 * - an item lies, by its own time, in one of the last periods of the calendar,
 *   as many as the rule says, and the next one that isn't from the future lies
 *   in another, or there is none.
 *
 * KEEP_DOUBT is set with what is kept, but not by each of the first four.
 * Errors: ERR_NOMEM. Cost: sorts six times.
 */
NODISCARD int keep_log_apply(struct keep_item *items, size_t n,
    const struct rules *rules, struct moment now, struct err *err);

#endif
