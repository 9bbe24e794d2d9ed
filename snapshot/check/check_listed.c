/* The packs that the indexes list, against those that are in the store. */
#include "snapshot/check/check_internal.h"

#include <stdlib.h>

/* --- listed ------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	const struct listed *x = a;
	const struct listed *y = b;
	int order = memcmp(x->name, y->name, sizeof(x->name));

	return order != 0 ? order
			  : (x->index > y->index) - (x->index < y->index);
}

void
listed_sort(struct scope *s, size_t first)
{
	if (s->nlisted - first > 1)
		qsort(&s->listed[first], s->nlisted - first, sizeof(*s->listed),
		    by_name);
}

struct listed *
listed_find(const struct scope *s, size_t first,
    const uint8_t name[OBJECT_NAME_LEN], size_t *n)
{
	size_t lo = first, hi = s->nlisted;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(s->listed[mid].name, name, OBJECT_NAME_LEN) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*n = 0;
	while (lo + *n < s->nlisted &&
	       memcmp(s->listed[lo + *n].name, name, OBJECT_NAME_LEN) == 0)
		++*n;
	return *n > 0 ? &s->listed[lo] : NULL;
}

/* --- jobs --------------------------------------------------------------- */

void
jobs_clear(struct jobs *jobs)
{
	free(jobs->v);
	memset(jobs, 0, sizeof(*jobs));
}

struct listing {
	struct scope *s;
	struct jobs *jobs;
};

static int
add_job(void *arg, const struct object_ref *ref, uint64_t size, struct err *err)
{
	const struct listing *l = arg;
	struct jobs *jobs = l->jobs;

	if (jobs->n == jobs->cap) {
		size_t cap = jobs->cap == 0 ? 256 : 2 * jobs->cap;
		struct job *v = reallocarray(jobs->v, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		jobs->v = v;
		jobs->cap = cap;
	}
	jobs->v[jobs->n++] = (struct job){.ref = *ref, .size = size};
	return check_stopped(l->s->c, err);
}

int
jobs_list(
    struct scope *s, enum object_class cls, struct jobs *jobs, struct err *err)
{
	struct listing l = {.s = s, .jobs = jobs};
	struct err why;
	int rc = store_list(s->c->store, cls, s->id, add_job, &l, &why);

	s->partial |= rc != 0;
	return check_unlisted(s->c, cls, s->id, rc, &why, err);
}

/* --- comparing ---------------------------------------------------------- */

static void
check_size(struct scope *s, const struct job *job)
{
	struct listed *p = &s->listed[job->first];
	bool same = true;

	for (size_t i = 0; i < job->n; i++) {
		p[i].there = true;
		same &= p[i].size == job->size;
	}
	/* Damaged bytes have been told of, if they were read before this. */
	if (same || job->damaged)
		return;
	for (size_t i = 0; i < job->n; i++)
		p[i].doubtful = true;
	check_say(s->c, &job->ref, "it has %ju bytes where %u are listed",
	    (uintmax_t)job->size, p->size);
}

static void
match(struct scope *s, struct job *job, uint64_t *unlisted)
{
	const struct listed *p = listed_find(s, 0, job->ref.name, &job->n);

	if (p == NULL) {
		++*unlisted;
		return;
	}
	job->first = (size_t)(p - s->listed);
	check_size(s, job);
}

/* Asked for by name: the listing may have failed half way. */
static int
check_missing(struct scope *s, struct listed *p, bool again, struct err *err)
{
	struct object_ref ref;
	struct err why;
	uint64_t size;
	int rc;

	scope_ref(s, OBJECT_PACK, p->name, &ref);
	rc = store_size(s->c->store, &ref, &size, &why);
	p->there = rc == 0;
	p->doubtful = rc != 0;
	if (rc == ERR_NOT_FOUND)
		(void)err_set(&why, rc, "missing");
	return again ? 0 : check_pass_over(s->c, &ref, rc, &why, err);
}

static int
find_missing(struct scope *s, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->nlisted; i++) {
		struct listed *p = &s->listed[i];
		bool again =
		    i > 0 && memcmp(p[-1].name, p->name, sizeof(p->name)) == 0;

		if (!p->there)
			rc = check_missing(s, p, again, err);
	}
	return rc;
}

static bool
is_named(const struct scope *s, const uint8_t name[OBJECT_NAME_LEN])
{
	for (size_t i = 0; i < s->nindexes; i++)
		if (memcmp(s->indexes[i], name, OBJECT_NAME_LEN) == 0)
			return true;
	return false;
}

/* Nothing looks into those, but every byte means theirs, too. */
static int
read_unnamed(struct scope *s, struct jobs *indexes, struct err *err)
{
	for (size_t i = 0; i < indexes->n; i++)
		check_expect(s->c, indexes->v[i].size);
	return check_bytes(s, indexes, false, err);
}

static int
count_indexes(struct scope *s, uint64_t *unnamed, struct err *err)
{
	struct jobs indexes = {0};
	int rc = jobs_list(s, OBJECT_INDEX, &indexes, err);
	size_t n = 0;

	for (size_t i = 0; i < indexes.n; i++)
		if (!is_named(s, indexes.v[i].ref.name))
			indexes.v[n++] = indexes.v[i];
	indexes.n = n;
	*unnamed += n;
	if (rc == 0 && n > 0 && s->c->opt->depth == CHECK_READ_DATA)
		rc = read_unnamed(s, &indexes, err);
	jobs_clear(&indexes);
	return rc;
}

static uint64_t
match_all(struct scope *s)
{
	uint64_t unlisted = 0;

	for (size_t i = 0; i < s->packs.n; i++)
		match(s, &s->packs.v[i], &unlisted);
	return unlisted;
}

int
listed_packs(struct scope *s, struct err *err)
{
	(void)match_all(s);
	return find_missing(s, err);
}

int
listed_compare(struct scope *s, struct err *err)
{
	uint64_t unreferenced = 0;
	int rc = count_indexes(s, &unreferenced, err);

	if (rc == 0)
		rc = jobs_list(s, OBJECT_PACK, &s->packs, err);
	if (rc != 0)
		return rc;
	unreferenced += match_all(s);
	if (!s->partial)
		s->c->out->unreferenced += unreferenced;
	return find_missing(s, err);
}
