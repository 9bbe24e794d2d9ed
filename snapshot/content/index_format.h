#ifndef SNAPSHOT_CONTENT_INDEX_FORMAT_H
#define SNAPSHOT_CONTENT_INDEX_FORMAT_H

/* Private to this folder: the bytes of an index (FORMAT.md section 7). */
#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/packkey.h"
#include "snapshot/content/frame.h"
#include "snapshot/content/index.h"

#define INDEX_HEAD_LEN 32
#define INDEX_BOX_LABEL "varve index v1"
/* Where the list of packs begins, and what a pack takes of it. */
#define INDEX_PACKS_AT (INDEX_HEAD_LEN + BOX_HEAD_LEN)
#define INDEX_PACK_LEN (OBJECT_NAME_LEN + 1 + 4)

#define INDEX_AD_LEN (HASH_LEN + 8)
#define INDEX_SUMMARY_COUNTER UINT64_MAX
#define INDEX_SEGMENTS_COUNTER (UINT64_C(1) << 63)

#define INDEX_ENTRY_LEN (CHUNK_NAME_LEN + 4)
#define INDEX_PAGE_ENTRIES 256
#define INDEX_PAGE_LEN (INDEX_PAGE_ENTRIES * INDEX_ENTRY_LEN)
#define INDEX_SEGMENT_LEN 8
#define INDEX_PAGE_SEGMENTS 1024
#define INDEX_SEGMENTS_LEN (INDEX_PAGE_SEGMENTS * INDEX_SEGMENT_LEN)

#define INDEX_ENTRIES_MAX (UINT64_C(1) << 32)
#define INDEX_PACKS_MAX (1u << 22)
#define INDEX_SUMMARY_MAX (256u * 1024 * 1024)

_Static_assert(INDEX_SEGMENTS_LEN <= INDEX_PAGE_LEN, "one size of page");

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
	uint32_t offset;
	uint32_t sealed_len;
};

/* All that is read when an index is opened. */
struct index_summary {
	uint64_t entries;
	size_t npages;
	uint64_t *firsts; /* of each page: the prefix of its first name */
	size_t npacks;
	struct index_pack *packs;
	size_t nsegments;
};

/* The head: FORMAT.md section 7, bytes 0 to 31. */
struct index_head {
	uint8_t dataset[DATASET_ID_LEN];
	uint32_t epoch;
	uint32_t npacks; /* 1 .. INDEX_PACKS_MAX */
};
void index_head_encode(const struct index_head *h, struct wr *w);
NODISCARD int index_head_decode(
    const uint8_t buf[INDEX_HEAD_LEN], struct index_head *out, struct err *err);

/* A pack in the list: its name, kind and size. */
void index_pack_encode(const struct index_pack *p, struct wr *w);
NODISCARD int index_pack_decode(
    const uint8_t buf[INDEX_PACK_LEN], struct index_pack *out, struct err *err);

/** index_packs_decode(): All of them into ${out}; none is listed twice. */
NODISCARD int index_packs_decode(
    const uint8_t *buf, size_t n, struct index_summary *out, struct err *err);

/** index_ad(): The associated data of what is sealed with ${counter}. */
void index_ad(
    const uint8_t clear[HASH_LEN], uint64_t counter, uint8_t out[INDEX_AD_LEN]);

void index_summary_encode(const struct index_summary *s, struct wr *w);
/**
 * index_summary_decode(buf, len, s, err):
 * The rest of ${s}, whose packs are known. Clear ${s} with
 * index_summary_clear(), also after a failure.
 */
NODISCARD int index_summary_decode(
    const uint8_t *buf, size_t len, struct index_summary *s, struct err *err);
void index_summary_clear(struct index_summary *s);
#define INDEX_SUMMARY_AUTO __attribute__((cleanup(index_summary_clear)))

/** index_segment_pack(s, segment): The pack that it is one of. */
const struct index_pack *index_segment_pack(
    const struct index_summary *s, uint32_t segment);

/** index_summary_place(s, segment, seg, out): A segment as a place. */
void index_summary_place(const struct index_summary *s, uint32_t segment,
    const struct index_segment *seg, struct chunk_place *out);

/** index_prefix(name): Its first 8 bytes; they sort as names do. */
uint64_t index_prefix(const struct chunk_name *name);

/**
 * index_page_of(s, name):
 * The first page that may list ${name}. It may also be in those that follow,
 * while the prefix of their first name is not above its own: more than one
 * only where a page begins with it.
 */
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

/* An entry that was found: its number in its page, and what it says. */
struct index_hit {
	size_t at;
	uint32_t segment;
};
/** index_page_find(page, n, name, hit): Among ${n} entries. */
bool index_page_find(const uint8_t *page, size_t n,
    const struct chunk_name *name, struct index_hit *hit);

/* A page of segments. */
size_t index_segment_pages(const struct index_summary *s);
/** index_page_segments(s, page): How many segments the page has. */
size_t index_page_segments(const struct index_summary *s, size_t page);
void index_segment_encode(const struct index_segment *seg, struct wr *w);
struct index_segment index_page_segment(const uint8_t *page, size_t i);

/**
 * index_segment_ok(s, segment, seg):
 * Whether it can be there: inside its pack, and its first where that begins.
 * That each begins where the one before it ends is for who reads all of them.
 */
bool index_segment_ok(const struct index_summary *s, uint32_t segment,
    const struct index_segment *seg);

#endif
