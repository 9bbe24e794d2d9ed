#ifndef FS_DATED_H
#define FS_DATED_H

/*
 * A dataset's snapshots by day and dated name. The dataset is locked
 * (watch_enter); a slot is a place in its ${days}.
 */
#include "fs/watch.h"
#include "snapshot/log/when.h"

const struct snapshot *dated_snapshot(const struct fs_dataset *d, size_t slot);

/** dated_time(d, slot, out): Its name in its day: '14-20-00Z'. */
void dated_time(
    const struct fs_dataset *d, size_t slot, char out[WHEN_TIME_TEXT]);

/** dated_slots(d, day, first, end): The slots of a day: [first, end). */
void dated_slots(
    const struct fs_dataset *d, int64_t day, size_t *first, size_t *end);

/** dated_newest(d, first, end): Of a day's slots, of which there is one. */
size_t dated_newest(const struct fs_dataset *d, size_t first, size_t end);

/** dated_find(d, first, end, name): The one called ${name}, or ${end}. */
size_t dated_find(
    const struct fs_dataset *d, size_t first, size_t end, struct span name);

/**
 * dated_from_seq(d, first, end, seq):
 * The first of a day's slots whose snapshot's sequence number is ${seq} or
 * more; ${end}: there is none.
 */
size_t dated_from_seq(
    const struct fs_dataset *d, size_t first, size_t end, uint64_t seq);

#endif
