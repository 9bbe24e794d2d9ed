#include "tests/crash/relied.h"

#include <stdlib.h>
#include <string.h>

static int
add_pack(struct relied *r, const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	int rc = name_set_add_object(&r->packs, name, err);

	return rc < 0 ? rc : 0;
}

/* --- the packs --------------------------------------------------------- */

/* A state_pending_fn: behind a note's format is the pack's name. */
static int
visit_pending(void *arg, const uint8_t *note, size_t len, struct err *err)
{
	struct relied *r = arg;

	if (len < 1 + OBJECT_NAME_LEN)
		return err_set(err, ERR_CORRUPT, "a short note");
	r->noted++;
	return add_pack(r, note + 1, err);
}

/* An index_pack_fn. */
static int
visit_indexed(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, UNUSED const struct segment_place *places,
    UNUSED size_t n, struct err *err)
{
	struct relied *r = arg;

	return add_pack(r, ref->name, err);
}

static int
find_noted(
    struct relied *r, struct access *a, const char *state_dir, struct err *err)
{
	AUTO(state) struct state *state = NULL;
	int rc = state_open(state_dir, access_root(a)->store,
	    keyring_latest(r->ds->keys), &state, err);

	return rc != 0 ? rc : state_pending_each(state, visit_pending, r, err);
}

static int
find_indexed(struct relied *r, const struct log *log, struct err *err)
{
	size_t n;
	const uint8_t(*indexes)[OBJECT_NAME_LEN] = log_indexes(log, &n);
	struct object_ref ref = {.cls = OBJECT_INDEX};
	int rc = 0;

	memcpy(ref.dataset, r->ds->id, sizeof(ref.dataset));
	for (size_t i = 0; i < n && rc == 0; i++) {
		AUTO(index) struct index *ix = NULL;

		memcpy(ref.name, indexes[i], sizeof(ref.name));
		rc = index_open(r->store, &ref, r->ds->keys, &ix, err);
		if (rc == 0)
			rc = index_each_pack(ix, visit_indexed, r, err);
	}
	return rc;
}

/* --- their chunks ------------------------------------------------------ */

typedef int chunk_fn(
    struct relied *r, const struct chunk_name *name, struct err *err);

static int
each_in_segment(struct relied *r, struct pack *pack,
    const struct segment_place *place, chunk_fn *fn, struct err *err)
{
	AUTO(segment) struct segment *seg = NULL;
	int rc = pack_segment(pack, place, &seg, err);

	for (size_t i = 0; rc == 0 && i < segment_count(seg); i++) {
		const struct segment_chunk ch = segment_chunk(seg, i);

		rc = fn(r, &ch.name, err);
	}
	return rc;
}

static int
each_chunk(struct relied *r, const struct object_ref *ref, chunk_fn *fn,
    struct err *err)
{
	AUTO(pack) struct pack *pack = NULL;
	struct segment_place *places = NULL;
	size_t n = 0;
	int rc = pack_open(r->store, r->openers, ref, &pack, err);

	if (rc == 0)
		rc = pack_table(pack, &places, &n, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = each_in_segment(r, pack, &places[i], fn, err);
	free(places);
	return rc;
}

static int
note_chunk(struct relied *r, const struct chunk_name *name, struct err *err)
{
	int rc = name_set_add(&r->chunks, name, err);

	return rc < 0 ? rc : 0;
}

static int
look_chunk(
    struct relied *r, const struct chunk_name *name, UNUSED struct err *err)
{
	r->again += name_set_has(&r->chunks, name);
	return 0;
}

static int
note_packs(struct relied *r, struct err *err)
{
	static const struct chunk_name zero;
	struct object_ref ref = {.cls = OBJECT_PACK};
	int rc = 0;

	memcpy(ref.dataset, r->ds->id, sizeof(ref.dataset));
	for (size_t i = 0; i < r->packs.cap && rc == 0; i++) {
		if (memcmp(&r->packs.slots[i], &zero, sizeof(zero)) == 0)
			continue;
		memcpy(ref.name, r->packs.slots[i].b, sizeof(ref.name));
		rc = each_chunk(r, &ref, note_chunk, err);
	}
	return rc;
}

int
relied_find(struct relied *r, struct access *a, const struct log *log,
    const char *state_dir, struct err *err)
{
	int rc;

	memset(r, 0, sizeof(*r));
	r->store = access_store(a);
	r->ds = log_dataset(log);
	if ((rc = pack_openers_new(r->ds->keys, &r->openers, err)) != 0)
		return rc;
	if ((rc = find_noted(r, a, state_dir, err)) != 0)
		return rc;
	if ((rc = find_indexed(r, log, err)) != 0)
		return rc;
	return note_packs(r, err);
}

/* A store_visit_fn. */
static int
visit_pack(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct relied *r = arg;

	if (name_set_has_object(&r->packs, ref->name))
		return 0;
	return each_chunk(r, ref, look_chunk, err);
}

int
relied_look(struct relied *r, struct err *err)
{
	return store_list(r->store, OBJECT_PACK, r->ds->id, visit_pack, r, err);
}

void
relied_clear(struct relied *r)
{
	pack_openers_free(r->openers);
	name_set_clear(&r->packs);
	name_set_clear(&r->chunks);
	memset(r, 0, sizeof(*r));
}
