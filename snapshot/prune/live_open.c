#include "snapshot/prune/live.h"

#include "crypto/bytes.h"

#include <stdlib.h>
#include <string.h>

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

/* What to do about it is the same, whatever is wrong with it. */
static int
tell_unreadable(int rc, struct err *err)
{
	if (err != NULL &&
	    (rc == ERR_NOT_FOUND || rc == ERR_AUTH || rc == ERR_CORRUPT))
		(void)err_wrap(err,
		    "without an index it can't be told what is needed ('varve "
		    "repair --from SITE' fetches it)");
	return rc;
}

static int
read_index(struct live *l, struct live_index *x, const struct object_ref *ref,
    const struct present *there, struct err *err)
{
	struct opening o = {.l = l, .x = x, .there = there};
	int rc =
	    index_open_sharing(l->store, ref, l->kr, l->pages, &x->ix, err);

	if (rc != 0)
		return tell_unreadable(rc, err);
	x->bits =
	    calloc(index_entries(x->ix) / LIVE_WORD_BITS + 1, sizeof(*x->bits));
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
