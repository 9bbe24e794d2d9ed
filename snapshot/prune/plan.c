/* What becomes of each pack. */
#include "snapshot/prune/prune_internal.h"

#include <stdlib.h>

/*
 * Small packs are merged when there are that many, into one at least so large.
 */
#define SMALL (PACK_TARGET / 4)
#define MERGE_MIN 8

/* --- dead ones ---------------------------------------------------------- */

static bool
is_mostly_dead(const struct prune *p, const struct live_pack *pack)
{
	if (p->opt->max_dead == 0)
		return pack->live < pack->chunks;
	return pack->dead_bytes * 100 > pack->size * p->opt->max_dead;
}

static enum live_fate
fate_of(const struct prune *p, const struct live_pack *pack)
{
	if (pack->live == 0)
		return LIVE_GONE;
	/* What is not there can't be read; it may be put back. */
	return pack->there && is_mostly_dead(p, pack) ? LIVE_REPACK : LIVE_KEEP;
}

/* --- small ones --------------------------------------------------------- */

static int
by_size(const void *a, const void *b)
{
	const struct live_pack *const *x = a, *const *y = b;

	return ((*x)->size > (*y)->size) - ((*x)->size < (*y)->size);
}

/*
 * The smallest, as long as each is at most twice what the smaller ones have
 * together: so each byte is written anew about as often as its pack doubles.
 */
static size_t
count_to_merge(struct live_pack *const *v, size_t n)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (i > 1 && v[i]->size > 2 * sum)
			break;
		sum += v[i]->size;
	}
	return i < MERGE_MIN ? 0 : i;
}

static int
merge_kind(struct prune *p, enum pack_kind kind, struct err *err)
{
	struct live *l = &p->live;
	struct live_pack **v = calloc((size_t)l->npacks + 1, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		return err_nomem(err);
	for (uint32_t i = 0; i < l->npacks; i++) {
		struct live_pack *pack = &l->packs[i];

		if (pack->fate == LIVE_KEEP && pack->there &&
		    pack->kind == kind && pack->size < SMALL)
			v[n++] = pack;
	}
	qsort(v, n, sizeof(*v), by_size);
	n = count_to_merge(v, n);
	for (size_t i = 0; i < n; i++) {
		v[i]->fate = LIVE_REPACK;
		v[i]->merge = true;
	}
	free(v);
	return 0;
}

/* --- lost ones ---------------------------------------------------------- */

static void
tell_lost(struct prune *p, const struct live_pack *pack)
{
	struct object_ref ref;
	struct err why = {0};

	p->out->lost_packs++;
	if (p->opt->on_lost == NULL)
		return;
	if (present_find(&p->packs, pack->name) == NULL)
		(void)err_set(&why, ERR_NOT_FOUND, "it is missing");
	else
		(void)err_set(&why, ERR_CORRUPT,
		    "it is not of the size that its index says");
	prune_ref(p, OBJECT_PACK, pack->name, &ref);
	p->opt->on_lost(p->opt->arg, &ref, pack->live, &why);
}

/* --- all ---------------------------------------------------------------- */

static void
count_pack(struct prune *p, const struct live_pack *pack)
{
	struct prune_result *out = p->out;

	out->dead_chunks += pack->chunks - pack->live;
	if (pack->there)
		prune_add(&out->packs, pack->size);
	else if (pack->live > 0)
		tell_lost(p, pack);
	if (pack->fate == LIVE_GONE)
		prune_add(&out->dead, pack->size);
	else if (pack->fate == LIVE_REPACK && pack->merge)
		prune_add(&out->merged, pack->size);
	else if (pack->fate == LIVE_REPACK)
		prune_add(&out->repacked, pack->size);
	else if (pack->dead_bytes > 0)
		prune_add(&out->kept_dead, pack->dead_bytes);
	if (pack->fate == LIVE_KEEP && !pack->newest)
		prune_add(&out->leaving, pack->size);
}

int
plan_packs(struct prune *p, struct err *err)
{
	struct live *l = &p->live;
	int rc;

	for (uint32_t i = 0; i < l->npacks; i++)
		l->packs[i].fate = fate_of(p, &l->packs[i]);
	rc = merge_kind(p, PACK_DATA, err);
	if (rc == 0)
		rc = merge_kind(p, PACK_META, err);
	for (uint32_t i = 0; i < l->npacks; i++)
		count_pack(p, &l->packs[i]);
	p->out->chunks = l->marked;
	p->out->lost_chunks = l->lost;
	p->out->unlisted_chunks = l->unlisted;
	return rc;
}
