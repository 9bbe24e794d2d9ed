#include "fs/loop_internal.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#define STALL_NS 5000000L /* then another thread takes the lead */
#define READING 64        /* requests from one read to the next, at most */
#define NS_PER_S 1000000000L

/* One that has nothing to do, unless one is on its way. */
static void
call_another(struct loop *l)
{
	if (l->waiting > 0)
		pthread_cond_signal(&l->lead);
	else if (l->serving == l->n)
		(void)loop_add_worker(l);
}

/* The leader serves a request: see to it that somebody watches. */
static void
call_watcher(struct loop *l)
{
	if (!l->watching)
		call_another(l);
}

static void
set_leader(struct loop *l, const struct worker *w)
{
	l->leader = w;
	l->busy = false;
	l->asleep = false;
}

static void
give_up_lead(struct loop *l)
{
	set_leader(l, NULL);
	if (l->watching)
		pthread_cond_signal(&l->stall);
	else
		call_another(l);
}

/* For a while; a leader who serves the same request all that time is none. */
static void
watch_leader(struct loop *l)
{
	uint64_t served = l->served;
	struct timespec until;
	int rc;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += STALL_NS;
	until.tv_sec += until.tv_nsec / NS_PER_S;
	until.tv_nsec %= NS_PER_S;
	l->watching = true;
	rc = pthread_cond_timedwait(&l->stall, &l->mu, &until);
	l->watching = false;
	if (rc == ETIMEDOUT && l->busy && l->served == served)
		set_leader(l, NULL);
}

bool
loop_enter(struct loop *l, const struct worker *me)
{
	while (l->leader != NULL && l->leader != me && !l->over) {
		if (!l->watching && !l->asleep) {
			watch_leader(l);
			continue;
		}
		l->waiting++;
		pthread_cond_wait(&l->lead, &l->mu);
		l->waiting--;
	}
	if (l->over)
		return false;
	set_leader(l, l->reading > 0 ? NULL : me);
	return true;
}

/* Data is read: from now on all take requests. */
static void
begin_reading(struct loop *l)
{
	if (l->reading == 0) {
		set_leader(l, NULL);
		pthread_cond_broadcast(&l->lead);
		pthread_cond_broadcast(&l->stall);
	}
	l->reading = READING;
}

bool
loop_may_take(const struct loop *l, const struct worker *me)
{
	return l->leader == me || l->reading > 0;
}

static bool
is_another_there(struct loop *l)
{
	struct pollfd fd = {
	    .fd = fuse_session_fd(l->session),
	    .events = POLLIN,
	};

	return poll(&fd, 1, 0) > 0;
}

void
loop_look_after_next(struct loop *l, const struct worker *me, bool read)
{
	if (read)
		begin_reading(l);
	else if (l->reading > 0)
		l->reading--;
	if (l->leader == NULL && l->taking == 0)
		call_another(l);
	if (l->leader != me) {
		/* It took this one beside a leader, who may be held up. */
		if (l->busy)
			call_watcher(l);
		return;
	}
	l->busy = true;
	if (is_another_there(l))
		give_up_lead(l);
	else
		call_watcher(l);
}
