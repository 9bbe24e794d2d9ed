#ifndef SNAPSHOT_CONTENT_INGEST_INTERNAL_H
#define SNAPSHOT_CONTENT_INGEST_INTERNAL_H

/*
 * What the files of ingest share.
 *
 *	ingest.c	the run: what is known, what is claimed
 *	ingest_lane.c	chunks into segments
 *	ingest_pack.c	segments into packs
 *	ingest_commit.c	packs made durable, and into the run's index
 *	ingest_note.c	a pack's note for a run that may be stopped
 *	ingest_index.c	writing and merging indexes
 *	ingest_packs.c	whether the packs of a run's indexes are there
 *	ingest_known.c	asking the indexes that there are
 *	ingest_follow.c	when others have become the dataset's meanwhile
 */
#include "snapshot/content/index_pages.h"
#include "snapshot/content/ingest.h"
#include "snapshot/content/name_filter.h"
#include "snapshot/content/name_set.h"

#include <pthread.h>
#include <stdatomic.h>

#define PACK_KINDS 2
/* Writer's choice, FORMAT.md 5. */
#define SEGMENT_DATA (768 * 1024)
#define SEGMENT_SPOT (256 * 1024) /* for who reads here and there */
/*
 * Bytes of a run's new pages that are compressed with SEGMENT_UTMOST: the least,
 * and an eighth of those that the store had already, up to the most.
 */
#define PAGES_UTMOST_MIN ((uint64_t)4 << 20)
#define PAGES_UTMOST_MAX ((uint64_t)64 << 20)
#define SEGMENT_META (128 * 1024)
#define INDEX_FULL (256 * 1024) /* a run's index is written at that */
/* Entries of a joined one, 2.4 GB: more would make one run wait too long. */
#define INDEX_JOINED ((size_t)64 << 20)
#define PACK_CHUNKS (128 * 1024) /* and a pack, however small they are */
#define INDEX_PAGES 1024         /* of known indexes, in memory: 9 MiB */

/* A pack being filled, and what it holds. Guarded by its kind's lock. */
struct open_pack {
	struct pack_writer *writer;
	enum pack_kind kind;
	struct segment_place *places;
	size_t nplaces, places_cap;
	struct chunk_name *names; /* of all its chunks, segment by segment */
	uint32_t *segments;       /* and the segment of each */
	size_t nnames, names_cap;
	struct err broken; /* code not 0: why nothing more can be added */
};

/* An index of ingest_known(), or one this run has written. */
struct known {
	struct index *ix; /* NULL: gone or damaged */
	uint8_t name[OBJECT_NAME_LEN];
	bool own; /* this run wrote it, and no record names it */
	_Atomic(struct name_filter *) filter; /* of its names, or NULL */
	atomic_size_t misses; /* look-ups in vain while there was none */
};

struct committer;

struct ingest {
	struct store *store;
	const struct keyring *kr;
	const struct keyset *ks;
	size_t index_max;  /* entries; INDEX_FULL but in tests */
	size_t joined_max; /* entries; INDEX_JOINED but in tests */
	struct packrun *run;
	ingest_pack_fn *on_pack;
	void *on_pack_arg;

	/* Packs being filled; a kind's lock is taken before mu. */
	pthread_mutex_t pack_mu[PACK_KINDS];
	struct open_pack *open[PACK_KINDS]; /* guarded by pack_mu[kind] */
	struct committer *committer;
	/* Bytes of files that are cut by page; known: to the store before. */
	_Atomic uint64_t page_new, page_known;

	pthread_mutex_t mu;
	struct name_set claimed;     /* guarded by mu: this run's chunks */
	struct index_builder *built; /* guarded by mu: of committed packs */
	struct name_set packs_own;   /* guarded by mu: in it, or written */
	struct ingest_totals totals; /* guarded by mu */

	/* Packs whose presence was looked up: guarded by pack_seen_mu. */
	pthread_mutex_t pack_seen_mu;
	struct name_set packs_there;
	struct name_set packs_gone;
	struct name_set packs_used; /* those known that this run relies on */
	struct name_set packs_leaving;

	/*
	 * Read by every look-up, changed when a full index is written: a
	 * read-write lock of its own.
	 */
	pthread_rwlock_t known_lock;
	/* Written by ingest_known() alone; those that are indexes. */
	uint64_t lost, lost_indexes;
	struct known *known; /* guarded by known_lock */
	size_t nknown;
	struct index_pages *pages; /* of all of them */
	pthread_mutex_t filter_mu;
	size_t filters; /* their bytes; guarded by filter_mu */
};

/** open_pack_new(): Writes nothing before its first segment. */
NODISCARD int open_pack_new(struct ingest *in, enum pack_kind kind,
    struct open_pack **out, struct err *err);
void open_pack_free(struct open_pack *p);
DEFINE_AUTO(open_pack, open_pack_free)

/**
 * ingest_put_segment(in, kind, plain, len, b, err):
 * Append a segment, whose chunks ${b} still lists, to the open pack of its
 * kind; a full one goes to the committer. Thread: safe.
 */
NODISCARD int ingest_put_segment(struct ingest *in, enum pack_kind kind,
    const uint8_t *plain, size_t len, const struct segment_builder *b,
    struct err *err);

/** ingest_close_packs(in, err): Commit what is open, and wait for it. */
NODISCARD int ingest_close_packs(struct ingest *in, struct err *err);

/**
 * committer_new(in, out, err):
 * Packs of ${in} are made durable, noted and indexed in the order in which they
 * come, by a thread that starts with the first. Thread: safe.
 */
NODISCARD int committer_new(
    struct ingest *in, struct committer **out, struct err *err);
/** committer_free(c): Packs still waiting are given up. */
void committer_free(struct committer *c);
DEFINE_AUTO(committer, committer_free)

/**
 * committer_add(c, p, err):
 * Commit ${p}, which is taken over, soon; waits while too many are before it.
 * Fails with what made an earlier commit fail: none follows it.
 */
NODISCARD int committer_add(
    struct committer *c, struct open_pack *p, struct err *err);

/** committer_wait(c, err): Until all are committed, or one has failed. */
NODISCARD int committer_wait(struct committer *c, struct err *err);

/** ingest_index_pack(): A committed pack's chunks, into the run's index. */
NODISCARD int ingest_index_pack(struct ingest *in, const struct object_ref *ref,
    uint64_t size, const struct open_pack *p, struct err *err);

/** ingest_note_encode(): See ingest_pack_fn. */
NODISCARD int ingest_note_encode(const struct object_ref *ref, uint64_t size,
    const struct open_pack *p, struct wr *w, struct err *err);
/** ingest_note_decode(): ${p} has no writer. ERR_CORRUPT. */
NODISCARD int ingest_note_decode(const uint8_t *buf, size_t len,
    uint8_t pack[OBJECT_NAME_LEN], uint64_t *size, struct open_pack **out,
    struct err *err);

/** ingest_pack_there(): 1, or 0 when the pack has gone or another size. */
NODISCARD int ingest_pack_there(struct ingest *in,
    const uint8_t name[OBJECT_NAME_LEN], uint64_t size, struct err *err);

/* Packs to be looked for together. */
struct pack_sought {
	uint8_t name[OBJECT_NAME_LEN];
	uint64_t size;
	bool looked, there; /* found by packs_sought_look() */
};
struct packs_sought {
	struct ingest *in;
	struct pack_sought *v;
	size_t n, cap;
	atomic_bool failed;
};
void packs_sought_clear(struct packs_sought *s);
#define PACKS_SOUGHT_AUTO __attribute__((cleanup(packs_sought_clear)))
NODISCARD int packs_sought_add(struct packs_sought *s,
    const uint8_t name[OBJECT_NAME_LEN], uint64_t size, struct err *err);
/**
 * packs_sought_look(s, lost, err):
 * Look for them, once; adds to *${lost} how many are not there. Those that the
 * run knew already are not looked for again. Errors: the store's; ERR_NOMEM.
 */
NODISCARD int packs_sought_look(
    struct packs_sought *s, uint64_t *lost, struct err *err);

/** ingest_is_known(): 1: an index lists it, in a pack that is really there. */
NODISCARD int ingest_is_known(
    struct ingest *in, const struct chunk_name *name, struct err *err);

/**
 * ingest_add_known(in, ix, b, err):
 * Look into ${ix}, too, from now on, which was built by ${b}; taken over when
 * it succeeds.
 */
NODISCARD int ingest_add_known(struct ingest *in, struct index *ix,
    const struct index_builder *b, struct err *err);

/** ingest_forget_one(k): Close what it holds. */
void ingest_forget_one(struct known *k);
/** ingest_forget_known(in, n): All but the ${n} oldest; no look-ups go on. */
void ingest_forget_known(struct ingest *in, size_t n);

/** ingest_write_index(in, err): Write what is built, and know it from now on. */
NODISCARD int ingest_write_index(struct ingest *in, struct err *err);

/** ingest_worth_utmost(in): Bytes of new pages that are worth it, so far. */
uint64_t ingest_worth_utmost(const struct ingest *in);

#endif
