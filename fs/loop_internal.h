#ifndef FS_LOOP_INTERNAL_H
#define FS_LOOP_INTERNAL_H

/*
 * Private to the loop: what its files share.
 *
 *	loop.c       threads, and requests from the kernel
 *	loop_lead.c  which of the threads takes them
 */
#include "fs/loop.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define LOOP_THREADS_MAX 256

struct worker {
	struct loop *loop;
	pthread_t thread;
	int epoll_fd; /* ready for a request, or when it is over */
	char *mem;    /* for a request */
};

struct loop {
	struct fuse_session *session;
	long spin_ns;
	unsigned max;
	int over_fd; /* readable once it is over */

	pthread_mutex_t mu;
	pthread_cond_t lead;  /* for those who wait for the lead ... */
	pthread_cond_t stall; /* ... and the one that watches the leader */
	/* guarded by mu */
	struct worker workers[LOOP_THREADS_MAX];
	unsigned n;
	unsigned taking;  /* of them: take requests; */
	unsigned serving; /* serve one; */
	unsigned waiting; /* wait for the lead */
	bool watching;
	const struct worker *leader; /* NULL: nobody leads */
	bool busy;                   /* the leader serves a request */
	bool asleep;                 /* the leader waits for the kernel */
	uint64_t served;
	unsigned reading; /* not 0: no leader is needed, all take requests */
	bool over;
	int errnum; /* what ended it */
};

/*
 * For all of these the mutex is held; loop_enter() lets go of it while it
 * waits.
 */

/** loop_add_worker(l): 0, or an errno: those that there are have to do. */
int loop_add_worker(struct loop *l);

/**
 * loop_enter(l, me):
 * Wait for the lead, or until there is no need of one: then ${me} takes
 * requests. False: it is over.
 */
bool loop_enter(struct loop *l, const struct worker *me);

/** loop_may_take(l, me): Whether ${me} is still to take requests. */
bool loop_may_take(const struct loop *l, const struct worker *me);

/**
 * loop_look_after_next(l, me, read):
 * ${me} is about to serve a request, for data if ${read}: see to it that
 * somebody takes the next.
 */
void loop_look_after_next(struct loop *l, const struct worker *me, bool read);

#endif
