#ifndef SNAPSHOT_CHECK_CHECK_SHARE_H
#define SNAPSHOT_CHECK_CHECK_SHARE_H

/*
 * Private to this folder: work for threads. Each takes objects, one at a time;
 * one that finds none left opens segments of the packs that others have at hand.
 * So seven packs keep sixteen processors busy, and no thread waits at the end
 * for the one that took the last.
 * Thread: safe, but for shares_init() and shares_clear().
 */
#include "snapshot/check/check_internal.h"

struct share;

struct shares {
	pthread_mutex_t mu;
	pthread_cond_t changed;
	size_t njobs;
	/* guarded by mu */
	size_t next;          /* job that nobody has taken */
	unsigned at_hand;     /* jobs that somebody has taken */
	struct share *newest; /* packs that are open */
};

/** shares_init(sh, njobs): Jobs 0 to ${njobs} - 1. */
void shares_init(struct shares *sh, size_t njobs);
void shares_clear(struct shares *sh);

/** shares_take(sh, i): Job *${i} is the caller's until shares_done(). */
bool shares_take(struct shares *sh, size_t *i);
void shares_done(struct shares *sh);

/**
 * shares_open(sh, o, pack, places, n, err):
 * Open the ${n} segments of the pack, with all threads that come to help, and
 * compute the names of their chunks again, which ${o}->held lists then, in no
 * order. Errors: of the first segment, by number, that is not as it should be.
 */
NODISCARD int shares_open(struct shares *sh, struct opener *o,
    struct pack *pack, const struct segment_place *places, size_t n,
    struct err *err);

/** shares_help(sh, o): Take part in that, until nobody has a job at hand. */
void shares_help(struct shares *sh, struct opener *o);

#endif
