#include "snapshot/prune/prove.h"

#include <stdlib.h>
#include <string.h>

struct prove {
	struct store *store;
	struct pack_openers *openers;
	struct namer *namer;
	/* What was opened last. */
	struct pack *pack;
	uint8_t pack_name[OBJECT_NAME_LEN];
	struct segment *segment;
	uint64_t offset;
};

int
prove_new(struct store *store, const struct keyring *kr, struct prove **out,
    struct err *err)
{
	AUTO(prove) struct prove *p = calloc(1, sizeof(*p));
	const struct keyset *ks = keyring_latest(kr);
	int rc;

	*out = NULL;
	if (p == NULL)
		return err_nomem(err);
	p->store = store;
	rc = pack_openers_new(kr, &p->openers, err);
	if (rc == 0)
		rc = namer_new(&ks->id, &p->namer, err);
	if (rc == 0)
		*out = STEAL(p);
	return rc;
}

static void
forget(struct prove *p)
{
	segment_unref(p->segment);
	p->segment = NULL;
	pack_unref(p->pack);
	p->pack = NULL;
}

void
prove_free(struct prove *p)
{
	if (p == NULL)
		return;
	forget(p);
	namer_free(p->namer);
	pack_openers_free(p->openers);
	free(p);
}

static int
open_pack_of(struct prove *p, const struct object_ref *ref, struct err *err)
{
	if (p->pack != NULL &&
	    memcmp(p->pack_name, ref->name, sizeof(p->pack_name)) == 0)
		return 0;
	forget(p);
	memcpy(p->pack_name, ref->name, sizeof(p->pack_name));
	return pack_open(p->store, p->openers, ref, &p->pack, err);
}

static int
open_place(struct prove *p, struct index *ix, const struct chunk_name *name,
    struct err *err)
{
	struct object_ref ref = *index_ref(ix);
	struct chunk_place place;
	int rc = index_find(ix, name, &place, err);

	if (rc != 0)
		return rc;
	ref.cls = OBJECT_PACK;
	memcpy(ref.name, place.pack, sizeof(ref.name));
	rc = open_pack_of(p, &ref, err);
	if (rc != 0)
		return rc;
	if (p->segment != NULL && p->offset == place.segment.offset)
		return 0;
	segment_unref(p->segment);
	p->segment = NULL;
	p->offset = place.segment.offset;
	return pack_segment(p->pack, &place.segment, &p->segment, err);
}

/* 1 when the segment at hand has it. */
static int
look(struct prove *p, const struct chunk_name *name, struct err *err)
{
	for (size_t i = 0; i < segment_count(p->segment); i++) {
		struct segment_chunk ch = segment_chunk(p->segment, i);
		struct chunk_name is;
		int rc;

		if (memcmp(&ch.name, name, sizeof(*name)) != 0)
			continue;
		rc = namer_name(p->namer, ch.kind, ch.data, ch.len, &is, err);
		if (rc != 0)
			return rc;
		return memcmp(&is, name, sizeof(is)) == 0;
	}
	return 0;
}

static bool
is_the_stores(int rc)
{
	return rc == ERR_CORRUPT || rc == ERR_AUTH || rc == ERR_NOT_FOUND ||
	       rc == ERR_VERSION;
}

int
prove_place(struct prove *p, struct index *ix, const struct chunk_name *name,
    struct err *err)
{
	struct err why;
	int rc = open_place(p, ix, name, &why);

	if (rc == 0)
		return look(p, name, err);
	forget(p);
	return is_the_stores(rc) ? 0 : err_copy(err, &why);
}
