#include "snapshot/prune/live.h"

#include "crypto/bytes.h"

#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64
#define PAGES 2048 /* of indexes, kept open: 18 MiB */

/* --- packs -------------------------------------------------------------- */

/* Object names are hashes: any bytes of them spread well over the table. */
static size_t
slot_of(const struct live *l, const uint8_t name[OBJECT_NAME_LEN])
{
	struct rd r = rd_init(name, OBJECT_NAME_LEN);
	size_t at = rd_u32(&r) & (l->nslots - 1);

	while (l->slots[at] != LIVE_NONE &&
	       memcmp(l->packs[l->slots[at]].name, name, OBJECT_NAME_LEN) != 0)
		at = (at + 1) & (l->nslots - 1);
	return at;
}

uint32_t
live_pack_number(const struct live *l, const uint8_t name[OBJECT_NAME_LEN])
{
	return l->nslots == 0 ? LIVE_NONE : l->slots[slot_of(l, name)];
}

/* Keep the table at most half full. */
static int
grow_slots(struct live *l, struct err *err)
{
	size_t nslots = l->nslots == 0 ? 256 : 2 * l->nslots;
	uint32_t *slots;

	if (2 * ((size_t)l->npacks + 1) <= l->nslots)
		return 0;
	slots = malloc(nslots * sizeof(*slots));
	if (slots == NULL)
		return err_nomem(err);
	memset(slots, 0xff, nslots * sizeof(*slots));
	free(l->slots);
	l->slots = slots;
	l->nslots = nslots;
	for (uint32_t i = 0; i < l->npacks; i++)
		slots[slot_of(l, l->packs[i].name)] = i;
	return 0;
}

static int
grow(void *array, uint32_t n, uint32_t more, uint32_t *cap, size_t size,
    struct err *err)
{
	void **v = array, *bigger;
	uint64_t want = *cap < 256 ? 256 : *cap;

	if (more <= *cap - n)
		return 0;
	while (want < (uint64_t)n + more)
		want *= 2;
	if (want > UINT32_MAX)
		return err_set(err, ERR_USAGE, "too many packs to prune");
	bigger = reallocarray(*v, want, size);
	if (bigger == NULL)
		return err_nomem(err);
	*v = bigger;
	*cap = (uint32_t)want;
	return 0;
}

static int
add_segments(struct live *l, struct live_pack *p,
    const struct segment_place *places, size_t n, struct err *err)
{
	int rc = grow(&l->segments, l->nsegments, (uint32_t)n, &l->segments_cap,
	    sizeof(*l->segments), err);

	if (rc != 0)
		return rc;
	p->first = l->nsegments;
	p->count = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		l->segments[l->nsegments++] =
		    (struct live_segment){.sealed_len = places[i].sealed_len};
	return 0;
}

static int
add_pack(struct live *l, const struct object_ref *ref, uint64_t size,
    enum pack_kind kind, const struct segment_place *places, size_t n,
    struct err *err)
{
	struct live_pack *p;
	int rc = grow_slots(l, err);

	if (rc == 0)
		rc = grow(&l->packs, l->npacks, 1, &l->packs_cap,
		    sizeof(*l->packs), err);
	if (rc != 0)
		return rc;
	p = &l->packs[l->npacks];
	*p = (struct live_pack){.size = size, .kind = kind};
	memcpy(p->name, ref->name, sizeof(p->name));
	rc = add_segments(l, p, places, n, err);
	if (rc == 0)
		l->slots[slot_of(l, p->name)] = l->npacks++;
	return rc;
}

struct opening {
	struct live *l;
	struct live_index *x;
	const struct present *there;
};

/* An index_pack_fn. */
static int
list_pack(void *arg, const struct object_ref *ref, uint64_t size,
    enum pack_kind kind, const struct segment_place *places, size_t n,
    struct err *err)
{
	struct opening *o = arg;
	struct live *l = o->l;
	const struct present_object *found = present_find(o->there, ref->name);
	uint32_t number = live_pack_number(l, ref->name);
	bool fresh = number == LIVE_NONE;
	struct live_pack *p;
	uint32_t index;
	int rc;

	if (fresh) {
		number = l->npacks;
		rc = add_pack(l, ref, size, kind, places, n, err);
		if (rc != 0)
			return rc;
	}
	p = &l->packs[number];
	if (p->size != size || p->kind != kind || p->count != n)
		return err_set(
		    err, ERR_CORRUPT, "two indexes list a pack in two ways");
	index = (uint32_t)(o->x - l->indexes);
	if (fresh || index < l->nset)
		p->index = index;
	p->there = found != NULL && found->size == size;
	o->x->packs[o->x->npacks++] = number;
	return 0;
}

/* --- indexes ------------------------------------------------------------ */

static int
read_index(struct live *l, struct live_index *x, const struct object_ref *ref,
    const struct present *there, struct err *err)
{
	struct opening o = {.l = l, .x = x, .there = there};
	int rc =
	    index_open_sharing(l->store, ref, l->kr, l->pages, &x->ix, err);

	if (rc != 0)
		return rc;
	x->bits =
	    calloc(index_entries(x->ix) / WORD_BITS + 1, sizeof(*x->bits));
	x->packs = calloc(index_packs(x->ix), sizeof(*x->packs));
	if (x->bits == NULL || x->packs == NULL)
		return err_nomem(err);
	return index_each_pack(x->ix, list_pack, &o, err);
}

/* The log names it: one that can't be read is damage, and so is a lost one. */
static int
open_index(struct live *l, const uint8_t name[OBJECT_NAME_LEN],
    const struct present *there, struct err *err)
{
	struct live_index *x = &l->indexes[l->nindexes++];
	struct object_ref ref = {.cls = OBJECT_INDEX};
	int rc;

	memset(x, 0, sizeof(*x));
	memcpy(ref.dataset, l->dataset, sizeof(ref.dataset));
	memcpy(ref.name, name, sizeof(ref.name));
	memcpy(x->name, name, sizeof(x->name));
	rc = read_index(l, x, &ref, there, err);
	if (rc == ERR_NOT_FOUND || rc == ERR_AUTH) {
		if (err != NULL)
			err->code = ERR_CORRUPT;
		rc = ERR_CORRUPT;
	}
	return rc;
}

static int
reserve_indexes(struct live *l, uint32_t n, struct err *err)
{
	struct live_index *v = reallocarray(l->indexes, n, sizeof(*v));
	struct live_spot *spots = NULL;

	if (v != NULL) {
		l->indexes = v;
		spots = reallocarray(l->spots, n, sizeof(*spots));
	}
	if (spots == NULL)
		return err_nomem(err);
	l->spots = spots;
	return 0;
}

int
live_open(struct live *l, const uint8_t (*names)[OBJECT_NAME_LEN], size_t n,
    const struct present *there, struct err *err)
{
	int rc = index_pages_new(PAGES, &l->pages, err);

	if (rc == 0)
		rc = prove_new(l->store, l->kr, &l->prove, err);
	if (rc == 0)
		rc = reserve_indexes(l, (uint32_t)n + 1, err);
	l->nset = (uint32_t)n;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = open_index(l, names[i], there, err);
	return rc;
}

int
live_open_dropped(struct live *l, const uint8_t name[OBJECT_NAME_LEN],
    const struct present *there, struct err *err)
{
	int rc = reserve_indexes(l, l->nindexes + 1, err);

	return rc == 0 ? open_index(l, name, there, err) : rc;
}

void
live_clear(struct live *l)
{
	for (uint32_t i = 0; i < l->nindexes; i++) {
		index_close(l->indexes[i].ix);
		free(l->indexes[i].bits);
		free(l->indexes[i].packs);
	}
	free(l->indexes);
	free(l->spots);
	prove_free(l->prove);
	index_pages_free(l->pages);
	free(l->packs);
	free(l->slots);
	free(l->segments);
	memset(l, 0, sizeof(*l));
}

/* --- chunks ------------------------------------------------------------- */

bool
live_bit(const struct live *l, uint32_t index, size_t entry)
{
	const uint64_t *bits = l->indexes[index].bits;

	return (bits[entry / WORD_BITS] >> (entry % WORD_BITS) & 1) != 0;
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
	l->indexes[at->index].bits[at->entry / WORD_BITS] |=
	    UINT64_C(1) << (at->entry % WORD_BITS);
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
