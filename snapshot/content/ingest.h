#ifndef SNAPSHOT_CONTENT_INGEST_H
#define SNAPSHOT_CONTENT_INGEST_H

/*
 * Taking chunks in: name, look up, and, when new, compress, seal and store.
 *
 *	lane (one a thread)            ingest (shared by a run)
 *	chunk -> name -> known? --no--> segment -> pack -> index
 *	                    |
 *	                    yes: nothing to do
 *
 * Every thread has a lane with an open segment for data and one for metadata,
 * so that threads meet only to look a name up and to append to a pack.
 */
#include "snapshot/content/index.h"

struct ingest;
struct ingest_lane;

/* Totals of a run so far. */
struct ingest_totals {
	uint64_t chunks; /* new chunks */
	uint64_t bytes;  /* their bytes */
	uint64_t stored; /* sizes of the packs committed for them */
	uint64_t packs;
};

/*
 * Called after each pack is durable, one call at a time, so that a stopped run
 * can be taken up again: ${note} says what the pack holds, for
 * ingest_resume(). It stays on this machine.
 */
typedef int ingest_pack_fn(void *arg, const struct object_ref *pack,
    const uint8_t *note, size_t len, struct err *err);

/**
 * ingest_new(store, kr, out, err):
 * A run that writes under the latest key set of ${kr}. Both outlive it.
 */
NODISCARD int ingest_new(struct store *store, const struct keyring *kr,
    struct ingest **out, struct err *err);
void ingest_free(struct ingest *in);
DEFINE_AUTO(ingest, ingest_free)

void ingest_on_pack(struct ingest *in, ingest_pack_fn *fn, void *arg);

/**
 * ingest_known(in, names, n, err):
 * Chunks that these indexes list are not stored again. An index that has gone,
 * is damaged or of a version that is not known, and a pack that has gone or has
 * another size, is not relied on: its chunks are stored anew; ingest_lost()
 * counts them. Errors: ERR_DENIED an index of an epoch that the keys don't open;
 * ERR_IO; ERR_NOMEM. Cost: opens the indexes, reads their pages of segments, and
 * looks for each pack.
 */
NODISCARD int ingest_known(struct ingest *in,
    const uint8_t (*names)[OBJECT_NAME_LEN], size_t n, struct err *err);

/**
 * ingest_known_besides(in, names, n, err):
 * The same of others, which need not be there, nor the packs that they list.
 */
NODISCARD int ingest_known_besides(struct ingest *in,
    const uint8_t (*names)[OBJECT_NAME_LEN], size_t n, struct err *err);

/** ingest_lost(in): Indexes and packs of ingest_known() that can't be used. */
uint64_t ingest_lost(const struct ingest *in);
/** ingest_lost_indexes(in): ... those of them that are indexes. */
uint64_t ingest_lost_indexes(const struct ingest *in);

/**
 * ingest_condemned(in, pack, err):
 * A pack that is not to be taken up by what follows: it may go at any moment.
 */
NODISCARD int ingest_condemned(
    struct ingest *in, const uint8_t pack[OBJECT_NAME_LEN], struct err *err);

/**
 * ingest_leaving(in, pack, used, err):
 * A pack that the newest snapshot didn't need lately. If this run relies on it
 * (as it does with ${used}), it has to be taken up again: ingest_follow().
 */
NODISCARD int ingest_leaving(struct ingest *in,
    const uint8_t pack[OBJECT_NAME_LEN], bool used, struct err *err);
void ingest_forget_leaving(struct ingest *in);
/** ingest_uses_leaving(in): The run relies on one of them. */
bool ingest_uses_leaving(struct ingest *in);

/**
 * ingest_resume(in, note, len, err):
 * Take up a pack of a run that never finished, as ingest_pack_fn once noted it.
 * A pack that has gone, or a note that makes no sense, is passed over.
 */
NODISCARD int ingest_resume(
    struct ingest *in, const uint8_t *note, size_t len, struct err *err);

/** ingest_lane_new(in, out, err): A lane; belongs to one thread at a time. */
NODISCARD int ingest_lane_new(
    struct ingest *in, struct ingest_lane **out, struct err *err);
void ingest_lane_free(struct ingest_lane *lane);
DEFINE_AUTO(ingest_lane, ingest_lane_free)

struct namer *ingest_lane_namer(struct ingest_lane *lane);

/**
 * ingest_chunk(lane, kind, buf, len, name, err):
 * Take one chunk (1..CHUNK_MAX bytes, copied) in; ${name} receives its name.
 * It is stored for certain only after ingest_finish().
 */
NODISCARD int ingest_chunk(struct ingest_lane *lane, enum chunk_kind kind,
    const void *buf, size_t len, struct chunk_name *name, struct err *err);

/**
 * ingest_lane_has(lane, name, err):
 * 1: that chunk was taken in, or is in a pack that an index which could be read
 * lists, and which the run relies on from now on. 0: it is to be taken in.
 */
NODISCARD int ingest_lane_has(
    struct ingest_lane *lane, const struct chunk_name *name, struct err *err);

/* What data is like, and so what its segments should be like. */
enum ingest_use {
	INGEST_WHOLE, /* read from end to end: large segments */
	INGEST_SPOTS, /* read here and there: small ones */
	/*
	 * Pages of a database, read here and there, too; backed up again and
	 * again for a few that have changed, so worth more work.
	 */
	INGEST_PAGES,
};

/**
 * ingest_lane_use(lane, use, err):
 * What the data that follows is like. A new lane: INGEST_WHOLE.
 */
NODISCARD int ingest_lane_use(
    struct ingest_lane *lane, enum ingest_use use, struct err *err);

/** ingest_lane_flush(lane, err): Send its open segments to their packs. */
NODISCARD int ingest_lane_flush(struct ingest_lane *lane, struct err *err);

/**
 * ingest_close(in, err):
 * All lanes are flushed: make the packs that are open durable, and report them
 * to ingest_on_pack(). Also where a run ends without a snapshot, so that the
 * next one finds what it stored.
 */
NODISCARD int ingest_close(struct ingest *in, struct err *err);

/**
 * ingest_finish(in, indexes, n, err):
 * ingest_close(), then write the index. *${indexes} is
 * the set of indexes (the caller's, free) that now locates everything: those of
 * ingest_known() with the run's own, merged where many small ones had gathered.
 */
NODISCARD int ingest_finish(struct ingest *in,
    uint8_t (**indexes)[OBJECT_NAME_LEN], size_t *n, struct err *err);

/**
 * ingest_follow(in, now, nnow, indexes, n, err):
 * After ingest_finish(), whose set is freed unused: other indexes than those of
 * ingest_known() have become the dataset's since, or the run relies on packs that
 * are leaving. *${indexes} is the set ${now} with what this run has added to it,
 * and with every pack that it relies on and that is leaving, or in none of them
 * any more.
 */
NODISCARD int ingest_follow(struct ingest *in,
    const uint8_t (*now)[OBJECT_NAME_LEN], size_t nnow,
    uint8_t (**indexes)[OBJECT_NAME_LEN], size_t *n, struct err *err);

/** ingest_totals(in): Thread: safe. */
struct ingest_totals ingest_totals(struct ingest *in);

#endif
