/*
 * Every byte of indexes and packs, in threads:
 *
 *	jobs --> [ worker: read whole, hash; open what is sealed ] --> damage
 *
 * A worker takes the next job when it has done one, and holds a piece of an
 * object, or one of its segments, at a time: the second look at a pack, which
 * opens it, finds it in the system's cache. The first fatal error ends all.
 *
 * Who begins a pass is one of its threads, and joins the others when it has
 * nothing else to do: pass_end(). So a walk over trees goes on beside the pass
 * until it needs what that finds, and no thread ever waits while there is work.
 */
#include "snapshot/check/check_share.h"

#include <stdlib.h>

#define WORK_FOR_ONE (1024 * 1024) /* bytes; for less none is started */

struct pass {
	struct scope *s;
	struct jobs *jobs;
	struct pack_openers *openers; /* NULL: packs are not opened */
	pthread_t threads[CHECK_THREADS_MAX];
	unsigned nthreads; /* that run */
	struct shares shares;
	atomic_bool ended;
	bool over; /* known to who began it only */
	pthread_mutex_t mu;
	struct err err; /* the first fatal one; guarded by mu */
};

/* --- one object --------------------------------------------------------- */

/* An index_listed_fn: that the list can be read is all that is asked. */
static int
pass_over_pack(UNUSED void *arg, UNUSED const struct object_ref *ref,
    UNUSED uint64_t size, UNUSED enum pack_kind kind, UNUSED struct err *err)
{
	return 0;
}

/* An object whose bytes are those that its name says. */
static int
check_inside(const struct pass *p, struct opener *o, const struct job *job,
    struct err *err)
{
	if (job->ref.cls == OBJECT_INDEX)
		return index_peek(
		    p->s->c->store, &job->ref, pass_over_pack, NULL, err);
	if (p->openers == NULL)
		return pack_check_shape(p->s->c->store, &job->ref, err);
	return check_pack(o, job, err);
}

/*
 * What was found whole before there were keys is not hashed again where it is
 * opened. That opening reads it all again: header, segments and table, with its
 * padding, are authenticated, the tail is compared byte by byte, there are no
 * gaps, and each chunk's name is computed. So a bit that has turned since it
 * was hashed is found. What is not: another pack of the dataset, made by who
 * may, that was put in its place since, with the same chunks in segments of the
 * same lengths. All can be restored from that one, and any later check finds it,
 * as it would one that was replaced behind this check's back a moment later.
 */
static bool
was_hashed(const struct pass *p, const struct job *job)
{
	const struct check_early *early = p->s->c->opt->early;

	return p->openers != NULL && early != NULL &&
	       check_early_whole(early, &job->ref, job->size);
}

static int
check_hash(
    struct pass *p, struct reader *r, const struct job *job, struct err *err)
{
	struct check *c = p->s->c;

	if (!was_hashed(p, job))
		return check_object(c, r, &job->ref, job->size, err);
	check_count(c, 1, job->size);
	return 0;
}

static int
check_job(struct pass *p, struct reader *r, struct opener *o, struct job *job,
    struct err *err)
{
	struct check *c = p->s->c;
	struct err why;
	int rc = check_hash(p, r, job, &why);

	if (rc == 0)
		rc = check_inside(p, o, job, &why);
	if (rc == 0)
		return 0;
	/* Removed since it was listed, and nobody needs it. */
	if (rc == ERR_NOT_FOUND && job->n == 0)
		return 0;
	job->damaged = true;
	for (size_t i = 0; i < job->n; i++)
		p->s->listed[job->first + i].doubtful = true;
	return check_pass_over(c, &job->ref, rc, &why, err);
}

/* --- threads ------------------------------------------------------------ */

static void
end_pass(struct pass *p, const struct err *err)
{
	(void)pthread_mutex_lock(&p->mu);
	if (p->err.code == 0)
		p->err = *err;
	(void)pthread_mutex_unlock(&p->mu);
	atomic_store(&p->ended, true);
}

static int
work(struct pass *p, struct err *err)
{
	READER_AUTO struct reader r = {0};
	OPENER_AUTO struct opener o = {0};
	int rc = reader_init(&r, err);
	size_t i;

	if (rc == 0 && p->openers != NULL)
		rc = opener_init(&o, p->s, p->openers, &p->shares, err);
	while (
	    rc == 0 && !atomic_load(&p->ended) && shares_take(&p->shares, &i)) {
		rc = check_job(p, &r, &o, &p->jobs->v[i], err);
		shares_done(&p->shares);
	}
	if (rc == 0 && p->openers != NULL)
		shares_help(&p->shares, &o);
	return rc;
}

static void *
worker_main(void *arg)
{
	struct pass *p = arg;
	struct err err;

	if (work(p, &err) != 0)
		end_pass(p, &err);
	return NULL;
}

/*
 * Beside the one that begins the pass; none where there is but one. A large pack
 * has work for many.
 */
static unsigned
count_helpers(const struct pass *p)
{
	unsigned n = check_threads(p->s->c->opt->threads) - 1;
	uint64_t most = p->jobs->n;

	for (size_t i = 0; p->openers != NULL && i < p->jobs->n; i++)
		most += p->jobs->v[i].size / WORK_FOR_ONE;
	return n > most ? (unsigned)most : n;
}

static void
join_helpers(struct pass *p)
{
	while (p->nthreads > 0)
		(void)pthread_join(p->threads[--p->nthreads], NULL);
}

/* --- the pass ----------------------------------------------------------- */

static int
larger_first(const void *a, const void *b)
{
	const struct job *x = a;
	const struct job *y = b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return memcmp(x->ref.name, y->ref.name, sizeof(x->ref.name));
}

int
pass_begin(struct scope *s, struct jobs *jobs, bool open, struct pass **out,
    struct err *err)
{
	struct pass *p = calloc(1, sizeof(*p));
	unsigned want;
	int rc = 0;

	*out = NULL;
	if (p == NULL)
		return err_nomem(err);
	p->s = s;
	p->jobs = jobs;
	if (open)
		rc = pack_openers_new(s->ds->keys, &p->openers, err);
	if (rc != 0) {
		free(p);
		return rc;
	}
	(void)pthread_mutex_init(&p->mu, NULL);
	shares_init(&p->shares, jobs->n);
	/* So that all threads end at about the same time. */
	if (jobs->n > 1)
		qsort(jobs->v, jobs->n, sizeof(*jobs->v), larger_first);
	/* None of them has to start: who began it works, too. */
	want = count_helpers(p);
	while (p->nthreads < want && pthread_create(&p->threads[p->nthreads],
					 NULL, worker_main, p) == 0)
		p->nthreads++;
	*out = p;
	return p->nthreads == 0 ? pass_end(p, err) : 0;
}

bool
pass_failed(const struct pass *p)
{
	return atomic_load(&p->ended);
}

int
pass_end(struct pass *p, struct err *err)
{
	if (!p->over) {
		(void)worker_main(p);
		join_helpers(p);
		p->over = true;
	}
	return p->err.code != 0 ? err_copy(err, &p->err) : 0;
}

void
pass_free(struct pass *p)
{
	if (p == NULL)
		return;
	atomic_store(&p->ended, true);
	join_helpers(p);
	(void)pthread_mutex_destroy(&p->mu);
	shares_clear(&p->shares);
	pack_openers_free(p->openers);
	free(p);
}

int
check_bytes(struct scope *s, struct jobs *jobs, bool open, struct err *err)
{
	AUTO(pass) struct pass *p = NULL;
	int rc = pass_begin(s, jobs, open, &p, err);

	return rc != 0 ? rc : pass_end(p, err);
}
