#ifndef SNAPSHOT_BACKUP_DIRAHEAD_H
#define SNAPSHOT_BACKUP_DIRAHEAD_H

/*
 * Directories that a scout is going to come to, listed and their entries stat'ed
 * by threads of their own, just so that the kernel has all that in its caches
 * when the scout comes: a disk that is asked for one thing after the other is
 * slow, and a network more so. There are no such threads before the scout had to
 * wait; and nothing is looked at while nobody has to.
 *
 * Thread: all calls come from one, the scout's.
 */
#include "snapshot/backup/item.h"

struct dirahead;

/**
 * dirahead_new(dev, most, out, err):
 * For directories on the filesystem ${dev}. At most so many entries, and those
 * of the directories under way, are looked at ahead of the scout. Directories
 * wait in a stack of 1,024, which loses its oldest.
 */
NODISCARD int dirahead_new(
    dev_t dev, size_t most, struct dirahead **out, struct err *err);
/** dirahead_free(a): Waits for the threads; what they have not begun is left. */
void dirahead_free(struct dirahead *a);
DEFINE_AUTO(dirahead, dirahead_free)

/**
 * dirahead_begin(a), dirahead_end(a, n):
 * Around the scout's own look at ${n} entries. The latter tells whether more
 * directories are wanted, for of those that anybody looked at lately many had to
 * be waited for. Cost: 1 us.
 */
void dirahead_begin(struct dirahead *a);
bool dirahead_end(struct dirahead *a, size_t n);

/**
 * dirahead_put(a, dir, name):
 * The scout will come to the directory ${name} in ${dir}, of which a reference is
 * taken, and before it to those that are put after this one.
 */
void dirahead_put(struct dirahead *a, struct dirh *dir, const char *name);

/** dirahead_reached(a, dir, name): It has come there. */
void dirahead_reached(
    struct dirahead *a, const struct dirh *dir, const char *name);

/** dirahead_leave(a, dir): Nothing in ${dir} is looked at; nor is it held. */
void dirahead_leave(struct dirahead *a, const struct dirh *dir);

/** dirahead_looked(a): Entries that the threads have looked at, in all. */
uint64_t dirahead_looked(struct dirahead *a);

#endif
