#include "snapshot/prune/live.h"

/* --- chunks ------------------------------------------------------------- */

bool
live_bit(const struct live *l, uint32_t index, size_t entry)
{
	const uint64_t *bits = l->indexes[index].bits;

	return (bits[entry / LIVE_WORD_BITS] >> (entry % LIVE_WORD_BITS) & 1) !=
	       0;
}

/* 1 when that index lists it. */
static int
ask(struct live *l, uint32_t i, const struct chunk_name *name,
    struct live_spot *out, struct err *err)
{
	const struct live_index *x = &l->indexes[i];
	struct index_spot spot;
	bool found;
	int rc = index_spot(x->ix, name, &spot, &found, err);

	if (rc != 0 || !found)
		return rc;
	*out = (struct live_spot){.index = i,
	    .entry = spot.entry,
	    .pack = x->packs[spot.pack],
	    .segment = spot.segment};
	return 1;
}

/* The set's from the newest to the oldest, then those that were dropped. */
static uint32_t
in_turn(const struct live *l, uint32_t i)
{
	return i < l->nset ? l->nset - 1 - i : i;
}

static bool
is_among(const struct live *l, int n, uint32_t pack)
{
	for (int i = 0; i < n; i++)
		if (l->spots[i].pack == pack)
			return true;
	return false;
}

int
live_places(struct live *l, const struct chunk_name *name, struct err *err)
{
	struct live_spot spot, absent;
	bool listed = false;
	int n = 0;

	for (uint32_t i = 0; i < l->nindexes; i++) {
		int rc = ask(l, in_turn(l, i), name, &spot, err);

		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		if (!l->packs[spot.pack].there) {
			if (!listed)
				absent = spot;
			listed = true;
		} else if (!is_among(l, n, spot.pack)) {
			l->spots[n++] = spot;
		}
	}
	if (n == 0 && listed)
		l->spots[n++] = absent;
	return n;
}

static void
set_bit(struct live *l, const struct live_spot *at)
{
	l->indexes[at->index].bits[at->entry / LIVE_WORD_BITS] |=
	    UINT64_C(1) << (at->entry % LIVE_WORD_BITS);
}

/* How many of the ${n} places are live already. */
static int
already(struct live *l, int n, bool newest)
{
	int found = 0;

	for (int i = 0; i < n; i++) {
		const struct live_spot *at = &l->spots[i];

		if (!live_bit(l, at->index, at->entry))
			continue;
		found++;
		if (newest)
			l->packs[at->pack].newest = true;
	}
	return found;
}

/* Of several places, move the first that is true to the front: 1; or else 0. */
static int
prove_one(struct live *l, int n, const struct chunk_name *name, struct err *err)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < n; i++) {
		struct live_spot at = l->spots[i];

		rc = prove_place(l->prove, l->indexes[at.index].ix, name, err);
		if (rc == 1)
			l->spots[0] = at;
	}
	return rc;
}

int
live_mark(
    struct live *l, const struct chunk_name *name, bool newest, struct err *err)
{
	int n = live_places(l, name, err);
	int rc = 0;

	if (n < 0)
		return n;
	if (n == 0)
		return err_set(
		    err, ERR_NOT_FOUND, "no index of the dataset lists it");
	if (already(l, n, newest) > 0)
		return 0;
	if (n > 1)
		rc = prove_one(l, n, name, err);
	if (rc < 0)
		return rc;
	if (rc == 1)
		n = 1;
	for (int i = 0; i < n; i++)
		set_bit(l, &l->spots[i]);
	(void)already(l, n, newest);
	l->marked++;
	if (!l->packs[l->spots[0].pack].there)
		l->lost++;
	return 1;
}

int
live_anywhere(struct live *l, const struct chunk_name *name, struct err *err)
{
	struct live_spot spot = {0};

	for (uint32_t i = l->nindexes; i > 0; i--) {
		int rc = ask(l, i - 1, name, &spot, err);

		if (rc < 0)
			return rc;
		if (rc == 1 && live_bit(l, i - 1, spot.entry))
			return 1;
	}
	return 0;
}

/* --- counting ----------------------------------------------------------- */

struct counting {
	struct live *l;
	uint32_t index;
};

/*
 * An index_spot_fn. A pack that two indexes list has its chunks counted in the
 * later one, but for those that are live in the other.
 */
static int
count_entry(void *arg, UNUSED const struct chunk_name *name,
    const struct index_spot *spot, UNUSED struct err *err)
{
	const struct counting *c = arg;
	struct live *l = c->l;
	struct live_pack *p = &l->packs[l->indexes[c->index].packs[spot->pack]];
	struct live_segment *seg = &l->segments[p->first + spot->segment];
	bool live = live_bit(l, c->index, spot->entry);

	if (!live && p->index != c->index)
		return 0;
	p->chunks++;
	seg->chunks++;
	p->live += live;
	seg->live += live;
	return 0;
}

static uint64_t
dead_bytes(const struct live *l, const struct live_pack *p)
{
	uint64_t dead = 0;

	if (p->live == 0)
		return p->size;
	for (uint32_t i = 0; i < p->count; i++) {
		const struct live_segment *seg = &l->segments[p->first + i];

		if (seg->chunks > 0)
			dead += (uint64_t)seg->sealed_len *
				(seg->chunks - seg->live) / seg->chunks;
	}
	return dead;
}

int
live_count(struct live *l, struct err *err)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < l->nindexes; i++) {
		struct counting c = {.l = l, .index = i};

		rc = index_each_spot(l->indexes[i].ix, count_entry, &c, err);
	}
	for (uint32_t i = 0; rc == 0 && i < l->npacks; i++)
		l->packs[i].dead_bytes = dead_bytes(l, &l->packs[i]);
	return rc;
}
