/*
 * Indexes without what goes. An index that lists no pack that goes stays as it
 * is, unless it is one of many small ones; the others become one. What is dead
 * in packs that stay goes on being listed: a later backup may need it again.
 */
#include "snapshot/prune/prune_internal.h"

#include <stdlib.h>
#include <string.h>

#define SMALL ((size_t)64 << 10) /* entries */
#define SMALL_MAX 8              /* indexes of that kind that may stay */

/* --- which packs -------------------------------------------------------- */

/* What is taken of an index. */
struct taking {
	const struct live *live;
	uint32_t index;
	bool back; /* only packs that were taken back */
};

/* Of an index that was dropped from the set, only what no other lists. */
static bool
takes_pack(const struct live *l, uint32_t index, uint32_t number, bool back)
{
	const struct live_pack *p = &l->packs[number];

	if (index >= l->nset && p->index != index)
		return false;
	return back ? p->back : p->fate == LIVE_KEEP && !p->back;
}

static int
take_pack(void *arg, uint32_t pack, UNUSED struct err *err)
{
	const struct taking *t = arg;
	uint32_t number = t->live->indexes[t->index].packs[pack];

	return takes_pack(t->live, t->index, number, t->back);
}

/*
 * An index_spot_fn. Of a pack that is not there only what is needed, and is
 * nowhere else, is still listed: it must not hide another place.
 */
static int
take_entry(void *arg, UNUSED const struct chunk_name *name,
    const struct index_spot *spot, UNUSED struct err *err)
{
	const struct taking *t = arg;
	const struct live *l = t->live;
	uint32_t number = l->indexes[t->index].packs[spot->pack];

	return l->packs[number].there || live_bit(l, t->index, spot->entry);
}

/* --- which indexes ------------------------------------------------------ */

struct rewriting {
	struct prune *p;
	struct index_part *parts;
	struct taking *taking;
	size_t n;
};

static void
rewriting_clear(struct rewriting *r)
{
	free(r->parts);
	free(r->taking);
}
#define REWRITING_AUTO __attribute__((cleanup(rewriting_clear)))

static int
rewriting_init(struct rewriting *r, struct err *err)
{
	size_t n = (size_t)r->p->live.nindexes + 1;

	r->parts = calloc(n, sizeof(*r->parts));
	r->taking = calloc(n, sizeof(*r->taking));
	return r->parts == NULL || r->taking == NULL ? err_nomem(err) : 0;
}

/* How many of its packs are taken. */
static size_t
count_taken(const struct live *l, uint32_t index, bool back)
{
	const struct live_index *x = &l->indexes[index];
	size_t n = 0;

	for (size_t i = 0; i < x->npacks; i++)
		n += takes_pack(l, index, x->packs[i], back);
	return n;
}

static void
add_part(struct rewriting *r, uint32_t index, bool back)
{
	struct live *l = &r->p->live;

	if (count_taken(l, index, back) == 0)
		return;
	r->taking[r->n] =
	    (struct taking){.live = l, .index = index, .back = back};
	r->parts[r->n] = (struct index_part){
	    .ix = l->indexes[index].ix,
	    .pack = take_pack,
	    .entry = back ? NULL : take_entry,
	    .arg = &r->taking[r->n],
	};
	r->n++;
}

/* ${rc} is index_join_some()'s. */
static int
add_written(
    struct prune *p, int rc, const struct object_ref *ref, struct err *err)
{
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return names_add(&p->set, ref->name, err);
}

static int
write_parts(struct rewriting *r, struct err *err)
{
	struct prune *p = r->p;
	struct object_ref ref;
	int rc;

	if (r->n == 0)
		return 0;
	rc = index_join_some(
	    p->store, keyring_latest(p->ds->keys), r->parts, r->n, &ref, err);
	return add_written(p, rc, &ref, err);
}

static bool
is_whole(const struct live *l, uint32_t index)
{
	return count_taken(l, index, false) == l->indexes[index].npacks;
}

static size_t
count_small(const struct live *l)
{
	size_t n = 0;

	for (uint32_t i = 0; i < l->nindexes; i++)
		n += is_whole(l, i) && index_entries(l->indexes[i].ix) < SMALL;
	return n;
}

int
rewrite_indexes(struct prune *p, struct err *err)
{
	REWRITING_AUTO struct rewriting r = {.p = p};
	const struct live *l = &p->live;
	bool merge = count_small(l) > SMALL_MAX;
	int rc = rewriting_init(&r, err);

	for (uint32_t i = 0; rc == 0 && i < l->nindexes; i++) {
		const struct live_index *x = &l->indexes[i];
		bool small = index_entries(x->ix) < SMALL;

		if (is_whole(l, i) && !(small && merge))
			rc = names_add(&p->set, x->name, err);
		else
			add_part(&r, i, false);
	}
	return rc == 0 ? write_parts(&r, err) : rc;
}

/* --- when the log has moved on ------------------------------------------ */

/* The packs of an index that came since. */
struct later {
	const struct live *live;
	struct names packs; /* in the index's order */
	size_t going;
};

static bool
is_going(const struct live *l, const uint8_t name[OBJECT_NAME_LEN])
{
	uint32_t number = live_pack_number(l, name);

	return number != LIVE_NONE && l->packs[number].fate != LIVE_KEEP;
}

/* An index_pack_fn. */
static int
list_pack(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, UNUSED const struct segment_place *places,
    UNUSED size_t n, struct err *err)
{
	struct later *x = arg;

	x->going += is_going(x->live, ref->name);
	return names_add(&x->packs, ref->name, err);
}

static int
take_later(void *arg, uint32_t pack, UNUSED struct err *err)
{
	const struct later *x = arg;

	return !is_going(x->live, x->packs.v[pack]);
}

static int
write_later(struct prune *p, struct later *x, struct index *ix, struct err *err)
{
	struct index_part part = {.ix = ix, .pack = take_later, .arg = x};
	struct object_ref ref;
	int rc = index_join_some(
	    p->store, keyring_latest(p->ds->keys), &part, 1, &ref, err);

	return add_written(p, rc, &ref, err);
}

/* A run has taken small indexes into its own, and packs that go with them. */
static int
add_later(struct prune *p, const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	AUTO(index) struct index *ix = NULL;
	struct later x = {.live = &p->live};
	struct object_ref ref;
	int rc;

	prune_ref(p, OBJECT_INDEX, name, &ref);
	rc = index_open(p->store, &ref, p->ds->keys, &ix, err);
	if (rc == 0)
		rc = index_each_pack(ix, list_pack, &x, err);
	if (rc == 0 && x.going == 0)
		rc = names_add(&p->set, name, err);
	else if (rc == 0)
		rc = write_later(p, &x, ix, err);
	names_clear(&x.packs);
	return rc;
}

/* What was in the set, and a run has taken into its own. */
static void
drop_taken_in(struct prune *p, const struct names *now)
{
	size_t n = 0;

	for (size_t i = 0; i < p->set.n; i++) {
		const uint8_t *name = p->set.v[i];

		if (!names_have(&p->were, name) || names_have(now, name))
			memmove(p->set.v[n++], name, OBJECT_NAME_LEN);
	}
	p->set.n = n;
}

int
rewrite_later(struct prune *p, struct err *err)
{
	REWRITING_AUTO struct rewriting r = {.p = p};
	struct names now = {0};
	int rc = 0;

	now.v = (uint8_t(*)[OBJECT_NAME_LEN])log_indexes(p->log, &now.n);
	drop_taken_in(p, &now);
	for (size_t i = 0; rc == 0 && i < now.n; i++)
		if (!names_have(&p->were, now.v[i]))
			rc = add_later(p, now.v[i], err);
	if (rc == 0)
		rc = rewriting_init(&r, err);
	for (uint32_t i = 0; rc == 0 && i < p->live.nindexes; i++)
		add_part(&r, i, true);
	return rc == 0 ? write_parts(&r, err) : rc;
}
