#ifndef SNAPSHOT_CHECK_CHECK_EARLY_H
#define SNAPSHOT_CHECK_CHECK_EARLY_H

/*
 * Packs hashed before there are keys. To compare a pack with its name takes
 * none; so while a passphrase is asked for, and the key is made of it, a thread
 * does that, and a check that reads all data need only open what it found whole.
 * It remembers nothing else: what is damaged, can't be read or was not reached
 * is the check's to look at, and to tell of.
 */
#include "snapshot/store/store.h"

struct check_early;

/**
 * check_early_start(address, threads, one_only):
 * Begin with the packs of the store at ${address}; with ${one_only}, if it has
 * one dataset. NULL where nothing is begun: no other of ${threads} (0: one a
 * processor) would be idle, or it could not be started.
 * A store that can't be opened or listed is no matter of this: nothing is found
 * whole then. The thread takes no signals.
 * Memory: 1 MiB, and 56 bytes for each of the first million packs.
 * Thread: what is returned belongs to one thread, but for check_early_whole().
 */
struct check_early *check_early_start(
    const char *address, unsigned threads, bool one_only);

/** check_early_idle(e): It has nothing left to do. */
bool check_early_idle(const struct check_early *e);

/** check_early_end(e): At once: what is at hand is left. May be called again. */
void check_early_end(struct check_early *e);

/**
 * check_early_whole(e, ref, size):
 * Whether it has read the ${size} bytes of pack ${ref}, and they were those of
 * its name. After check_early_end(). Thread: safe.
 */
bool check_early_whole(
    const struct check_early *e, const struct object_ref *ref, uint64_t size);

/** check_early_free(e): NULL will do. */
void check_early_free(struct check_early *e);
DEFINE_AUTO(check_early, check_early_free)

#endif
