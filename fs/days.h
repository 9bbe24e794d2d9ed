#ifndef FS_DAYS_H
#define FS_DAYS_H

/*
 * A log's snapshots by day (UTC), and the names under which days and snapshots
 * appear. Pure; the caller locks.
 */
#include "snapshot/log/record.h"

struct days_slot {
	int64_t day; /* since 1970-01-01 */
	size_t i;    /* the snapshot's place in the log */
};

/* Sorted by day, then by place. Zeroed: empty. */
struct days {
	struct days_slot *v;
	size_t n;
	size_t cap;
};

void days_clear(struct days *d);

/** days_of(m): The day that a moment is in. */
int64_t days_of(struct moment m);

/** days_add(d, time, i, err): Snapshot ${i} of the log was made at ${time}. */
NODISCARD int days_add(
    struct days *d, struct moment time, size_t i, struct err *err);

/** days_from(d, day): The first slot of ${day} or a later one; n: none. */
size_t days_from(const struct days *d, int64_t day);

/**
 * days_parse(name, day):
 * Whether ${name} is a day's exact name ('2026-11-21').
 */
bool days_parse(struct span name, int64_t *day);

#endif
