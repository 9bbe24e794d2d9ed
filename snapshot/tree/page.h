#ifndef SNAPSHOT_TREE_PAGE_H
#define SNAPSHOT_TREE_PAGE_H

/*
 * A directory's pages as bytes (FORMAT.md section 8). For the files of this
 * folder, for check/, which has to look at every page once, and for what tests
 * the decoder.
 */
#include "snapshot/tree/entry.h"

/* What is known of a page before it is read. */
struct page_ref {
	struct chunk_name name;
	uint8_t level;
	uint64_t entries;  /* in it and below it */
	struct span first; /* its first name; empty: any */
};

struct page_item {
	struct span name;
	struct span entry;     /* level 0 */
	struct page_ref child; /* level > 0; ${first} borrows from the page */
};

/*
 * A walk over a page's items. A plain value: a copy is a bookmark. Borrows the
 * page's bytes.
 */
struct page {
	struct rd r;
	uint8_t level;
	size_t left;      /* items */
	uint64_t want;    /* entries that the items left have to hold */
	struct span last; /* the name passed last */
};

/**
 * page_init(p, buf, len, ref, err):
 * The page that ${ref} announced: its level, its number of entries and its
 * first name have to be as they are there. Errors: ERR_CORRUPT.
 */
NODISCARD int page_init(struct page *p, const uint8_t *buf, size_t len,
    const struct page_ref *ref, struct err *err);

/**
 * page_next(p, out, err):
 * 1 with an item, 0 at the end. ERR_CORRUPT: malformed, what can't be a name,
 * names out of order, or (at the end) another number of entries than announced,
 * or bytes left over.
 */
NODISCARD int page_next(struct page *p, struct page_item *out, struct err *err);

/**
 * page_open(chunks, ref, ch, p, err):
 * Get the page's chunk into ${ch} (the caller's) and page_init() it.
 * Errors: those of content_chunk(); ERR_CORRUPT.
 */
NODISCARD int page_open(struct chunks *chunks, const struct page_ref *ref,
    struct chunk *ch, struct page *p, struct err *err);

/** page_damaged(name, err): Say in ${err} which page it is about. */
void page_damaged(const struct chunk_name *name, struct err *err);

void page_put_entry(struct span name, struct span entry, struct wr *w);
/** page_put_child(ref, w): ${ref}'s level goes without saying. */
void page_put_child(const struct page_ref *ref, struct wr *w);
/** page_put_head(level, n, w): What precedes a page's ${n} items. */
void page_put_head(uint8_t level, size_t n, struct wr *w);

#endif
