#ifndef SNAPSHOT_CONTENT_INDEX_FORMAT_H
#define SNAPSHOT_CONTENT_INDEX_FORMAT_H

/* Private to this folder: the bytes of an index (FORMAT.md section 7). */
#include "crypto/bytes.h"
#include "crypto/packkey.h"
#include "snapshot/content/frame.h"
#include "snapshot/content/index.h"

#define INDEX_HEAD_LEN 32
#define INDEX_BOX_LABEL "varve index v1"
#define INDEX_AD_LEN (INDEX_HEAD_LEN + 8)
#define INDEX_SUMMARY_COUNTER UINT64_MAX

#define INDEX_ENTRY_LEN (CHUNK_NAME_LEN + 4)
#define INDEX_PAGE_ENTRIES 1024
#define INDEX_PAGE_LEN (INDEX_PAGE_ENTRIES * INDEX_ENTRY_LEN)

#define INDEX_ENTRIES_MAX (1u << 26)
#define INDEX_SUMMARY_MAX (256u * 1024 * 1024)

/* An entry: the segment is counted over the whole index. */
struct index_entry {
	struct chunk_name name;
	uint32_t segment;
};

/** index_sort(): By name, those of one name by segment. */
void index_sort(struct index_entry *entries, size_t n);

struct index_pack {
	uint8_t name[OBJECT_NAME_LEN];
	enum pack_kind kind;
	uint32_t size;
	uint32_t first; /* segment */
	uint32_t n;     /* segments */
};

struct index_segment {
	uint32_t pack;
	uint32_t offset;
	uint32_t sealed_len;
};

struct index_summary {
	size_t entries;
	size_t npages;
	struct chunk_name *firsts; /* the first name of each page */
	size_t npacks;
	struct index_pack *packs;
	size_t nsegments;
	struct index_segment *segments;
};

/* The head: FORMAT.md section 7, bytes 0 to 31. */
struct index_head {
	uint8_t dataset[DATASET_ID_LEN];
	uint32_t epoch;
};
void index_head_encode(const struct index_head *h, struct wr *w);
NODISCARD int index_head_decode(
    const uint8_t buf[INDEX_HEAD_LEN], struct index_head *out, struct err *err);

/** index_ad(): The associated data of page ${counter}, or of the summary. */
void index_ad(const uint8_t head[INDEX_HEAD_LEN], uint64_t counter,
    uint8_t out[INDEX_AD_LEN]);

void index_summary_encode(const struct index_summary *s, struct wr *w);
/**
 * index_summary_decode(buf, len, out, err):
 * No pack is listed twice; every pack's segments lie one after the other and
 * inside the pack. Clear
 * ${out} with index_summary_clear(), also after a failure.
 */
NODISCARD int index_summary_decode(
    const uint8_t *buf, size_t len, struct index_summary *out, struct err *err);
void index_summary_clear(struct index_summary *s);
#define INDEX_SUMMARY_AUTO __attribute__((cleanup(index_summary_clear)))

/** index_summary_place(s, segment, out): A segment of the index as a place. */
void index_summary_place(
    const struct index_summary *s, uint32_t segment, struct chunk_place *out);

/** index_page_of(s, name): The only page that can list ${name}; npages: none. */
size_t index_page_of(
    const struct index_summary *s, const struct chunk_name *name);

/** index_page_entries(s, page): How many entries the page has. */
size_t index_page_entries(const struct index_summary *s, size_t page);

/* A page: its entries as they are stored. */
void index_entry_encode(const struct index_entry *e, struct wr *w);
struct index_entry index_page_entry(const uint8_t *page, size_t i);

/**
 * index_page_check(s, page, buf, len, err):
 * Whether these can be the bytes of that page: names in order and in the page's
 * bounds, segments that there are.
 */
NODISCARD int index_page_check(const struct index_summary *s, size_t page,
    const uint8_t *buf, size_t len, struct err *err);

/** index_page_find(page, n, name, segment): Among ${n} entries. */
bool index_page_find(const uint8_t *page, size_t n,
    const struct chunk_name *name, uint32_t *segment);

#endif
