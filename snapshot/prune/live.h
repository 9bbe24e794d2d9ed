#ifndef SNAPSHOT_PRUNE_LIVE_H
#define SNAPSHOT_PRUNE_LIVE_H

/*
 * Private to this folder: what the indexes list, and which of it is live: a bit
 * for each entry. A chunk that is listed in several packs is live in one of
 * them: the last that it is found in. What an index says is its writer's word,
 * and the only true place must not go because somebody named another; where
 * none is true, all are live. Of one pack that several indexes list, the entry
 * of the last one counts.
 * Thread: belongs to one thread.
 */
#include "snapshot/content/index_pages.h"
#include "snapshot/prune/present.h"
#include "snapshot/prune/prove.h"

#define LIVE_NONE UINT32_MAX
#define LIVE_WORD_BITS 64

/* What becomes of a pack. */
enum live_fate {
	LIVE_KEEP,
	LIVE_GONE,   /* nothing in it is needed */
	LIVE_REPACK, /* what is needed of it is written anew */
};

struct live_pack {
	uint8_t name[OBJECT_NAME_LEN];
	uint64_t size;
	enum pack_kind kind;
	enum live_fate fate;
	bool there;            /* in the store, whole by its size */
	bool newest;           /* the newest snapshot needs it */
	bool merge;            /* LIVE_REPACK, but for being small */
	bool back;             /* LIVE_KEEP, but only since it was decided on */
	uint32_t index;        /* the last that lists it, of the set if any */
	uint32_t first, count; /* of the segments */
	uint64_t chunks, live; /* listed there; needed */
	uint64_t dead_bytes;   /* about */
};

struct live_segment {
	uint32_t sealed_len;
	uint32_t chunks, live;
};

/* A chunk's entry. */
struct live_spot {
	uint32_t index;
	size_t entry;
	uint32_t pack;    /* here */
	uint32_t segment; /* in it */
};

struct live_index {
	struct index *ix;
	uint8_t name[OBJECT_NAME_LEN];
	uint64_t *bits;  /* one an entry, LIVE_WORD_BITS in each */
	uint32_t *packs; /* of each of its packs, the number here */
	size_t npacks;
};

struct live {
	struct store *store;
	const struct keyring *kr;
	uint8_t dataset[DATASET_ID_LEN];
	struct index_pages *pages; /* of all of them */
	struct prove *prove;
	/* Those of the set, oldest first; then those that were dropped from it. */
	struct live_index *indexes;
	uint32_t nindexes, nset;
	struct live_spot *spots; /* one an index: live_places() */
	struct live_pack *packs;
	uint32_t npacks, packs_cap;
	uint32_t *slots; /* a hash table of packs by name */
	size_t nslots;
	struct live_segment *segments;
	uint32_t nsegments, segments_cap;
	uint64_t marked, lost;
	uint64_t unlisted; /* of those lost: no index lists them */
};

/**
 * live_open(l, names, n, there, err):
 * Open the indexes ${names}. ${l}->store, kr and dataset are the caller's.
 * ${there}: the packs in the store. Clear with live_clear(), also after a
 * failure. Errors: ERR_CORRUPT an index is missing or damaged.
 */
NODISCARD int live_open(struct live *l, const uint8_t (*names)[OBJECT_NAME_LEN],
    size_t n, const struct present *there, struct err *err);
void live_clear(struct live *l);

/**
 * live_open_dropped(l, name, there, err):
 * Open an index that a later record's set left out. Only what the set doesn't
 * list counts for it. Errors: as live_open().
 */
NODISCARD int live_open_dropped(struct live *l,
    const uint8_t name[OBJECT_NAME_LEN], const struct present *there,
    struct err *err);

/** live_pack_number(l, name): LIVE_NONE: no index lists it. */
uint32_t live_pack_number(
    const struct live *l, const uint8_t name[OBJECT_NAME_LEN]);

/**
 * live_places(l, name, err):
 * How many places the chunk has: they are in ${l}->spots then, one for each
 * pack that is there; or else the last that is listed. 0: no index lists it.
 */
NODISCARD int live_places(
    struct live *l, const struct chunk_name *name, struct err *err);
bool live_bit(const struct live *l, uint32_t index, size_t entry);

/**
 * live_mark(l, name, newest, err):
 * 1 it is live from now on, 0 it was already, or ERR_NOT_FOUND.
 */
NODISCARD int live_mark(struct live *l, const struct chunk_name *name,
    bool newest, struct err *err);

/**
 * live_anywhere(l, name, err):
 * 1 when the chunk is live, whichever index has it so.
 */
NODISCARD int live_anywhere(
    struct live *l, const struct chunk_name *name, struct err *err);

/** live_count(l, err): Fill in what is said of packs and segments. */
NODISCARD int live_count(struct live *l, struct err *err);

#endif
