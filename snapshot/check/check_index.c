/*
 * The indexes that the newest record names: they locate all that any snapshot
 * needs. Of each, every page is read; what it says of packs is kept in short.
 */
#include "snapshot/check/check_internal.h"

#include <stdlib.h>

/* How often, in entries, somebody may ask for a stop. */
#define STOP_EVERY 65536

/* An index while it is looked at. */
struct looking {
	struct scope *s;
	uint32_t number;
	size_t first;     /* in the scope's listed: its packs */
	uint64_t entries; /* so far */
};

/* --- what it lists ------------------------------------------------------ */

static int
listed_reserve(struct scope *s, struct err *err)
{
	size_t cap = s->listed_cap == 0 ? 256 : 2 * s->listed_cap;
	struct listed *v;

	if (s->nlisted < s->listed_cap)
		return 0;
	v = reallocarray(s->listed, cap, sizeof(*v));
	if (v == NULL)
		return err_nomem(err);
	s->listed = v;
	s->listed_cap = cap;
	return 0;
}

static int
add_pack(void *arg, const struct object_ref *ref, uint64_t size,
    enum pack_kind kind, const struct segment_place *places, size_t n,
    struct err *err)
{
	struct looking *l = arg;
	struct scope *s = l->s;
	struct listed *p;
	int rc = listed_reserve(s, err);

	if (rc != 0)
		return rc;
	p = &s->listed[s->nlisted++];
	*p = (struct listed){.index = l->number,
	    .size = (uint32_t)size,
	    .kind = kind,
	    .segments = (uint32_t)n};
	memcpy(p->name, ref->name, sizeof(p->name));
	for (size_t i = 0; i < n; i++)
		p->places = mix_place(&s->c->mix, p->places, &places[i]);
	return 0;
}

static int
add_entry(void *arg, const struct chunk_name *name,
    const struct chunk_place *place, struct err *err)
{
	struct looking *l = arg;
	struct check *c = l->s->c;
	size_t n;
	struct listed *p = listed_find(l->s, l->first, place->pack, &n);

	p->chunks++;
	p->sum += mix_chunk(&c->mix, name, place->segment.number);
	c->out->chunks++;
	return ++l->entries % STOP_EVERY == 0 ? check_stopped(c, err) : 0;
}

static int
check_once_each(const struct looking *l, struct err *err)
{
	const struct scope *s = l->s;

	for (size_t i = l->first + 1; i < s->nlisted; i++)
		if (memcmp(s->listed[i - 1].name, s->listed[i].name,
			OBJECT_NAME_LEN) == 0)
			return err_set(
			    err, ERR_CORRUPT, "it lists a pack twice");
	return 0;
}

static int
read_entries(struct looking *l, const struct object_ref *ref, struct err *err)
{
	AUTO(index) struct index *ix = NULL;
	const struct scope *s = l->s;
	int rc = index_open(s->c->store, ref, s->ds->keys, &ix, err);

	if (rc == 0)
		rc = index_each_pack(ix, add_pack, l, err);
	listed_sort(l->s, l->first);
	if (rc == 0)
		rc = check_once_each(l, err);
	if (rc == 0)
		rc = index_each(ix, add_entry, l, err);
	for (size_t i = l->first; rc == 0 && i < s->nlisted; i++)
		s->listed[i].entire = true;
	return rc;
}

/* --- the index ---------------------------------------------------------- */

static int
read_index(struct looking *l, struct reader *r, const struct object_ref *ref,
    struct err *err)
{
	struct scope *s = l->s;
	struct err more;
	uint64_t size;
	int rc, rc2;

	rc = store_size(s->c->store, ref, &size, err);
	if (rc == ERR_NOT_FOUND)
		return err_set(err, rc, "missing");
	if (rc != 0)
		return rc;
	check_expect(s->c, size);
	rc = check_object(s->c, r, ref, size, err);
	if (check_fatal(rc))
		return rc;
	/* One that is damaged in places still tells of others. */
	rc2 = read_entries(l, ref, &more);
	if (check_fatal(rc2) || (rc == 0 && rc2 != 0))
		return err_copy(err, &more);
	return rc;
}

/* A key that was given later epochs only can't look into the indexes before. */
static bool
not_for_us(const struct scope *s, int rc, const struct err *why)
{
	return rc == ERR_DENIED && why->errnum == 0 && !s->ds->may_read;
}

static int
check_index(struct scope *s, struct reader *r, uint32_t i, struct err *err)
{
	struct looking l = {.s = s, .number = i, .first = s->nlisted};
	struct object_ref ref;
	struct err why;
	int rc;

	scope_ref(s, OBJECT_INDEX, s->indexes[i], &ref);
	rc = read_index(&l, r, &ref, &why);
	if (rc == 0)
		return 0;
	s->partial = true;
	if (not_for_us(s, rc, &why))
		return 0;
	if (!s->has_lost)
		s->lost = ref;
	s->has_lost = true;
	return check_pass_over(s->c, &ref, rc, &why, err);
}

int
check_indexes(struct scope *s, struct err *err)
{
	READER_AUTO struct reader r = {0};
	int rc = reader_init(&r, err);

	for (size_t i = 0; rc == 0 && i < s->nindexes; i++)
		rc = check_index(s, &r, (uint32_t)i, err);
	listed_sort(s, 0);
	return rc;
}

/* --- without keys ------------------------------------------------------- */

/* An index_listed_fn. */
static int
add_listed(void *arg, const struct object_ref *ref, uint64_t size,
    enum pack_kind kind, struct err *err)
{
	struct looking *l = arg;
	struct scope *s = l->s;
	int rc = listed_reserve(s, err);

	if (rc != 0)
		return rc;
	s->listed[s->nlisted] = (struct listed){
	    .index = l->number, .size = (uint32_t)size, .kind = kind};
	memcpy(s->listed[s->nlisted++].name, ref->name, OBJECT_NAME_LEN);
	return 0;
}

static const struct job *
find_job(const struct jobs *jobs, const uint8_t name[OBJECT_NAME_LEN])
{
	for (size_t i = 0; i < jobs->n; i++)
		if (memcmp(jobs->v[i].ref.name, name, OBJECT_NAME_LEN) == 0)
			return &jobs->v[i];
	return NULL;
}

/* One whose bytes are damaged has been told of, and may list anything. */
static int
check_listed(
    struct scope *s, uint32_t i, const struct jobs *jobs, struct err *err)
{
	struct looking l = {.s = s, .number = i};
	const struct job *job = find_job(jobs, s->indexes[i]);
	struct object_ref ref;
	struct err why;
	int rc;

	if (job != NULL && job->damaged)
		return 0;
	scope_ref(s, OBJECT_INDEX, s->indexes[i], &ref);
	rc = index_peek(s->c->store, &ref, add_listed, &l, &why);
	if (rc == ERR_NOT_FOUND)
		(void)err_set(&why, rc, "missing");
	return check_pass_over(s->c, &ref, rc, &why, err);
}

int
check_indexes_listed(struct scope *s, const struct jobs *jobs, struct err *err)
{
	int rc = 0;

	/* What an older record names may have gone. */
	for (size_t i = 0; rc == 0 && !s->partial && i < s->nindexes; i++)
		rc = check_listed(s, (uint32_t)i, jobs, err);
	listed_sort(s, 0);
	return rc;
}
