#ifndef SNAPSHOT_BACKUP_DIRAHEAD_H
#define SNAPSHOT_BACKUP_DIRAHEAD_H

/*
 * Directories that a scout is going to come to, listed and their entries stat'ed
 * by threads of their own, just so that the kernel has all that in its caches
 * when the scout comes: a disk that is asked for one thing after the other is
 * slow. The threads are made when the scout has had to wait for several
 * directories; no more are put while none has to be waited for, nor once waiting
 * goes on in spite of the threads.
 *
 * Thread: all calls come from one, the scout's.
 */
#include "snapshot/backup/item.h"

/* The most that ${slow} of dirahead_new() may be. */
#define DIRAHEAD_SLOW 256

struct dirahead;

/**
 * dirahead_new(most, slow, out, err):
 * At most ${most} entries, and those of the directories under way (8, and 4,096
 * of each), are ahead of the scout. ${slow}: how slow directories are taken to be
 * before any was looked at, from 0 to DIRAHEAD_SLOW.
 * Of the kernel's memory an entry takes about 1,300 bytes; 16 directories are
 * open at most, and those in which some wait.
 */
NODISCARD int dirahead_new(
    size_t most, int slow, struct dirahead **out, struct err *err);
/** dirahead_free(a): Waits for the call that each thread is in. */
void dirahead_free(struct dirahead *a);
DEFINE_AUTO(dirahead, dirahead_free)

/**
 * dirahead_begin(a), dirahead_end(a):
 * Around the scout's own look at a directory, or at a part of it. The latter is
 * true if many looks had to wait lately: the directories in it are to be put.
 * Cost: 1 us.
 */
void dirahead_begin(struct dirahead *a);
bool dirahead_end(struct dirahead *a);

/**
 * dirahead_put(a, dir, name):
 * The scout will come to the directory ${name} in ${dir}, of which a reference is
 * taken, and before it to those that are put after this one. Of more than 1,024
 * that it has yet to come to, the last are left to the scout.
 */
void dirahead_put(struct dirahead *a, struct dirh *dir, const char *name);

/** dirahead_reached(a, dir, name): It has come there, to look itself. */
void dirahead_reached(
    struct dirahead *a, const struct dirh *dir, const char *name);

/** dirahead_leave(a, dir): Nothing more in ${dir} is begun. */
void dirahead_leave(struct dirahead *a, const struct dirh *dir);

/** dirahead_ahead(a): Entries that were looked at and not reached. For tests. */
size_t dirahead_ahead(struct dirahead *a);

#endif
