#ifndef TESTS_UNIT_SEGMENT_FIXTURE_H
#define TESTS_UNIT_SEGMENT_FIXTURE_H

/* Decoding segments that are, or are not, as they should be. */
#include "snapshot/content/segment_internal.h"
#include "tests/unit/content_fixture.h"

static inline UNUSED struct segment_decoder *
new_decoder(void)
{
	struct segment_decoder *d;

	assert_ok(segment_decoder_new(1 << 20, &d, &err));
	return d;
}

/* Decode, expecting ${want}. */
static inline UNUSED void
decode_rc(int want, const void *plain, size_t len)
{
	AUTO(segment_decoder) struct segment_decoder *d = new_decoder();
	AUTO(segment) struct segment *s = NULL;
	uint8_t *exact = malloc(len);

	/* In memory that ends where the bytes do, so that ASan sees. */
	memcpy(exact, plain, len);
	assert_rc(want, segment_decode(d, exact, len, &s, &err));
	assert_true((s != NULL) == (want == 0));
	free(exact);
}

#endif
