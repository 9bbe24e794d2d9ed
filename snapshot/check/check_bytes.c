/*
 * Every byte of indexes and packs, in threads:
 *
 *	jobs --> [ worker: read whole, hash; open what is sealed ] --> damage
 *
 * A worker takes the next job when it has done one, and holds a piece of an
 * object, or one of its segments, at a time: the second look at a pack, which
 * opens it, finds it in the system's cache. The first fatal error ends all.
 */
#include "snapshot/check/check_internal.h"

#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX 256

struct pass {
	struct scope *s;
	struct jobs *jobs;
	struct pack_openers *openers; /* NULL: packs are not opened */
	atomic_size_t next;
	atomic_bool ended;
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

static int
check_job(struct pass *p, struct reader *r, struct opener *o, struct job *job,
    struct err *err)
{
	struct check *c = p->s->c;
	struct err why;
	int rc = check_object(c, r, &job->ref, job->size, &why);

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

	if (rc == 0 && p->openers != NULL)
		rc = opener_init(&o, p->s, p->openers, err);
	while (rc == 0 && !atomic_load(&p->ended)) {
		size_t i = atomic_fetch_add(&p->next, 1);

		if (i >= p->jobs->n)
			break;
		rc = check_job(p, &r, &o, &p->jobs->v[i], err);
	}
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

static unsigned
count_threads(const struct pass *p)
{
	long n = p->s->c->opt->threads;

	if (n == 0)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	if ((size_t)n > p->jobs->n)
		n = (long)p->jobs->n;
	return n < 1 ? 1 : (unsigned)n;
}

/* This thread works too, so that none of the others has to start. */
static int
run(struct pass *p, struct err *err)
{
	pthread_t threads[THREADS_MAX];
	unsigned want = count_threads(p) - 1, n = 0;

	while (
	    n < want && pthread_create(&threads[n], NULL, worker_main, p) == 0)
		n++;
	(void)worker_main(p);
	while (n > 0)
		(void)pthread_join(threads[--n], NULL);
	return p->err.code != 0 ? err_copy(err, &p->err) : 0;
}

int
check_bytes(struct scope *s, struct jobs *jobs, bool open, struct err *err)
{
	AUTO(pack_openers) struct pack_openers *openers = NULL;
	struct pass p = {.s = s, .jobs = jobs};
	int rc = 0;

	if (open)
		rc = pack_openers_new(s->ds->keys, &openers, err);
	if (rc != 0)
		return rc;
	p.openers = openers;
	(void)pthread_mutex_init(&p.mu, NULL);
	rc = run(&p, err);
	(void)pthread_mutex_destroy(&p.mu);
	return rc;
}
