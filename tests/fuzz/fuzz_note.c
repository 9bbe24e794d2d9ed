/*
 * A pack's note of hostile bytes: what is accepted is what a writer would have
 * noted of a pack that can be.
 */
#include "snapshot/content/ingest_internal.h"
#include "snapshot/content/pack_format.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
check(const struct open_pack *p, uint64_t size)
{
	uint64_t offset = PACK_HEADER_LEN;

	require(p->nplaces > 0);
	for (size_t i = 0; i < p->nplaces; i++) {
		require(p->places[i].number == i);
		require(p->places[i].offset == offset);
		require(pack_place_ok(&p->places[i], size));
		offset += p->places[i].sealed_len;
	}
	for (size_t i = 0; i < p->nnames; i++) {
		require(p->segments[i] < p->nplaces);
		require(i == 0 || p->segments[i] >= p->segments[i - 1]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(open_pack) struct open_pack *p = NULL;
	struct object_ref ref = {.cls = OBJECT_PACK};
	WR_AUTO struct wr w = {0};
	struct err err = {0};
	uint64_t size;
	int rc = ingest_note_decode(data, len, ref.name, &size, &p, &err);

	require(rc == 0 || (rc == ERR_CORRUPT && err.code == rc));
	require((rc == 0) == (p != NULL));
	if (rc != 0)
		return 0;
	check(p, size);
	require(ingest_note_encode(&ref, size, p, &w, &err) == 0);
	require(w.len == len && memcmp(w.buf, data, len) == 0);
	return 0;
}
