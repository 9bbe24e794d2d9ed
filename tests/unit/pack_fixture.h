#ifndef TESTS_UNIT_PACK_FIXTURE_H
#define TESTS_UNIT_PACK_FIXTURE_H

/* Packs, read whole. */
#include "snapshot/content/pack_format.h"
#include "tests/unit/content_fixture.h"

/* A pack's sizes, from FORMAT.md section 6. */
#define HEADER 128
#define TAIL 16
#define TAG 16

static inline UNUSED struct pack_openers *
new_openers(const struct keyring *kr)
{
	struct pack_openers *o;

	assert_ok(pack_openers_new(kr, &o, &err));
	return o;
}

static inline UNUSED void
assert_segment(
    const struct segment *s, const struct packed *p, size_t number, size_t len)
{
	assert_int_equal(segment_count(s), p->per_segment);
	for (size_t i = 0; i < p->per_segment; i++) {
		struct segment_chunk ch = segment_chunk(s, i);

		assert_chunk(&ch, p->first + number * p->per_segment + i, len);
	}
}

/* Open and read everything: the first failure, or 0. */
static inline UNUSED int
read_all(struct fixture *f, const struct object_ref *ref,
    const struct packed *p, size_t len, struct err *err)
{
	AUTO(pack_openers) struct pack_openers *o = new_openers(f->kr);
	AUTO(pack) struct pack *pack = NULL;
	struct segment_place *places = NULL;
	size_t n;
	int rc;

	rc = pack_open(f->store, o, ref, &pack, err);
	for (size_t i = 0; rc == 0 && i < p->n; i++) {
		AUTO(segment) struct segment *s = NULL;

		rc = pack_segment(pack, &p->places[i], &s, err);
		if (rc == 0)
			assert_segment(s, p, i, len);
	}
	if (rc == 0) {
		rc = pack_table(pack, &places, &n, err);
		if (rc == 0) {
			assert_int_equal(n, p->n);
			assert_memory_equal(
			    places, p->places, n * sizeof(*places));
		}
		free(places);
	}
	return rc;
}

#endif
