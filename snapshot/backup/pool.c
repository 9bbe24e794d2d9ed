#include "snapshot/backup/pool.h"

#include <stdlib.h>
#include <string.h>

/* How often who waits to pop is told of jobs that need no work. */
#define WAKE_JOBS 16

struct pool {
	pool_work_fn *work;
	void *arg;
	struct worker *workers;
	unsigned nworkers, started;

	pthread_mutex_t mu;
	pthread_cond_t more; /* there is work, or it is over */
	pthread_cond_t done; /* a job or a piece is done, or no more come */
	pthread_cond_t
	    room; /* jobs were taken out of the ring, or it is over */

	/* guarded by mu; counts only ever grow */
	struct job *ring[POOL_RING];
	uint64_t head;  /* the oldest */
	uint64_t taken; /* the next to be worked on */
	uint64_t tail;  /* the next to be pushed */
	struct piece *pieces, **pieces_end;
	unsigned npieces;
	bool open; /* more jobs will come */
	bool over;
	bool failed;
	struct err err; /* the first error */

	/* Who pops: taken out of the ring together, and not given out yet. */
	struct job *popped[POOL_POP];
	size_t npopped, given;
};

/* --- a worker's tools -------------------------------------------------- */

int
worker_init(
    struct worker *w, struct ingest *in, struct pool *p, struct err *err)
{
	int ret;

	w->pool = p;
	if ((ret = ingest_lane_new(in, &w->lane, err)) != 0)
		return ret;
	ret = cutter_new(ingest_lane_namer(w->lane), &w->cutter, err);
	if (ret != 0)
		return ret;
	if ((ret = content_builder_new(&w->content, err)) != 0)
		return ret;
	if ((w->buf = malloc(WORKER_BUF)) == NULL)
		return err_nomem(err);
	return 0;
}

void
worker_clear(struct worker *w)
{
	content_builder_free(w->content);
	cutter_free(w->cutter);
	ingest_lane_free(w->lane);
	free(w->buf);
}

/* --- the workers ------------------------------------------------------- */

/* mu is held. */
static void
fail(struct pool *p, const struct err *err)
{
	if (!p->failed)
		p->err = *err;
	p->failed = true;
	p->over = true;
	pthread_cond_broadcast(&p->more);
	pthread_cond_broadcast(&p->done);
	pthread_cond_broadcast(&p->room);
}

/* mu is held. */
static struct piece *
take_piece(struct pool *p)
{
	struct piece *piece = p->pieces;

	if (piece == NULL)
		return NULL;
	p->pieces = piece->next;
	if (p->pieces == NULL)
		p->pieces_end = &p->pieces;
	p->npieces--;
	return piece;
}

/* The next batch that needs a worker; mu is held. */
static struct job *
take_job(struct pool *p)
{
	while (p->taken < p->tail) {
		struct job *job = p->ring[p->taken++ % POOL_RING];

		if (!job->done)
			return job;
	}
	return NULL;
}

int
piece_work(struct worker *w, struct piece *piece, struct err *err)
{
	const uint8_t *at = piece->buf;
	int ret = ingest_lane_use(w->lane, piece->use, err);

	if (ret != 0)
		return ret;
	for (size_t i = 0; i < piece->n; i++) {
		ret = ingest_chunk(w->lane, CHUNK_DATA, at, piece->lens[i],
		    &piece->names[i], err);
		if (ret != 0)
			return ret;
		at += piece->lens[i];
	}
	return 0;
}

/* Called with mu held, and left so. */
static int
do_piece(struct worker *w, struct piece *piece)
{
	struct pool *p = w->pool;
	int ret;

	pthread_mutex_unlock(&p->mu);
	ret = piece_work(w, piece, &w->err);
	pthread_mutex_lock(&p->mu);
	piece->done = true;
	if (ret != 0)
		fail(p, &w->err);
	pthread_cond_broadcast(&p->done);
	return ret;
}

static void
do_job(struct worker *w, struct job *job)
{
	struct pool *p = w->pool;
	int ret;

	pthread_mutex_unlock(&p->mu);
	ret = p->work(w, job, p->arg, &w->err);
	pthread_mutex_lock(&p->mu);
	job->done = true;
	if (ret != 0)
		fail(p, &w->err);
	pthread_cond_broadcast(&p->done);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	struct piece *piece;
	struct job *job;

	pthread_mutex_lock(&p->mu);
	while (!p->over) {
		if ((piece = take_piece(p)) != NULL)
			(void)do_piece(w, piece); /* kept in p->err */
		else if ((job = take_job(p)) != NULL)
			do_job(w, job);
		else
			pthread_cond_wait(&p->more, &p->mu);
	}
	pthread_mutex_unlock(&p->mu);
	return NULL;
}

/* --- the pool ---------------------------------------------------------- */

int
pool_new(struct ingest *in, unsigned threads, pool_work_fn *work, void *arg,
    struct pool **out, struct err *err)
{
	AUTO(pool) struct pool *p = calloc(1, sizeof(*p));
	int ret;

	*out = NULL;
	if (p == NULL)
		return err_nomem(err);
	pthread_mutex_init(&p->mu, NULL);
	pthread_cond_init(&p->more, NULL);
	pthread_cond_init(&p->done, NULL);
	pthread_cond_init(&p->room, NULL);
	p->pieces_end = &p->pieces;
	p->work = work;
	p->arg = arg;
	p->workers = calloc(threads, sizeof(*p->workers));
	if (p->workers == NULL)
		return err_nomem(err);
	for (; p->nworkers < threads; p->nworkers++) {
		struct worker *w = &p->workers[p->nworkers];

		if ((ret = worker_init(w, in, p, err)) != 0) {
			worker_clear(w);
			return ret;
		}
	}
	for (; p->started < threads; p->started++) {
		struct worker *w = &p->workers[p->started];

		if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
			return err_set(err, ERR_IO, "cannot start a thread");
	}
	*out = STEAL(p);
	return 0;
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->mu);
	p->over = true;
	pthread_cond_broadcast(&p->more);
	pthread_cond_broadcast(&p->done);
	pthread_mutex_unlock(&p->mu);
	for (unsigned i = 0; i < p->started; i++)
		pthread_join(p->workers[i].thread, NULL);
	for (unsigned i = 0; i < p->nworkers; i++)
		worker_clear(&p->workers[i]);
	while (p->given < p->npopped)
		job_free(p->popped[p->given++]);
	for (; p->head < p->tail; p->head++)
		job_free(p->ring[p->head % POOL_RING]);
	free(p->workers);
	pthread_cond_destroy(&p->room);
	pthread_cond_destroy(&p->done);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->mu);
	free(p);
}

/* Neither side is woken for every job: that costs more than a small job. */
bool
pool_push(struct pool *p, struct job *job)
{
	bool failed, to_work = job->to_work, enough = false;

	pthread_mutex_lock(&p->mu);
	while (!p->failed && p->tail - p->head == POOL_RING)
		pthread_cond_wait(&p->room, &p->mu);
	failed = p->failed;
	if (!failed) {
		job->done = !to_work;
		p->ring[p->tail++ % POOL_RING] = job;
		enough = (p->tail - p->head) % WAKE_JOBS == 0;
	}
	pthread_mutex_unlock(&p->mu);
	/* Who is woken need not wait for the lock. */
	if (!failed && to_work)
		pthread_cond_signal(&p->more);
	else if (enough)
		pthread_cond_broadcast(&p->done);
	if (failed)
		job_free(job);
	return !failed;
}

void
pool_open(struct pool *p)
{
	pthread_mutex_lock(&p->mu);
	p->open = true;
	pthread_mutex_unlock(&p->mu);
}

void
pool_close(struct pool *p)
{
	pthread_mutex_lock(&p->mu);
	p->open = false;
	pthread_cond_broadcast(&p->done);
	pthread_mutex_unlock(&p->mu);
}

void
pool_fail(struct pool *p, const struct err *why)
{
	pthread_mutex_lock(&p->mu);
	fail(p, why);
	pthread_mutex_unlock(&p->mu);
}

/* Whether the oldest job can't be had now, but later; mu is held. */
static bool
must_wait(const struct pool *p)
{
	if (p->failed)
		return false;
	if (p->head == p->tail)
		return p->open;
	return !p->ring[p->head % POOL_RING]->done;
}

/* Those that are done, up to one that isn't: each lock taken costs time. */
static int
pop_done(struct pool *p, bool wait, struct err *err)
{
	int ret = 0;

	p->npopped = 0;
	p->given = 0;
	pthread_mutex_lock(&p->mu);
	while (wait && must_wait(p))
		pthread_cond_wait(&p->done, &p->mu);
	if (p->failed)
		ret = err_copy(err, &p->err);
	while (ret == 0 && p->npopped < POOL_POP && p->head < p->tail &&
	       p->ring[p->head % POOL_RING]->done)
		p->popped[p->npopped++] = p->ring[p->head++ % POOL_RING];
	if (p->taken < p->head)
		p->taken = p->head;
	pthread_mutex_unlock(&p->mu);
	if (p->npopped > 0)
		pthread_cond_signal(&p->room);
	return ret;
}

int
pool_pop(struct pool *p, bool wait, struct job **out, struct err *err)
{
	int ret;

	*out = NULL;
	if (p->given == p->npopped && (ret = pop_done(p, wait, err)) != 0)
		return ret;
	if (p->given == p->npopped)
		return 0;
	*out = p->popped[p->given++];
	return 1;
}

int
pool_flush(struct pool *p, struct err *err)
{
	int ret = 0;

	/* The ring is empty, so no worker touches its lane. */
	for (unsigned i = 0; i < p->nworkers && ret == 0; i++)
		ret = ingest_lane_flush(p->workers[i].lane, err);
	return ret;
}

/* --- pieces ------------------------------------------------------------ */

bool
pool_piece_send(struct pool *p, struct piece *piece)
{
	bool sent;

	pthread_mutex_lock(&p->mu);
	piece->done = false;
	piece->next = NULL;
	sent = !p->over && p->npieces < p->nworkers;
	if (sent) {
		*p->pieces_end = piece;
		p->pieces_end = &piece->next;
		p->npieces++;
		pthread_cond_signal(&p->more);
		pthread_cond_broadcast(&p->done); /* for who helps */
	}
	pthread_mutex_unlock(&p->mu);
	return sent;
}

int
pool_piece_wait(struct worker *w, struct piece *piece, struct err *err)
{
	struct pool *p = w->pool;
	struct piece *other;
	int ret = 0;

	pthread_mutex_lock(&p->mu);
	/* Also after a failure: another worker may be at it, in our memory. */
	while (!piece->done) {
		if ((other = take_piece(p)) != NULL)
			(void)do_piece(w, other); /* kept in p->err */
		else
			pthread_cond_wait(&p->done, &p->mu);
	}
	if (p->failed)
		ret = err_copy(err, &p->err);
	pthread_mutex_unlock(&p->mu);
	return ret;
}
