#include "snapshot/replicate/pace.h"

#include <time.h>

#define SECOND INT64_C(1000000000)
/* What was not used is not saved up for longer. */
#define SAVED (SECOND / 10)

static int64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

void
pace_init(struct pace *p)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&p->mu, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->stopping, &attr);
	(void)pthread_condattr_destroy(&attr);
	p->rate = 0;
	p->due = 0;
	p->stopped = false;
}

void
pace_clear(struct pace *p)
{
	(void)pthread_cond_destroy(&p->stopping);
	(void)pthread_mutex_destroy(&p->mu);
}

void
pace_set(struct pace *p, uint64_t rate)
{
	pthread_mutex_lock(&p->mu);
	p->rate = rate;
	pthread_mutex_unlock(&p->mu);
}

void
pace_wait(struct pace *p, size_t n)
{
	struct timespec until;
	int64_t now, due;

	pthread_mutex_lock(&p->mu);
	if (p->rate > 0) {
		now = now_ns();
		due = p->due > now - SAVED ? p->due : now - SAVED;
		p->due = due + (int64_t)((double)n * (double)SECOND /
					 (double)p->rate);
		until.tv_sec = due / SECOND;
		until.tv_nsec = due % SECOND;
		while (!p->stopped && now_ns() < due)
			(void)pthread_cond_timedwait(
			    &p->stopping, &p->mu, &until);
	}
	pthread_mutex_unlock(&p->mu);
}

void
pace_stop(struct pace *p)
{
	pthread_mutex_lock(&p->mu);
	p->stopped = true;
	pthread_cond_broadcast(&p->stopping);
	pthread_mutex_unlock(&p->mu);
}
