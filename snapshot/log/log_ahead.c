#include "snapshot/log/log_ahead.h"
#include "crypto/thread.h"

#include <stdlib.h>

/*
 * Records change hands in batches, since waking a thread costs more than reading
 * a record that is in memory. Batch b stands in slot b % SLOTS from when a
 * thread sets out to read it until the next one is asked for.
 */
#define BATCH 16 /* records */
#define SLOTS 8
#define READERS 4

struct batch {
	bool ready;
	struct {
		uint8_t *buf; /* NULL: not read, or taken */
		size_t len;
	} v[BATCH];
};

struct log_ahead {
	struct store *store;
	const struct object_ref *refs;
	size_t n;
	size_t nbatches;
	pthread_mutex_t lock;
	pthread_cond_t came; /* a batch is ready */
	pthread_cond_t room; /* a slot is free, or it is over */
	struct batch slots[SLOTS];
	size_t next;  /* batch for a reader to set out for */
	size_t asked; /* batch that is being taken from */
	bool over;
	pthread_t readers[READERS];
	size_t nreaders;
};

/* --- readers -------------------------------------------------------------- */

/* The slot of the next batch is then the caller's, until it is ready. */
static bool
next_batch(struct log_ahead *a, size_t *b)
{
	while (!a->over && a->next < a->nbatches && a->next >= a->asked + SLOTS)
		(void)pthread_cond_wait(&a->room, &a->lock);
	if (a->over || a->next == a->nbatches)
		return false;
	*b = a->next++;
	return true;
}

/*
 * What can't be read is read again by who asks for it, and told there; where the
 * store fails, not a record, the rest of the batch would only wait for the same.
 */
static void
read_batch(const struct log_ahead *a, size_t b, struct batch *batch)
{
	size_t first = b * BATCH;

	for (size_t i = 0; i < BATCH && first + i < a->n; i++) {
		int rc = store_get(a->store, &a->refs[first + i],
		    LOG_AHEAD_BYTES, &batch->v[i].buf, &batch->v[i].len, NULL);

		if (rc != 0)
			batch->v[i].buf = NULL;
		if (rc == ERR_IO)
			break;
	}
}

static void *
reader_main(void *arg)
{
	struct log_ahead *a = arg;
	size_t b;

	(void)pthread_mutex_lock(&a->lock);
	while (next_batch(a, &b)) {
		struct batch *batch = &a->slots[b % SLOTS];

		(void)pthread_mutex_unlock(&a->lock);
		read_batch(a, b, batch);
		(void)pthread_mutex_lock(&a->lock);
		batch->ready = true;
		(void)pthread_cond_signal(&a->came);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* --- who asks ------------------------------------------------------------- */

struct log_ahead *
log_ahead_start(struct store *s, const struct object_ref *refs, size_t n)
{
	struct log_ahead *a;

	if (n < LOG_AHEAD_MIN)
		return NULL;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->store = s;
	a->refs = refs;
	a->n = n;
	a->nbatches = (n + BATCH - 1) / BATCH;
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->came, NULL);
	(void)pthread_cond_init(&a->room, NULL);
	while (a->nreaders < READERS &&
	       thread_start(&a->readers[a->nreaders], reader_main, a) == 0)
		a->nreaders++;
	if (a->nreaders == 0) {
		log_ahead_free(a);
		return NULL;
	}
	return a;
}

static void
empty(struct batch *batch)
{
	for (size_t i = 0; i < BATCH; i++) {
		free(batch->v[i].buf);
		batch->v[i].buf = NULL;
	}
	batch->ready = false;
}

/* The batches before ${b} are done with. */
static struct batch *
ask_for(struct log_ahead *a, size_t b)
{
	struct batch *batch;

	(void)pthread_mutex_lock(&a->lock);
	for (;;) {
		batch = &a->slots[a->asked % SLOTS];
		while (!batch->ready)
			(void)pthread_cond_wait(&a->came, &a->lock);
		if (a->asked == b)
			break;
		empty(batch);
		a->asked++;
		(void)pthread_cond_signal(&a->room);
	}
	(void)pthread_mutex_unlock(&a->lock);
	return batch;
}

bool
log_ahead_take(struct log_ahead *a, const struct object_ref *ref, uint8_t **buf,
    size_t *len)
{
	struct batch *batch;
	size_t i;

	if (a == NULL)
		return false;
	i = (size_t)(ref - a->refs);
	if (i / BATCH < a->asked)
		return false;
	batch = ask_for(a, i / BATCH);
	*buf = batch->v[i % BATCH].buf;
	*len = batch->v[i % BATCH].len;
	batch->v[i % BATCH].buf = NULL;
	return *buf != NULL;
}

void
log_ahead_free(struct log_ahead *a)
{
	if (a == NULL)
		return;
	(void)pthread_mutex_lock(&a->lock);
	a->over = true;
	(void)pthread_cond_broadcast(&a->room);
	(void)pthread_mutex_unlock(&a->lock);
	for (size_t i = 0; i < a->nreaders; i++)
		(void)pthread_join(a->readers[i], NULL);
	for (size_t i = 0; i < SLOTS; i++)
		empty(&a->slots[i]);
	(void)pthread_cond_destroy(&a->room);
	(void)pthread_cond_destroy(&a->came);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}
