/* What a pack holds, against the names in it and against the indexes. */
#include "snapshot/check/check_share.h"

#include <stdlib.h>

int
opener_init(struct opener *o, struct scope *s, struct pack_openers *openers,
    struct shares *shares, struct err *err)
{
	const struct keyset *ks = keyring_latest(s->ds->keys);

	o->s = s;
	o->openers = openers;
	o->shares = shares;
	return namer_new(&ks->id, &o->namer, err);
}

void
opener_clear(struct opener *o)
{
	namer_free(o->namer);
	free(o->held.v);
	free(o->found.v);
	memset(o, 0, sizeof(*o));
}

/* --- the chunks found --------------------------------------------------- */

static int
held_reserve(struct held_list *l, size_t n, struct err *err)
{
	size_t cap = l->cap == 0 ? 4096 : l->cap;
	struct held *v;

	if (n <= l->cap - l->n)
		return 0;
	while (cap - l->n < n)
		cap *= 2;
	v = reallocarray(l->v, cap, sizeof(*v));
	if (v == NULL)
		return err_nomem(err);
	l->v = v;
	l->cap = cap;
	return 0;
}

int
held_add(struct held_list *l, const struct chunk_name *name, uint32_t segment,
    struct err *err)
{
	int rc = held_reserve(l, 1, err);

	if (rc == 0)
		l->v[l->n++] = (struct held){.name = *name, .segment = segment};
	return rc;
}

int
held_join(struct held_list *l, const struct held_list *other, struct err *err)
{
	int rc = held_reserve(l, other->n, err);

	if (rc == 0 && other->n > 0) {
		memcpy(l->v + l->n, other->v, other->n * sizeof(*l->v));
		l->n += other->n;
	}
	return rc;
}

/* --- against an index --------------------------------------------------- */

/* The search for an index's first entry that is wrong about a pack. */
struct search {
	const struct opener *o;
	const struct job *job;
	struct held wrong;
};
#define FOUND 1

static int
compare_held(const void *a, const void *b)
{
	const struct held *x = a;
	const struct held *y = b;
	int order = memcmp(&x->name, &y->name, sizeof(x->name));

	return order != 0
		   ? order
		   : (x->segment > y->segment) - (x->segment < y->segment);
}

static int
is_wrong(void *arg, const struct chunk_name *name,
    const struct chunk_place *place, UNUSED struct err *err)
{
	struct search *s = arg;
	struct held key = {.name = *name, .segment = place->segment.number};

	if (memcmp(place->pack, s->job->ref.name, OBJECT_NAME_LEN) != 0 ||
	    bsearch(&key, s->o->held.v, s->o->held.n, sizeof(key),
		compare_held) != NULL)
		return 0;
	s->wrong = key;
	return FOUND;
}

/*
 * The sums differ. That may be harmless: of a chunk that is stored twice an
 * index lists one place.
 */
static int
search_entry(struct opener *o, const struct job *job,
    const struct object_ref *ref, struct err *err)
{
	AUTO(index) struct index *ix = NULL;
	struct search s = {.o = o, .job = job};
	char text[CONTENT_NAME_TEXT], pack[OBJECT_REF_TEXT];
	int rc;

	qsort(o->held.v, o->held.n, sizeof(*o->held.v), compare_held);
	rc = index_open(o->s->c->store, ref, o->s->ds->keys, &ix, err);
	if (rc == 0)
		rc = index_each(ix, is_wrong, &s, err);
	if (rc != FOUND)
		return rc;
	content_name_text(&s.wrong.name, text);
	object_ref_text(&job->ref, pack);
	return err_set(err, ERR_CORRUPT,
	    "it says that chunk '%s' lies in segment %u of pack '%s', which "
	    "does not hold it",
	    text, s.wrong.segment, pack);
}

static int
compare_index(struct opener *o, const struct job *job, const struct listed *l,
    uint64_t sum, const struct object_ref *ref, struct err *err)
{
	if (l->chunks == o->held.n && l->sum == sum)
		return 0;
	return search_entry(o, job, ref, err);
}

static int
compare_places(const struct pack *pack, const struct listed *l, uint64_t places,
    size_t n, const struct job *job, struct err *err)
{
	char text[OBJECT_REF_TEXT];

	if (l->segments == n && l->places == places &&
	    l->kind == pack_get_kind(pack))
		return 0;
	object_ref_text(&job->ref, text);
	return err_set(err, ERR_CORRUPT,
	    "it lists other segments of pack '%s' than there are", text);
}

static int
check_listings(struct opener *o, const struct job *job, const struct pack *pack,
    const struct segment_place *places, size_t n, struct err *err)
{
	struct scope *s = o->s;
	const struct mix *mix = &s->c->mix;
	uint64_t where = 0, sum = 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		where = mix_place(mix, where, &places[i]);
	for (size_t i = 0; i < o->held.n; i++)
		sum += mix_chunk(mix, &o->held.v[i].name, o->held.v[i].segment);
	for (size_t i = 0; rc == 0 && i < job->n; i++) {
		struct listed *l = &s->listed[job->first + i];
		struct object_ref ref;
		struct err why;

		if (!l->entire)
			continue;
		scope_ref(s, OBJECT_INDEX, s->indexes[l->index], &ref);
		rc = compare_places(pack, l, where, n, job, &why);
		if (rc == 0)
			rc = compare_index(o, job, l, sum, &ref, &why);
		l->doubtful |= rc != 0;
		rc = check_pass_over(s->c, &ref, rc, &why, err);
	}
	return rc;
}

/* --- the pack ----------------------------------------------------------- */

int
check_pack(struct opener *o, const struct job *job, struct err *err)
{
	AUTO(pack) struct pack *pack = NULL;
	struct segment_place *places = NULL;
	size_t n;
	int rc;

	rc = pack_open(o->s->c->store, o->openers, &job->ref, &pack, err);
	if (rc == 0)
		rc = pack_table(pack, &places, &n, err);
	if (rc == 0)
		rc = shares_open(o->shares, o, pack, places, n, err);
	if (rc == 0)
		rc = check_listings(o, job, pack, places, n, err);
	free(places);
	return rc;
}
