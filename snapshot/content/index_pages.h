#ifndef SNAPSHOT_CONTENT_INDEX_PAGES_H
#define SNAPSHOT_CONTENT_INDEX_PAGES_H

/*
 * For this folder, and for prune/: a bounded set of opened index pages that the
 * indexes of a process share, and what chunks need of an index beyond its
 * header.
 */
#include "snapshot/content/index_format.h"

/* Thread: safe. It outlives the indexes that use it. */
struct index_pages;

/** index_pages_new(limit, out, err): At most ${limit} pages. */
NODISCARD int index_pages_new(
    size_t limit, struct index_pages **out, struct err *err);
void index_pages_free(struct index_pages *set);
DEFINE_AUTO(index_pages, index_pages_free)

/* A page in memory: of names, or of segments. */
struct index_page {
	struct index_page **home;         /* where its index keeps it */
	struct index_page *newer, *older; /* by last use */
	size_t n;                         /* entries or segments */
	uint8_t bytes[INDEX_PAGE_LEN + AEAD_TAG_LEN]; /* opened in place */
};

/**
 * index_pages_find(set, home, name, hit):
 * Look ${name} up in the page at *${home}. 1 found, 0 not listed, -1 the page is
 * not in memory.
 */
int index_pages_find(struct index_pages *set, struct index_page **home,
    const struct chunk_name *name, struct index_hit *hit);

/**
 * index_pages_segment(set, home, i, seg):
 * The ${i}-th segment in the page at *${home}; false: it is not in memory.
 */
bool index_pages_segment(struct index_pages *set, struct index_page **home,
    size_t i, struct index_segment *seg);

/** index_pages_keep(set, home, page): Takes ${page} over. */
void index_pages_keep(
    struct index_pages *set, struct index_page **home, struct index_page *page);

/** index_pages_drop(set, homes, n): Free the pages of an index. */
void index_pages_drop(
    struct index_pages *set, struct index_page **homes, size_t n);

/** index_open_sharing(): index_open() with the set of pages of others. */
NODISCARD int index_open_sharing(struct store *store,
    const struct object_ref *ref, const struct keyring *kr,
    struct index_pages *pages, struct index **out, struct err *err);

/** index_lookup(): index_find() that tells 'not listed' from a lost index. */
NODISCARD int index_lookup(struct index *ix, const struct chunk_name *name,
    struct chunk_place *place, bool *found, struct err *err);

/** index_get_summary(ix): For as long as it is open. */
const struct index_summary *index_get_summary(const struct index *ix);

/**
 * index_read_page(ix, page, buf, err), index_read_segments():
 * Read and open a page of names, which is checked, or of segments, each of
 * which is to be checked when it is used. ${buf} has room for a full one and its
 * tag. What is in memory stays as it is.
 */
NODISCARD int index_read_page(
    struct index *ix, size_t page, uint8_t *buf, struct err *err);
NODISCARD int index_read_segments(
    struct index *ix, size_t page, uint8_t *buf, struct err *err);

/* All pages of names in order; a return other than 0 ends it. */
typedef int index_page_fn(void *arg, const struct index_summary *s,
    const uint8_t *page, size_t n, struct err *err);
NODISCARD int index_each_page(
    struct index *ix, index_page_fn *visit, void *arg, struct err *err);

#endif
