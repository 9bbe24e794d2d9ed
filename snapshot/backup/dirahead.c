#include "snapshot/backup/dirahead.h"
#include "crypto/thread.h"
#include "snapshot/backup/listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREADS 8
#define STACK 1024
/* Entries of one directory: there may be millions. */
#define LOOKS_MAX 4096

/*
 * A directory for which somebody had to wait counts WAITED, up to DIRAHEAD_SLOW,
 * and each for which nobody had to takes one away. Locks are waited for at times,
 * too, for one directory in some thirty; from SCORE_SLOW on it is the disk.
 */
#define WAITED 16
#define SCORE_SLOW 64
/* So many more waits than not, where the threads have been: they are no use. */
#define IN_VAIN 64

enum task_state { WAITING, LOOKING, LOOKED };

struct task {
	uint64_t id;
	struct dirh *dir;
	char *name;
	enum task_state state;
	size_t n; /* entries; LOOKED */
};

struct dirahead {
	size_t most;
	/* Each may overwrite what another has just added: it is a guess. */
	atomic_int score;
	atomic_bool over; /* set with mu held */

	/* the scout's */
	long begun;  /* its waits() */
	bool served; /* the threads have been where it is */
	int in_vain;
	bool tried; /* to make threads */
	pthread_t threads[THREADS];
	unsigned nthreads;

	pthread_mutex_t mu;
	pthread_cond_t wanted; /* there is a task, or room ahead; or over */
	/* guarded by mu */
	struct task stack[STACK]; /* what the scout reaches next is on top */
	size_t n;
	uint64_t ids;
	size_t ahead; /* entries of those LOOKED */
};

/* How often this thread has waited, for whatever it was. */
static long
waits(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

static void
keep_score(struct dirahead *a, bool waited)
{
	int score = atomic_load(&a->score);

	if (!waited)
		score -= score > 0;
	else if ((score += WAITED) > DIRAHEAD_SLOW)
		score = DIRAHEAD_SLOW;
	atomic_store(&a->score, score);
}

/* --- the stack; with mu held ---------------------------------------------- */

static void
drop(struct dirahead *a, struct task *t)
{
	bool full = a->ahead >= a->most;

	if (t->state == LOOKED)
		a->ahead -= t->n;
	if (full && a->ahead < a->most)
		(void)pthread_cond_broadcast(&a->wanted);
	dirh_unref(t->dir);
	free(t->name);
}

/* The oldest half, which the scout comes to last. */
static void
make_room(struct dirahead *a)
{
	size_t half = STACK / 2;

	if (a->n < STACK)
		return;
	for (size_t i = 0; i < half; i++)
		drop(a, &a->stack[i]);
	memmove(a->stack, a->stack + half, half * sizeof(*a->stack));
	a->n = half;
}

/* The next that nobody has begun; NULL: there is none, or no room ahead. */
static struct task *
next_task(struct dirahead *a)
{
	if (a->ahead >= a->most)
		return NULL;
	for (size_t i = a->n; i-- > 0;)
		if (a->stack[i].state == WAITING)
			return &a->stack[i];
	return NULL;
}

/* The scout may have been there meanwhile. */
static void
task_done(struct dirahead *a, uint64_t id, size_t n)
{
	for (size_t i = a->n; i-- > 0;) {
		struct task *t = &a->stack[i];

		if (t->id != id)
			continue;
		t->state = LOOKED;
		t->n = n;
		a->ahead += n;
		return;
	}
}

/* --- the threads --------------------------------------------------------- */

static size_t
look_at_entries(const struct dirahead *a, DIR *d)
{
	const struct dirent *e;
	struct stat st;
	size_t n = 0;

	while (n < LOOKS_MAX && !atomic_load(&a->over) &&
	       (e = readdir(d)) != NULL) {
		(void)!fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW);
		n++;
	}
	return n;
}

/* How many entries were looked at. What fails is the scout's to tell. */
static size_t
look_into(struct dirahead *a, int dir, const char *name)
{
	long before = waits();
	int fd = listing_open(dir, name);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	size_t n;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	n = look_at_entries(a, d);
	(void)closedir(d);
	keep_score(a, waits() != before);
	return n;
}

/* Begins and ends with mu held. */
static void
do_task(struct dirahead *a, struct task *t)
{
	struct dirh *dir = dirh_ref(t->dir);
	char *name = strdup(t->name);
	uint64_t id = t->id;
	size_t n;

	t->state = LOOKING;
	(void)pthread_mutex_unlock(&a->mu);
	n = name != NULL ? look_into(a, dir->fd, name) : 0;
	free(name);
	dirh_unref(dir);
	(void)pthread_mutex_lock(&a->mu);
	task_done(a, id, n);
}

static void *
work(void *arg)
{
	struct dirahead *a = arg;
	struct task *t;

	(void)pthread_mutex_lock(&a->mu);
	while (!atomic_load(&a->over)) {
		if ((t = next_task(a)) != NULL)
			do_task(a, t);
		else
			(void)pthread_cond_wait(&a->wanted, &a->mu);
	}
	(void)pthread_mutex_unlock(&a->mu);
	return NULL;
}

/* Whether there are any. Where none can be had, the scout looks alone. */
static bool
have_threads(struct dirahead *a)
{
	while (!a->tried && a->nthreads < THREADS) {
		a->tried = thread_start(&a->threads[a->nthreads], work, a) != 0;
		a->nthreads += !a->tried;
	}
	a->tried = true;
	return a->nthreads > 0;
}

int
dirahead_new(size_t most, int slow, struct dirahead **out, struct err *err)
{
	struct dirahead *a = calloc(1, sizeof(*a));

	*out = a;
	if (a == NULL)
		return err_nomem(err);
	a->most = most;
	atomic_init(&a->score, slow);
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
	atomic_store(&a->over, true);
	(void)pthread_cond_broadcast(&a->wanted);
	(void)pthread_mutex_unlock(&a->mu);
	for (unsigned i = 0; i < a->nthreads; i++)
		(void)pthread_join(a->threads[i], NULL);
	while (a->n > 0)
		drop(a, &a->stack[--a->n]);
	(void)pthread_cond_destroy(&a->wanted);
	(void)pthread_mutex_destroy(&a->mu);
	free(a);
}

/* --- the scout ----------------------------------------------------------- */

void
dirahead_begin(struct dirahead *a)
{
	a->begun = waits();
}

bool
dirahead_end(struct dirahead *a)
{
	bool waited = waits() != a->begun;

	keep_score(a, waited);
	if (a->served && waited)
		a->in_vain++;
	else if (a->served && a->in_vain > 0)
		a->in_vain--;
	a->served = false;
	return atomic_load(&a->score) >= SCORE_SLOW && a->in_vain < IN_VAIN;
}

void
dirahead_put(struct dirahead *a, struct dirh *dir, const char *name)
{
	char *copy;

	if (!have_threads(a) || (copy = strdup(name)) == NULL)
		return;
	(void)pthread_mutex_lock(&a->mu);
	make_room(a);
	a->stack[a->n++] =
	    (struct task){.id = ++a->ids, .dir = dirh_ref(dir), .name = copy};
	(void)pthread_cond_signal(&a->wanted);
	(void)pthread_mutex_unlock(&a->mu);
}

void
dirahead_reached(struct dirahead *a, const struct dirh *dir, const char *name)
{
	struct task *t;

	a->served = false;
	if (a->nthreads == 0)
		return;
	(void)pthread_mutex_lock(&a->mu);
	t = a->n > 0 ? &a->stack[a->n - 1] : NULL;
	if (t != NULL && t->dir == dir && strcmp(t->name, name) == 0) {
		a->served = t->state == LOOKED;
		drop(a, t);
		a->n--;
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
			drop(a, &a->stack[i]);
		else if (kept++ != i)
			a->stack[kept - 1] = a->stack[i];
	}
	a->n = kept;
	(void)pthread_mutex_unlock(&a->mu);
}

size_t
dirahead_ahead(struct dirahead *a)
{
	size_t ahead;

	(void)pthread_mutex_lock(&a->mu);
	ahead = a->ahead;
	(void)pthread_mutex_unlock(&a->mu);
	return ahead;
}
