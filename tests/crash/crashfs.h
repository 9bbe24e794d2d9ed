#ifndef TESTS_CRASH_CRASHFS_H
#define TESTS_CRASH_CRASHFS_H

/*
 * A filesystem that crashes. It stands behind a directory store's system calls
 * (struct sysio), does what they say on a real directory, and remembers what no
 * sync has made durable yet. At the n-th sync the power fails: that call and
 * all later ones fail and change nothing. What the disk then holds is settled
 * as strictly as POSIX allows: of what was not synced, every name that was
 * made or removed may be lost, and every byte that was written may be missing,
 * zero or garbage, each for itself. A name outlasts a crash when its
 * directory was synced, whatever else was.
 *
 * It sees only what goes through struct sysio, and files that are written from
 * start to end. What goes wrong in the simulation itself aborts.
 * Thread: the system calls may come from several threads at once.
 */
#include "snapshot/store/sysio.h"

#include <stdbool.h>

struct crashfs;

/**
 * crashfs_new(spare, crash_at):
 * Crash at the ${crash_at}-th sync, from 1; 0: never. ${spare} is an empty
 * directory, of the filesystem that the store is on, for what it keeps.
 */
struct crashfs *crashfs_new(const char *spare, unsigned crash_at);
void crashfs_free(struct crashfs *fs);

/** crashfs_no_rename(fs): Be a filesystem that can't rename safely, as NFS. */
void crashfs_no_rename(struct crashfs *fs);

const struct sysio *crashfs_sysio(struct crashfs *fs);

/**
 * crashfs_calm(): The ordinary system calls, but for fsync(), which does
 * nothing: for what comes before and after a simulated crash.
 */
struct sysio crashfs_calm(void);

/** crashfs_syncs(fs): How many there were, the one that crashed included. */
unsigned crashfs_syncs(const struct crashfs *fs);
bool crashfs_crashed(const struct crashfs *fs);

/**
 * crashfs_settle(fs, seed):
 * What the disk holds after the power is back: it fails now, if it hasn't yet.
 * Seed 0 loses all that can be lost; 1 keeps all names, with the synced bytes
 * alone; 2 keeps all names, the rest of the bytes being garbage; from 3 on,
 * chance decides, for each thing by itself. Call once, with the store closed.
 */
void crashfs_settle(struct crashfs *fs, unsigned seed);

#endif
