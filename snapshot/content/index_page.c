#include "snapshot/content/index_format.h"
#include "snapshot/content/pack_format.h"

#include <string.h>

/* --- pages of names ----------------------------------------------------- */

size_t
index_page_of(const struct index_summary *s, const struct chunk_name *name)
{
	uint64_t prefix = index_prefix(name);
	size_t lo = 0, hi = s->npages;

	/* The first page that does not start before the name. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->firsts[mid] < prefix)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == 0 ? 0 : lo - 1;
}

size_t
index_page_entries(const struct index_summary *s, size_t page)
{
	uint64_t left = s->entries - (uint64_t)page * INDEX_PAGE_ENTRIES;

	return left < INDEX_PAGE_ENTRIES ? (size_t)left : INDEX_PAGE_ENTRIES;
}

void
index_entry_encode(const struct index_entry *e, struct wr *w)
{
	wr_bytes(w, e->name.b, CHUNK_NAME_LEN);
	wr_u32(w, e->segment);
}

/* By shifts, not by a reader: of millions of entries each is looked at. */
static uint32_t
u32_at(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

struct index_entry
index_page_entry(const uint8_t *page, size_t i)
{
	const uint8_t *p = page + i * INDEX_ENTRY_LEN;
	struct index_entry e;

	memcpy(e.name.b, p, CHUNK_NAME_LEN);
	e.segment = u32_at(p + CHUNK_NAME_LEN);
	return e;
}

static uint64_t
prefix_at(const uint8_t *page, size_t i)
{
	struct index_entry e = index_page_entry(page, i);

	return index_prefix(&e.name);
}

int
index_page_check(const struct index_summary *s, size_t page, const uint8_t *buf,
    size_t len, struct err *err)
{
	size_t n = index_page_entries(s, page);
	const uint8_t *name = buf;

	if (len != n * INDEX_ENTRY_LEN)
		return err_set(err, ERR_CORRUPT, "bad length");
	if (prefix_at(buf, 0) != s->firsts[page])
		return err_set(err, ERR_CORRUPT, "starts with another name");
	for (size_t i = 0; i < n; i++, name += INDEX_ENTRY_LEN) {
		if (i > 0 &&
		    memcmp(name - INDEX_ENTRY_LEN, name, CHUNK_NAME_LEN) >= 0)
			return err_set(
			    err, ERR_CORRUPT, "names are out of order");
		if (u32_at(name + CHUNK_NAME_LEN) >= s->nsegments)
			return err_set(err, ERR_CORRUPT, "no such segment");
	}
	if (page + 1 < s->npages && prefix_at(buf, n - 1) > s->firsts[page + 1])
		return err_set(err, ERR_CORRUPT, "runs into the next page");
	return 0;
}

bool
index_page_find(const uint8_t *page, size_t n, const struct chunk_name *name,
    struct index_hit *hit)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int cmp = memcmp(
		    page + mid * INDEX_ENTRY_LEN, name->b, CHUNK_NAME_LEN);

		if (cmp == 0) {
			hit->at = mid;
			hit->segment = index_page_entry(page, mid).segment;
			return true;
		}
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/* --- pages of segments -------------------------------------------------- */

size_t
index_segment_pages(const struct index_summary *s)
{
	return (s->nsegments + INDEX_PAGE_SEGMENTS - 1) / INDEX_PAGE_SEGMENTS;
}

size_t
index_page_segments(const struct index_summary *s, size_t page)
{
	size_t left = s->nsegments - page * INDEX_PAGE_SEGMENTS;

	return left < INDEX_PAGE_SEGMENTS ? left : INDEX_PAGE_SEGMENTS;
}

void
index_segment_encode(const struct index_segment *seg, struct wr *w)
{
	wr_u32(w, seg->offset);
	wr_u32(w, seg->sealed_len);
}

struct index_segment
index_page_segment(const uint8_t *page, size_t i)
{
	const uint8_t *p = page + i * INDEX_SEGMENT_LEN;

	return (struct index_segment){u32_at(p), u32_at(p + 4)};
}

bool
index_segment_ok(const struct index_summary *s, uint32_t segment,
    const struct index_segment *seg)
{
	const struct index_pack *p = index_segment_pack(s, segment);
	const struct segment_place place = {
	    segment - p->first, seg->offset, seg->sealed_len};

	return pack_place_ok(&place, p->size) &&
	       (place.number > 0 || seg->offset == PACK_HEADER_LEN);
}
