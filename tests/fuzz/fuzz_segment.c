/*
 * The plaintext of segments, as somebody who has a dataset's seal key may make
 * it up.
 */
#include "snapshot/content/segment.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* All bytes of all chunks can be read, and every chunk found by its name. */
static void
walk(const struct segment *s)
{
	volatile uint8_t sum = 0;
	size_t total = 0;

	for (size_t i = 0; i < segment_count(s); i++) {
		struct segment_chunk ch = segment_chunk(s, i), found;

		if (ch.len < 1 || ch.len > CHUNK_MAX ||
		    ch.kind >= CHUNK_KINDS ||
		    !segment_find(s, &ch.name, &found) ||
		    memcmp(&found.name, &ch.name, sizeof(ch.name)) != 0)
			abort();
		for (size_t k = 0; k < ch.len; k++)
			sum = (uint8_t)(sum + ch.data[k]);
		total += ch.len;
	}
	if (total > SEGMENT_MAX)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(segment_decoder) struct segment_decoder *d = NULL;
	AUTO(segment) struct segment *s = NULL;
	struct err err;
	int rc;

	if (segment_decoder_new(SEGMENT_MAX, &d, &err) != 0)
		abort();
	rc = segment_decode(d, data, len, &s, &err);
	if (rc > 0 || (rc != 0 && rc != err.code) || (rc == 0) != (s != NULL))
		abort();
	if (rc == 0)
		walk(s);
	return 0;
}
