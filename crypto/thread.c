#include "crypto/thread.h"

#include <signal.h>
#include <stdatomic.h>

/* A thread inherits the mask of who starts it. */
int
thread_start(pthread_t *out, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(out, NULL, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

/* --- sharing work ---------------------------------------------------------- */

struct each {
	void (*run)(void *arg, size_t i);
	void *arg;
	size_t n;
	atomic_size_t next;
};

static void *
each_main(void *arg)
{
	struct each *e = arg;
	size_t i;

	while ((i = atomic_fetch_add(&e->next, 1)) < e->n)
		e->run(e->arg, i);
	return NULL;
}

void
thread_each(size_t n, void (*run)(void *arg, size_t i), void *arg)
{
	struct each e = {.run = run, .arg = arg, .n = n};
	pthread_t others[THREAD_EACH_THREADS - 1];
	unsigned started = 0;

	while (n >= THREAD_EACH_MIN && started + 1 < THREAD_EACH_THREADS &&
	       thread_start(&others[started], each_main, &e) == 0)
		started++;
	(void)each_main(&e);
	for (unsigned t = 0; t < started; t++)
		(void)pthread_join(others[t], NULL);
}
