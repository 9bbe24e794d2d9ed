#include "snapshot/backup/dirahead.h"
#include "crypto/thread.h"
#include "snapshot/backup/scout_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREADS 8
#define STACK 1024
/*
 * A directory for which somebody had to wait counts 16, up to 256, and each for
 * which nobody had to takes one away. Locks are waited for at times, too, for one
 * directory in 30 at most: from 64 on it is the disk.
 */
#define WAITED 16
#define SCORE_MAX 256
#define SCORE_COLD 64
/* Entries of one directory: there may be millions. */
#define LOOKS_MAX 4096

struct task {
	struct dirh *dir;
	char *name;
};

struct dirahead {
	dev_t dev;
	size_t most;
	long begun;       /* the scout's waits() */
	atomic_int score; /* see SCORE_COLD */
	pthread_t threads[THREADS];
	unsigned nthreads;

	pthread_mutex_t mu;
	pthread_cond_t wanted; /* there is a task, or room ahead; or over */
	/* guarded by mu */
	struct task stack[STACK];
	size_t n;
	uint64_t looked; /* entries, by the threads */
	uint64_t ahead;  /* those of them that the scout has yet to look at */
	bool over;
};

/* How often this thread has waited, for whatever it was. */
static long
waits(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

/* Somebody has looked at a directory, having begun at ${before}. */
static void
keep_score(struct dirahead *a, long before)
{
	int score = atomic_load(&a->score);

	if (waits() == before)
		score -= score > 0;
	else if ((score += WAITED) > SCORE_MAX)
		score = SCORE_MAX;
	atomic_store(&a->score, score);
}

static void
task_clear(struct task *t)
{
	dirh_unref(t->dir);
	free(t->name);
}

/* --- the threads --------------------------------------------------------- */

static size_t
look_at_entries(DIR *d)
{
	const struct dirent *e;
	struct stat st;
	size_t n = 0;

	while (n < LOOKS_MAX && (e = readdir(d)) != NULL)
		n +=
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return n;
}

/* How many entries were looked at. What fails is the scout's to tell. */
static size_t
look_into(struct dirahead *a, const struct task *t)
{
	long before = waits();
	int fd = scout_open_dir(t->dir->fd, t->name);
	size_t n;
	struct stat st;
	DIR *d;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) != 0 || st.st_dev != a->dev ||
	    (d = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return 0;
	}
	n = look_at_entries(d);
	(void)closedir(d);
	keep_score(a, before);
	return n;
}

/* With mu held. */
static bool
next_task(struct dirahead *a, struct task *t)
{
	while (!a->over && (a->n == 0 || a->ahead >= a->most))
		(void)pthread_cond_wait(&a->wanted, &a->mu);
	if (a->over)
		return false;
	*t = a->stack[--a->n];
	return true;
}

static void *
work(void *arg)
{
	struct dirahead *a = arg;
	struct task t;

	(void)pthread_mutex_lock(&a->mu);
	while (next_task(a, &t)) {
		size_t n;

		(void)pthread_mutex_unlock(&a->mu);
		n = look_into(a, &t);
		task_clear(&t);
		(void)pthread_mutex_lock(&a->mu);
		a->looked += n;
		a->ahead += n;
	}
	(void)pthread_mutex_unlock(&a->mu);
	return NULL;
}

int
dirahead_new(dev_t dev, size_t most, struct dirahead **out, struct err *err)
{
	struct dirahead *a = calloc(1, sizeof(*a));

	*out = a;
	if (a == NULL)
		return err_nomem(err);
	a->dev = dev;
	a->most = most;
	(void)pthread_mutex_init(&a->mu, NULL);
	(void)pthread_cond_init(&a->wanted, NULL);
	return 0;
}

void
dirahead_free(struct dirahead *a)
{
	if (a == NULL)
		return;
	(void)pthread_mutex_lock(&a->mu);
	a->over = true;
	(void)pthread_cond_broadcast(&a->wanted);
	(void)pthread_mutex_unlock(&a->mu);
	for (unsigned i = 0; i < a->nthreads; i++)
		(void)pthread_join(a->threads[i], NULL);
	while (a->n > 0)
		task_clear(&a->stack[--a->n]);
	(void)pthread_cond_destroy(&a->wanted);
	(void)pthread_mutex_destroy(&a->mu);
	free(a);
}

/* Where none can be had, the scout looks alone. */
static void
start_threads(struct dirahead *a)
{
	while (a->nthreads < THREADS &&
	       thread_start(&a->threads[a->nthreads], work, a) == 0)
		a->nthreads++;
}

/* --- the scout ----------------------------------------------------------- */

void
dirahead_begin(struct dirahead *a)
{
	a->begun = waits();
}

bool
dirahead_end(struct dirahead *a, size_t n)
{
	keep_score(a, a->begun);
	if (a->nthreads > 0) {
		(void)pthread_mutex_lock(&a->mu);
		a->ahead -= n < a->ahead ? n : a->ahead;
		if (a->n > 0)
			(void)pthread_cond_broadcast(&a->wanted);
		(void)pthread_mutex_unlock(&a->mu);
	}
	return atomic_load(&a->score) >= SCORE_COLD;
}

/* The oldest half, which the scout comes to last. With mu held. */
static void
make_room(struct dirahead *a)
{
	size_t half = STACK / 2;

	if (a->n < STACK)
		return;
	for (size_t i = 0; i < half; i++)
		task_clear(&a->stack[i]);
	memmove(a->stack, a->stack + half, half * sizeof(*a->stack));
	a->n = half;
}

void
dirahead_put(struct dirahead *a, struct dirh *dir, const char *name)
{
	char *copy = strdup(name);

	if (copy == NULL)
		return;
	if (a->nthreads == 0)
		start_threads(a);
	(void)pthread_mutex_lock(&a->mu);
	make_room(a);
	a->stack[a->n++] = (struct task){.dir = dirh_ref(dir), .name = copy};
	(void)pthread_cond_signal(&a->wanted);
	(void)pthread_mutex_unlock(&a->mu);
}

void
dirahead_reached(struct dirahead *a, const struct dirh *dir, const char *name)
{
	if (a->nthreads == 0)
		return;
	(void)pthread_mutex_lock(&a->mu);
	if (a->n > 0) {
		struct task *last = &a->stack[a->n - 1];

		if (last->dir == dir && strcmp(last->name, name) == 0) {
			task_clear(last);
			a->n--;
		}
	}
	(void)pthread_mutex_unlock(&a->mu);
}

void
dirahead_leave(struct dirahead *a, const struct dirh *dir)
{
	size_t kept = 0;

	if (a->nthreads == 0)
		return;
	(void)pthread_mutex_lock(&a->mu);
	for (size_t i = 0; i < a->n; i++) {
		if (a->stack[i].dir == dir)
			task_clear(&a->stack[i]);
		else
			a->stack[kept++] = a->stack[i];
	}
	a->n = kept;
	(void)pthread_mutex_unlock(&a->mu);
}

uint64_t
dirahead_looked(struct dirahead *a)
{
	uint64_t looked;

	(void)pthread_mutex_lock(&a->mu);
	looked = a->looked;
	(void)pthread_mutex_unlock(&a->mu);
	return looked;
}
