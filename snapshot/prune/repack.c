/*
 * What is needed, out of packs that go, into new ones: each chunk is opened,
 * its name computed again, and sealed anew. Packs are taken in the order in
 * which they were written, so that what was stored together stays together.
 */
#include "snapshot/prune/prune_internal.h"

#include <stdlib.h>
#include <string.h>

struct repack {
	struct prune *p;
	struct pack_openers *openers;
	struct ingest *in;
	struct ingest_lane *lane;
	uint64_t copied; /* chunks, of the pack at hand */
};

static void
repack_clear(struct repack *r)
{
	ingest_lane_free(r->lane);
	ingest_free(r->in);
	pack_openers_free(r->openers);
}
#define REPACK_AUTO __attribute__((cleanup(repack_clear)))

/* An ingest_pack_fn. */
static int
note_own(void *arg, const struct object_ref *pack, UNUSED const uint8_t *note,
    UNUSED size_t len, struct err *err)
{
	struct prune *p = arg;
	uint64_t size;
	int rc = store_size(p->store, pack, &size, err);

	return rc == 0 ? present_add(&p->own, pack->name, size, err) : rc;
}

static int
repack_init(struct repack *r, struct err *err)
{
	struct prune *p = r->p;
	int rc = pack_openers_new(p->ds->keys, &r->openers, err);

	if (rc == 0)
		rc = ingest_new(p->store, p->ds->keys, &r->in, err);
	if (rc == 0)
		ingest_on_pack(r->in, note_own, p);
	if (rc == 0)
		rc = ingest_lane_new(r->in, &r->lane, err);
	return rc;
}

/* --- one pack ----------------------------------------------------------- */

/* Whether it is needed, and an index says that it lies here. */
static int
is_needed(struct repack *r, const struct segment_chunk *ch, uint32_t pack,
    struct err *err)
{
	struct live *l = &r->p->live;
	int n = live_places(l, &ch->name, err);

	for (int i = 0; i < n; i++) {
		const struct live_spot *at = &l->spots[i];

		if (at->pack == pack)
			return live_bit(l, at->index, at->entry);
	}
	return n < 0 ? n : 0;
}

/* Naming it again is what ingest_chunk() does first. */
static int
copy_chunk(struct repack *r, const struct segment_chunk *ch, struct err *err)
{
	struct chunk_name name;
	int rc = ingest_chunk(r->lane, ch->kind, ch->data, ch->len, &name, err);

	if (rc == 0 && memcmp(&name, &ch->name, sizeof(name)) != 0)
		rc = err_set(
		    err, ERR_CORRUPT, "a chunk is not what its name says");
	return rc;
}

static int
copy_segment(struct repack *r, struct pack *from, uint32_t pack,
    const struct segment_place *place, struct err *err)
{
	AUTO(segment) struct segment *seg = NULL;
	int rc = pack_segment(from, place, &seg, err);

	for (size_t i = 0; rc == 0 && i < segment_count(seg); i++) {
		struct segment_chunk ch = segment_chunk(seg, i);

		rc = is_needed(r, &ch, pack, err);
		if (rc == 1) {
			rc = copy_chunk(r, &ch, err);
			r->copied++;
		}
	}
	return rc;
}

static int
copy_segments(struct repack *r, struct pack *from, uint32_t pack,
    const struct segment_place *places, size_t n, struct err *err)
{
	const struct live *l = &r->p->live;
	const struct live_pack *lp = &l->packs[pack];
	int rc = 0;

	r->copied = 0;
	if (n != lp->count)
		return err_set(
		    err, ERR_CORRUPT, "it has other segments than listed");
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = prune_stopped(r->p, err);
		if (rc == 0 && l->segments[lp->first + i].live > 0)
			rc = copy_segment(r, from, pack, &places[i], err);
		if (r->p->opt->progress != NULL)
			r->p->opt->progress->bytes += places[i].sealed_len;
	}
	if (rc == 0 && r->copied != lp->live)
		rc = err_set(err, ERR_CORRUPT,
		    "an index lists chunks that are not where it says");
	return rc;
}

static int
copy_pack(struct repack *r, uint32_t pack, struct err *err)
{
	AUTO(pack) struct pack *from = NULL;
	struct segment_place *places = NULL;
	struct object_ref ref;
	size_t n;
	int rc;

	prune_ref(r->p, OBJECT_PACK, r->p->live.packs[pack].name, &ref);
	rc = pack_open(r->p->store, r->openers, &ref, &from, err);
	if (rc == 0)
		rc = pack_table(from, &places, &n, err);
	if (rc == 0)
		rc = copy_segments(r, from, pack, places, n, err);
	free(places);
	return rc;
}

/*
 * A damaged pack stays as it is, with all that can be read of it. What was
 * copied of it until then is stored twice.
 */
static int
pass_over(struct repack *r, uint32_t pack, int rc, const struct err *why,
    struct err *err)
{
	struct prune *p = r->p;
	struct live_pack *lp = &p->live.packs[pack];
	struct object_ref ref;

	if (rc != ERR_CORRUPT && rc != ERR_AUTH && rc != ERR_NOT_FOUND)
		return err_copy(err, why);
	lp->fate = LIVE_KEEP;
	p->out->damaged++;
	prune_ref(p, OBJECT_PACK, lp->name, &ref);
	if (p->opt->on_damage != NULL)
		p->opt->on_damage(p->opt->arg, &ref, why);
	return names_add(&p->told, lp->name, err);
}

/* --- all of them -------------------------------------------------------- */

static int
finish(struct repack *r, struct err *err)
{
	uint8_t(*names)[OBJECT_NAME_LEN] = NULL;
	size_t n = 0;
	int rc = ingest_lane_flush(r->lane, err);

	if (rc == 0)
		rc = ingest_finish(r->in, &names, &n, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = names_add(&r->p->set, names[i], err);
	free(names);
	r->p->out->written.n = ingest_totals(r->in).packs;
	r->p->out->written.bytes = ingest_totals(r->in).stored;
	return rc;
}

static int
copy_all(struct repack *r, struct err *err)
{
	const struct live *l = &r->p->live;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < l->npacks; i++) {
		struct err why = {0};

		if (l->packs[i].fate != LIVE_REPACK)
			continue;
		rc = copy_pack(r, i, &why);
		if (rc != 0)
			rc = pass_over(r, i, rc, &why, err);
	}
	return rc;
}

int
repack_packs(struct prune *p, struct err *err)
{
	REPACK_AUTO struct repack r = {.p = p};
	uint64_t total = 0;
	int rc;

	for (uint32_t i = 0; i < p->live.npacks; i++)
		if (p->live.packs[i].fate == LIVE_REPACK)
			total += p->live.packs[i].size;
	if (total == 0)
		return 0;
	if (p->opt->progress != NULL) {
		p->opt->progress->bytes = 0;
		p->opt->progress->bytes_total = total;
	}
	rc = repack_init(&r, err);
	if (rc == 0)
		rc = copy_all(&r, err);
	return rc == 0 ? finish(&r, err) : rc;
}
