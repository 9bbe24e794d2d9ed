#include "tools/progress.h"
#include "crypto/thread.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN 256
#define FIRST_NS 1000000000L
#define EVERY_NS 200000000L

struct progress {
	progress_fn *fn;
	void *arg;
	struct timespec start;
	pthread_t thread;
	pthread_mutex_t mu;
	pthread_cond_t wake;
	bool drawn;  /* guarded by mu */
	bool ending; /* guarded by mu */
};

bool
progress_wanted(void)
{
	return isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

static double
seconds_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static size_t
columns(void)
{
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) != 0 || ws.ws_col < 2)
		return 80;
	return ws.ws_col;
}

/* Lines hold ASCII only, so that bytes are columns. */
static void
draw(struct progress *p)
{
	char line[LINE_MAX_LEN] = "";
	size_t width = columns() - 1;

	p->fn(p->arg, seconds_since(&p->start), line, sizeof(line));
	(void)fprintf(stderr, "\r%.*s\033[K", (int)width, line);
	(void)fflush(stderr);
	p->drawn = true;
}

static void
erase(struct progress *p)
{
	if (!p->drawn)
		return;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	p->drawn = false;
}

static void
add_ns(struct timespec *t, long ns)
{
	t->tv_nsec += ns;
	t->tv_sec += t->tv_nsec / 1000000000L;
	t->tv_nsec %= 1000000000L;
}

static void *
draw_on(void *arg)
{
	struct progress *p = arg;
	struct timespec at = p->start;

	add_ns(&at, FIRST_NS);
	(void)pthread_mutex_lock(&p->mu);
	while (!p->ending) {
		if (pthread_cond_timedwait(&p->wake, &p->mu, &at) == 0)
			continue;
		draw(p);
		(void)clock_gettime(CLOCK_MONOTONIC, &at);
		add_ns(&at, EVERY_NS);
	}
	erase(p);
	(void)pthread_mutex_unlock(&p->mu);
	return NULL;
}

int
progress_start(
    progress_fn *fn, void *arg, struct progress **out, struct err *err)
{
	struct progress *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;
	int r;

	*out = NULL;
	if (p == NULL)
		return err_nomem(err);
	p->fn = fn;
	p->arg = arg;
	(void)clock_gettime(CLOCK_MONOTONIC, &p->start);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&p->mu, NULL);
	(void)pthread_cond_init(&p->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	r = thread_start(&p->thread, draw_on, p);
	if (r != 0) {
		(void)pthread_cond_destroy(&p->wake);
		(void)pthread_mutex_destroy(&p->mu);
		free(p);
		return err_set(err, ERR_IO, "cannot start a thread: %s",
		    strerrordesc_np(r));
	}
	*out = p;
	return 0;
}

void
progress_stop(struct progress *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->mu);
	p->ending = true;
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->mu);
	(void)pthread_join(p->thread, NULL);
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->mu);
	free(p);
}

void
progress_hide(struct progress *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->mu);
	erase(p);
}

void
progress_show(struct progress *p)
{
	if (p != NULL)
		(void)pthread_mutex_unlock(&p->mu);
}
