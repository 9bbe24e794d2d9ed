/*
 * The parts of packs: the header and the tail, which anybody can tamper with,
 * and the table's plaintext.
 */
#include "snapshot/content/pack_format.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is read can be written, and is the same bytes again. */
static void
fuzz_header(const uint8_t *data)
{
	WR_AUTO struct wr w = {0};
	struct pack_id id;
	struct err err;

	if (pack_header_decode(data, &id, &err) != 0)
		return;
	pack_header_encode(&id, &w);
	if (w.len != PACK_HEADER_LEN ||
	    memcmp(w.buf, data, PACK_HEADER_LEN) != 0)
		abort();
}

static void
fuzz_table(const uint8_t *data, size_t len, uint64_t t)
{
	struct segment_place *places;
	struct err err;
	size_t n;

	if (pack_table_decode(data, len, t, &places, &n, &err) != 0) {
		if (places != NULL)
			abort();
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!pack_place_ok(&places[i], PACK_LIMIT) ||
		    (uint64_t)places[i].offset + places[i].sealed_len > t)
			abort();
	free(places);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rd r = rd_init(data, len);
	uint64_t size = rd_u32(&r);
	const uint8_t *tail = rd_bytes(&r, PACK_TAIL_LEN);
	struct err err;
	uint64_t t;

	if (len >= PACK_HEADER_LEN)
		fuzz_header(data);
	if (tail == NULL)
		return 0;
	if (pack_table_offset(tail, size, &t, &err) == 0)
		fuzz_table(r.p, rd_left(&r), t);
	/* Where the segments end is the tail's to say, right or wrong. */
	fuzz_table(r.p, rd_left(&r), size);
	return 0;
}
