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
	if (!pack->there || names_have(&p->told, pack->name))
		return LIVE_KEEP;
	return is_mostly_dead(p, pack) ? LIVE_REPACK : LIVE_KEEP;
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
		    pack->kind == kind && pack->size < SMALL &&
		    !names_have(&p->told, pack->name))
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

/* --- without room for all of it ------------------------------------------- */

/* About what is written for it. */
static uint64_t
room_for(const struct live_pack *pack)
{
	return pack->size - pack->dead_bytes;
}

static void
keep(struct prune *p, struct live_pack *pack)
{
	if (p->out->no_room.n == 0 || room_for(pack) < p->least)
		p->least = room_for(pack);
	pack->fate = LIVE_KEEP;
	pack->merge = false;
	prune_add(&p->out->no_room, pack->size);
}

/* Those first that give back the most for what they take. */
static int
by_death(const void *a, const void *b)
{
	const struct live_pack *const *x = a, *const *y = b;
	uint64_t m = (*x)->dead_bytes * (*y)->size;
	uint64_t n = (*y)->dead_bytes * (*x)->size;

	return (m < n) - (m > n);
}

static int
fit_room(struct prune *p, struct err *err)
{
	struct live *l = &p->live;
	struct live_pack **v = calloc((size_t)l->npacks + 1, sizeof(*v));
	uint64_t left = p->room;
	size_t n = 0;

	if (v == NULL)
		return err_nomem(err);
	for (uint32_t i = 0; i < l->npacks; i++)
		if (l->packs[i].fate == LIVE_REPACK)
			v[n++] = &l->packs[i];
	qsort(v, n, sizeof(*v), by_death);
	for (size_t i = 0; i < n; i++) {
		if (room_for(v[i]) > left)
			keep(p, v[i]);
		else
			left -= room_for(v[i]);
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

/* What there was. */
static void
count_pack(struct prune *p, const struct live_pack *pack)
{
	struct prune_result *out = p->out;

	out->dead_chunks += pack->chunks - pack->live;
	if (pack->there)
		prune_add(&out->packs, pack->size);
	else if (pack->live > 0)
		tell_lost(p, pack);
}

/* What becomes of it. */
static void
count_fate(struct prune *p, const struct live_pack *pack)
{
	struct prune_result *out = p->out;

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

static void
count_fates(struct prune *p)
{
	static const struct prune_count none;
	struct prune_result *out = p->out;

	out->dead = out->merged = out->repacked = none;
	out->kept_dead = out->leaving = none;
	for (uint32_t i = 0; i < p->live.npacks; i++)
		count_fate(p, &p->live.packs[i]);
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
	if (rc == 0 && p->room != PRUNE_ROOM_ANY)
		rc = fit_room(p, err);
	for (uint32_t i = 0; i < l->npacks; i++)
		count_pack(p, &l->packs[i]);
	count_fates(p);
	p->out->chunks = l->marked;
	p->out->lost_chunks = l->lost;
	p->out->unlisted_chunks = l->unlisted;
	return rc;
}

void
plan_no_repack(struct prune *p)
{
	struct live *l = &p->live;

	for (uint32_t i = 0; i < l->npacks; i++)
		if (l->packs[i].fate == LIVE_REPACK)
			keep(p, &l->packs[i]);
	count_fates(p);
}
