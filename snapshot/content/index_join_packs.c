/* The packs of many indexes, numbered anew. */
#include "snapshot/content/index_join_internal.h"

#include <stdlib.h>
#include <string.h>

/* A pack that an index lists. */
struct listing {
	const struct index_pack *p;
	uint32_t part, pack;
};

static int
compare_listings(const void *a, const void *b)
{
	const struct listing *x = a, *y = b;
	int order = memcmp(x->p->name, y->p->name, OBJECT_NAME_LEN);

	return order != 0 ? order : (x->part > y->part) - (x->part < y->part);
}

static bool
same_pack(const struct listing *a, const struct listing *b)
{
	return memcmp(a->p->name, b->p->name, OBJECT_NAME_LEN) == 0;
}

/* Those of a part's packs that are taken. */
static int
take_packs(const struct index_join *j, uint32_t at, struct listing *v,
    size_t *n, struct err *err)
{
	const struct join_part *part = &j->parts[at];
	const struct index_summary *s = &part->ix->sum;

	for (uint32_t k = 0; k < s->npacks; k++) {
		int take = 1;

		if (part->want->pack != NULL)
			take = part->want->pack(part->want->arg, k, err);
		if (take < 0)
			return take;
		if (take > 0)
			v[(*n)++] = (struct listing){&s->packs[k], at, k};
		else
			part->numbers[k] = INDEX_JOIN_LEFT_OUT;
	}
	return 0;
}

/* The packs of all indexes, sorted by name. */
static int
list_packs(const struct index_join *j, struct listing **out, size_t *n,
    struct err *err)
{
	size_t total = 0;
	int rc = 0;

	*n = 0;
	for (size_t i = 0; i < j->n; i++)
		total += j->parts[i].ix->sum.npacks;
	*out = calloc(total, sizeof(**out));
	if (*out == NULL)
		return err_nomem(err);
	for (size_t i = 0; rc == 0 && i < j->n; i++)
		rc = take_packs(j, (uint32_t)i, *out, n, err);
	if (rc == 0)
		qsort(*out, *n, sizeof(**out), compare_listings);
	return rc;
}

/* Mark those that an earlier index lists; they must say the same. */
static int
mark_doubles(
    struct index_join *j, const struct listing *v, size_t n, struct err *err)
{
	for (size_t i = 1; i < n; i++) {
		const struct index_pack *p = v[i].p, *q = v[i - 1].p;

		if (!same_pack(&v[i], &v[i - 1]))
			continue;
		if (p->size != q->size || p->kind != q->kind || p->n != q->n)
			return err_set(err, ERR_CORRUPT,
			    "two indexes list a pack in two ways");
		j->parts[v[i].part].numbers[v[i].pack] = INDEX_JOIN_DOUBLE;
	}
	return 0;
}

static int
add_packs(struct index_join *j, struct join_part *part, uint64_t *segments,
    struct err *err)
{
	const struct index_summary *s = &part->ix->sum;

	for (size_t i = 0; i < s->npacks; i++) {
		struct index_pack *p = &j->packs[j->npacks];

		if (part->numbers[i] == INDEX_JOIN_DOUBLE ||
		    part->numbers[i] == INDEX_JOIN_LEFT_OUT)
			continue;
		*p = s->packs[i];
		p->first = (uint32_t)*segments;
		*segments += p->n;
		part->numbers[i] = (uint32_t)j->npacks++;
	}
	return *segments <= UINT32_MAX
		   ? 0
		   : err_set(err, ERR_USAGE, "too much for one index");
}

static int
number_packs(
    struct index_join *j, const struct listing *v, size_t n, struct err *err)
{
	uint64_t segments = 0;
	int rc = mark_doubles(j, v, n, err);

	j->packs = calloc(n, sizeof(*j->packs));
	if (rc == 0 && j->packs == NULL)
		rc = err_nomem(err);
	for (size_t i = 0; rc == 0 && i < j->n; i++)
		rc = add_packs(j, &j->parts[i], &segments, err);
	for (size_t i = 1; rc == 0 && i < n; i++)
		if (same_pack(&v[i], &v[i - 1]))
			j->parts[v[i].part].numbers[v[i].pack] =
			    j->parts[v[i - 1].part].numbers[v[i - 1].pack];
	return rc;
}

int
index_join_packs(struct index_join *j, struct err *err)
{
	struct listing *v;
	size_t n;
	int rc = list_packs(j, &v, &n, err);

	if (rc == 0)
		rc = number_packs(j, v, n, err);
	free(v);
	return rc;
}
