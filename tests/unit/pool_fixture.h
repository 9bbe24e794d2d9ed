#ifndef TESTS_UNIT_POOL_FIXTURE_H
#define TESTS_UNIT_POOL_FIXTURE_H

/* Numbered jobs of a pool, and a gate that they can be made to wait at. */
#include "tests/unit/pipeline_fixture.h"

#include <time.h>
#include <unistd.h>

/* A job is known by its number, which is put where the bytes are counted. */
static inline UNUSED struct job *
numbered(uint64_t i, bool to_work)
{
	struct job *job = job_new(JOB_BATCH, "");

	assert_non_null(job);
	job->to_work = to_work;
	job->bytes = i;
	return job;
}

static inline UNUSED void
assert_popped(struct pool *p, uint64_t i)
{
	AUTO(job) struct job *job = NULL;

	assert_int_equal(pool_pop(p, true, &job, NULL), 1);
	assert_int_equal(job->bytes, i);
	assert_int_equal(job->removed, job->to_work);
}

static inline UNUSED void
nap(uint64_t us)
{
	const struct timespec t = {.tv_nsec = (long)us * 1000};

	(void)nanosleep(&t, NULL);
}

/* A gate that a job waits at. */
struct gate {
	pthread_mutex_t mu;
	pthread_cond_t change;
	bool open;       /* guarded by mu */
	unsigned inside; /* guarded by mu: jobs that came this far */
};
#define GATE                                                                   \
	{                                                                      \
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0  \
	}

static inline UNUSED void
gate_pass(struct gate *g)
{
	pthread_mutex_lock(&g->mu);
	g->inside++;
	pthread_cond_broadcast(&g->change);
	while (!g->open)
		pthread_cond_wait(&g->change, &g->mu);
	pthread_mutex_unlock(&g->mu);
}

static inline UNUSED void
gate_open(struct gate *g)
{
	pthread_mutex_lock(&g->mu);
	g->open = true;
	pthread_cond_broadcast(&g->change);
	pthread_mutex_unlock(&g->mu);
}

/* Until ${n} jobs stand at the gate. */
static inline UNUSED void
gate_await(struct gate *g, unsigned n)
{
	pthread_mutex_lock(&g->mu);
	while (g->inside < n)
		pthread_cond_wait(&g->change, &g->mu);
	pthread_mutex_unlock(&g->mu);
}

static inline UNUSED int
work_at_gate(
    UNUSED struct worker *w, struct job *job, void *arg, UNUSED struct err *err)
{
	gate_pass(arg);
	job->removed = true;
	return 0;
}

#endif
