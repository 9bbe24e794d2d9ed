/*
 * The parts of indexes: the head, and the plaintext of summary and page, as
 * somebody who has a dataset's index key may make them up. The input is the
 * summary's length, the summary, and a page.
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
fuzz_page(const struct index_summary *s, const uint8_t *page, size_t len)
{
	struct chunk_place place;
	struct err err;
	uint32_t segment;

	if (index_page_check(s, 0, page, len, &err) != 0)
		return;
	for (size_t i = 0; i < index_page_entries(s, 0); i++) {
		struct index_entry e = index_page_entry(page, i);

		if (index_page_of(s, &e.name) != 0 ||
		    !index_page_find(
			page, index_page_entries(s, 0), &e.name, &segment) ||
		    segment != e.segment)
			abort();
		index_summary_place(s, segment, &place);
		if (!pack_place_ok(&place.segment, place.pack_size))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	INDEX_SUMMARY_AUTO struct index_summary s = {0};
	WR_AUTO struct wr w = {0};
	struct rd r = rd_init(data, len);
	size_t n = rd_u16(&r);
	const uint8_t *summary = rd_bytes(&r, n);
	struct err err;

	fuzz_head(data, len);
	if (summary == NULL || index_summary_decode(summary, n, &s, &err) != 0)
		return 0;
	/* What is read can be written, and is the same bytes again. */
	index_summary_encode(&s, &w);
	if (w.len != n || memcmp(w.buf, summary, n) != 0)
		abort();
	fuzz_page(&s, r.p, rd_left(&r));
	return 0;
}
