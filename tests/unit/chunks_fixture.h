#ifndef TESTS_UNIT_CHUNKS_FIXTURE_H
#define TESTS_UNIT_CHUNKS_FIXTURE_H

/* Readers of chunks whose names are those of their bytes. */

#define LEN 3000
/* Readers compute the names again. */
#define REAL_NAMES_LEN LEN

#include "snapshot/content/segcache.h"
#include "tests/unit/content_fixture.h"

#include <stdatomic.h>

static inline UNUSED struct segcache *
new_cache(void)
{
	struct segcache *c;

	assert_ok(segcache_new(64 << 20, &c, &err));
	return c;
}

/* A reader of the dataset with these indexes. */
static inline UNUSED struct chunks *
new_chunks(struct fixture *f, struct segcache *cache,
    const struct object_ref *refs, size_t n)
{
	uint8_t names[16][OBJECT_NAME_LEN];
	struct chunks *c;

	for (size_t i = 0; i < n; i++)
		memcpy(names[i], refs[i].name, OBJECT_NAME_LEN);
	assert_ok(chunks_new(f->store, cache, f->kr, &c, &err));
	assert_ok(chunks_set_indexes(
	    c, (const uint8_t(*)[OBJECT_NAME_LEN])names, n, &err));
	return c;
}

/* A reader of one pack, of ${n} segments with ${per} chunks each, from 0 on. */
static inline UNUSED struct chunks *
new_of_pack(struct fixture *f, struct segcache *cache, struct packed *p,
    size_t n, size_t per)
{
	struct object_ref ref;

	put_pack(f, p, 0, n, per, LEN);
	ref = put_index(f, p, 1);
	return new_chunks(f, cache, &ref, 1);
}

static inline UNUSED int
get(struct chunks *c, uint64_t i, struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};
	struct chunk_name name = name_of(i);
	struct segment_chunk got;
	int rc = chunks_get(c, &name, CHUNK_DATA, &ch, err);

	if (rc != 0) {
		assert_null(ch.seg);
		return rc;
	}
	got.data = ch.data;
	got.len = ch.len;
	assert_chunk(&got, i, LEN);
	return 0;
}

struct moved {
	struct chunks *c;
	struct object_ref to;
	int rc;
	atomic_uint calls;
};

static inline UNUSED int
refresh(void *arg, struct err *err)
{
	struct moved *m = arg;

	atomic_fetch_add(&m->calls, 1);
	if (m->rc != 0)
		return err_set(err, (enum err_code)m->rc, "no log");
	return chunks_set_indexes(
	    m->c, (const uint8_t(*)[OBJECT_NAME_LEN])m->to.name, 1, err);
}

#endif
