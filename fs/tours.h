#ifndef FS_TOURS_H
#define FS_TOURS_H

/*
 * Tours: somebody lists directory after directory, depth first (find, tar, cp
 * -r, rsync, du). Each listing shows which directories are still to come, and
 * in which order; so the next one can be listed while the reader is busy with
 * this one, and is there when it is asked for.
 *
 *	tours_take()   a listing is asked for: perhaps it is there
 *	tours_step()   it was sent: which one comes next?
 *	tours_ready()  that one is listed
 *
 * Snapshots never change, so a listing stays true however long it waits. At
 * most one is kept for a tour; of the tours that are too many, the one that was
 * not heard of for longest is given up. Thread: safe.
 */
#include "crypto/bytes.h"
#include "fs/node.h"

/* A directory's listing, from its beginning: all of it, or what had room. */
struct listed {
	uint64_t dir; /* its node */
	char *buf;    /* what the kernel is sent */
	size_t len;
	struct wr nodes; /* u64 ids, looked up once each */
	struct wr dirs;  /* those of directories among them, in order */
};
void listed_clear(struct listed *l);

struct tours;
struct tour;

/** tours_new(nodes, out, err): ${nodes} outlives it. */
NODISCARD int tours_new(
    struct nodes *nodes, struct tours **out, struct err *err);
void tours_free(struct tours *t);
DEFINE_AUTO(tours, tours_free)

/**
 * tours_take(t, dir, size, out):
 * Whether ${dir} was listed already, in at most ${size} bytes: *${out} is then
 * the caller's, with its look-ups. Waits for a listing that is under way.
 */
bool tours_take(struct tours *t, uint64_t dir, size_t size, struct listed *out);

/**
 * tours_step(t, l, next):
 * ${l} was sent. If it is clear enough what comes next, *${next} is that node,
 * and the caller lists it and calls tours_ready() on what is returned; or NULL.
 */
struct tour *tours_step(
    struct tours *t, const struct listed *l, uint64_t *next);

/** tours_ready(t, tour, l): Takes *${l} over; NULL: it can't be listed. */
void tours_ready(struct tours *t, struct tour *tour, struct listed *l);

#endif
