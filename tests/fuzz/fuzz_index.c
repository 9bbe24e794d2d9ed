/*
 * The parts of indexes: the head, the list of packs, and the plaintext of
 * summary and pages, as somebody who has a dataset's index key may make them
 * up. The input is the number of packs, the summary's length, the packs, the
 * summary, a page of names, and a page of segments.
 */
#include "snapshot/content/index_format.h"
#include "snapshot/content/pack_format.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
fuzz_head(const uint8_t *data, size_t len)
{
	WR_AUTO struct wr w = {0};
	struct index_head head;
	struct err err;

	if (len < INDEX_HEAD_LEN || index_head_decode(data, &head, &err) != 0)
		return;
	index_head_encode(&head, &w);
	if (w.len != INDEX_HEAD_LEN || memcmp(w.buf, data, INDEX_HEAD_LEN) != 0)
		abort();
}

/* A page that passed names segments that there are, and finds its entries. */
static void
fuzz_page(const struct index_summary *s, struct rd *r)
{
	size_t n = index_page_entries(s, 0);
	const uint8_t *page = rd_bytes(r, n * INDEX_ENTRY_LEN);
	struct index_hit hit;
	struct err err;

	if (page == NULL ||
	    index_page_check(s, 0, page, n * INDEX_ENTRY_LEN, &err) != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct index_entry e = index_page_entry(page, i);

		if (index_page_of(s, &e.name) != 0 ||
		    !index_page_find(page, n, &e.name, &hit) || hit.at != i ||
		    hit.segment != e.segment || hit.segment >= s->nsegments)
			abort();
	}
}

/* And one of segments, places that there can be. */
static void
fuzz_segments(const struct index_summary *s, struct rd *r)
{
	size_t n = index_page_segments(s, 0);
	const uint8_t *page = rd_bytes(r, n * INDEX_SEGMENT_LEN);
	struct chunk_place place;

	if (page == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		struct index_segment seg = index_page_segment(page, i);

		if (!index_segment_ok(s, (uint32_t)i, &seg))
			continue;
		index_summary_place(s, (uint32_t)i, &seg, &place);
		if (!pack_place_ok(&place.segment, place.pack_size))
			abort();
	}
}

/* What is read can be written, and is the same bytes again. */
static void
same_bytes(const struct index_summary *s, const uint8_t *packs,
    const uint8_t *summary, size_t len)
{
	WR_AUTO struct wr w = {0};

	for (size_t i = 0; i < s->npacks; i++)
		index_pack_encode(&s->packs[i], &w);
	if (w.len != s->npacks * INDEX_PACK_LEN ||
	    memcmp(w.buf, packs, w.len) != 0)
		abort();
	wr_reset(&w);
	index_summary_encode(s, &w);
	if (w.len != len || memcmp(w.buf, summary, len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	INDEX_SUMMARY_AUTO struct index_summary s = {0};
	struct rd r = rd_init(data, len);
	size_t npacks = rd_u8(&r), n = rd_u16(&r);
	const uint8_t *packs = rd_bytes(&r, npacks * INDEX_PACK_LEN);
	const uint8_t *summary = rd_bytes(&r, n);
	struct err err;

	fuzz_head(data, len);
	if (npacks == 0 || summary == NULL ||
	    index_packs_decode(packs, npacks, &s, &err) != 0 ||
	    index_summary_decode(summary, n, &s, &err) != 0)
		return 0;
	same_bytes(&s, packs, summary, n);
	fuzz_page(&s, &r);
	fuzz_segments(&s, &r);
	return 0;
}
