#ifndef SNAPSHOT_CHECK_SEEN_H
#define SNAPSHOT_CHECK_SEEN_H

/*
 * Private to this folder: the pages and list nodes that were looked at, so that
 * what snapshots share is looked at once. Thread: belongs to one thread.
 * Memory: about 120 bytes each.
 */
#include "snapshot/content/mix.h"
#include "snapshot/tree/entry.h"

#define SEEN_NONE UINT32_MAX

struct seen_item {
	struct chunk_name name;
	/*
	 * A hash of all that its parent says of it. Under the same claim it
	 * need not be looked at again; under another one it must.
	 */
	uint64_t claim;
	struct dir_totals totals; /* pages: what lies in it and below it */
	uint64_t ino_max;         /* likewise */
	uint32_t parent;          /* that led to it last, or SEEN_NONE */
	uint32_t damage;          /* 0: none found, in it and below it */
};

struct seen {
	const struct mix *mix;
	struct seen_item *items;
	uint32_t n, cap;
	uint32_t *slots; /* a hash table: the item's number, or SEEN_NONE */
	size_t nslots;   /* a power of two, or 0 */
};

/** seen_init(s, mix): ${mix} outlives it. */
void seen_init(struct seen *s, const struct mix *mix);
void seen_clear(struct seen *s);

/**
 * seen_put(s, name, at, err):
 * The item called ${name}: 1 when it is new (all but its name is zero), else 0;
 * or ERR_NOMEM.
 */
NODISCARD int seen_put(struct seen *s, const struct chunk_name *name,
    uint32_t *at, struct err *err);

#endif
