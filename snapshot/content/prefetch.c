#include "snapshot/content/prefetch.h"
#include "crypto/thread.h"

#include <pthread.h>
#include <stdlib.h>

#define QUEUE_MAX 256
#define THREADS_MAX 64

struct job {
	prefetch_fn *fn;
	void *owner;
	struct chunk_name name;
};

struct worker {
	struct prefetch *p;
	pthread_t thread;
	const void *owner; /* of the running job, or NULL; guarded by mu */
};

struct prefetch {
	pthread_mutex_t mu;
	pthread_cond_t wanted;       /* a job was queued, or closed */
	pthread_cond_t done;         /* a job was finished */
	struct job queue[QUEUE_MAX]; /* guarded by mu: a ring */
	size_t first, n;             /* guarded by mu */
	bool closed;                 /* guarded by mu */
	unsigned nworkers;           /* guarded by mu */
	struct worker workers[THREADS_MAX];
};

int
prefetch_new(struct prefetch **out, struct err *err)
{
	struct prefetch *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (p == NULL)
		return err_nomem(err);
	(void)pthread_mutex_init(&p->mu, NULL);
	(void)pthread_cond_init(&p->wanted, NULL);
	(void)pthread_cond_init(&p->done, NULL);
	*out = p;
	return 0;
}

void
prefetch_free(struct prefetch *p)
{
	unsigned n;

	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->mu);
	p->closed = true;
	n = p->nworkers;
	(void)pthread_cond_broadcast(&p->wanted);
	(void)pthread_mutex_unlock(&p->mu);
	for (unsigned i = 0; i < n; i++)
		(void)pthread_join(p->workers[i].thread, NULL);
	(void)pthread_cond_destroy(&p->wanted);
	(void)pthread_cond_destroy(&p->done);
	(void)pthread_mutex_destroy(&p->mu);
	free(p);
}

/* Wait for a job and mark it as running; false when closed. With mu held. */
static bool
next_job(struct worker *w, struct job *job)
{
	struct prefetch *p = w->p;

	while (p->n == 0 && !p->closed)
		(void)pthread_cond_wait(&p->wanted, &p->mu);
	if (p->closed)
		return false;
	*job = p->queue[p->first];
	p->first = (p->first + 1) % QUEUE_MAX;
	p->n--;
	w->owner = job->owner;
	return true;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct prefetch *p = w->p;
	struct job job;

	(void)pthread_mutex_lock(&p->mu);
	while (next_job(w, &job)) {
		(void)pthread_mutex_unlock(&p->mu);
		job.fn(job.owner, &job.name);
		(void)pthread_mutex_lock(&p->mu);
		w->owner = NULL;
		(void)pthread_cond_broadcast(&p->done);
	}
	(void)pthread_mutex_unlock(&p->mu);
	return NULL;
}

/* With mu held. */
static int
start_one(struct prefetch *p, struct err *err)
{
	struct worker *w = &p->workers[p->nworkers];
	int rc;

	if (p->nworkers == THREADS_MAX)
		return err_set(err, ERR_USAGE, "too many threads");
	w->p = p;
	rc = thread_start(&w->thread, work, w);
	if (rc != 0)
		return err_set(err, ERR_NOMEM, "can't start a thread");
	p->nworkers++;
	return 0;
}

int
prefetch_start(struct prefetch *p, unsigned n, struct err *err)
{
	int rc = 0;

	(void)pthread_mutex_lock(&p->mu);
	for (unsigned i = 0; rc == 0 && i < n; i++)
		rc = start_one(p, err);
	(void)pthread_mutex_unlock(&p->mu);
	return rc;
}

void
prefetch_put(struct prefetch *p, prefetch_fn *fn, void *owner,
    const struct chunk_name *name)
{
	(void)pthread_mutex_lock(&p->mu);
	if (p->n < QUEUE_MAX && p->nworkers > 0) {
		p->queue[(p->first + p->n) % QUEUE_MAX] =
		    (struct job){.fn = fn, .owner = owner, .name = *name};
		p->n++;
		(void)pthread_cond_signal(&p->wanted);
	}
	(void)pthread_mutex_unlock(&p->mu);
}

/* With mu held. */
static void
unqueue(struct prefetch *p, const void *owner)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct job *job = &p->queue[(p->first + i) % QUEUE_MAX];

		if (job->owner != owner)
			p->queue[(p->first + n++) % QUEUE_MAX] = *job;
	}
	p->n = n;
}

static bool
is_running(const struct prefetch *p, const void *owner)
{
	for (unsigned i = 0; i < p->nworkers; i++)
		if (p->workers[i].owner == owner)
			return true;
	return false;
}

void
prefetch_forget(struct prefetch *p, const void *owner)
{
	(void)pthread_mutex_lock(&p->mu);
	unqueue(p, owner);
	while (is_running(p, owner))
		(void)pthread_cond_wait(&p->done, &p->mu);
	(void)pthread_mutex_unlock(&p->mu);
}
