#include "snapshot/content/segcache.h"

#include <pthread.h>
#include <stdlib.h>

/* Pages of indexes: a sixteenth of the limit, but at least this many. */
#define PAGES_SHARE 16
#define PAGES_MIN 32

/*
 * A segment on its way here, between the thread that opens it and those that
 * wait for it; the last of them cleans up.
 */
struct flight {
	struct segtable_key key;
	struct flight *next;
	unsigned users;
	bool done;
	int rc;
	struct err err;
	struct segment *seg;
	pthread_cond_t landed;
};

struct segcache {
	size_t limit;
	struct segment_decoder *decoder;
	struct index_pages *pages;
	struct prefetch *prefetch;
	struct prefetch *fetch;

	pthread_mutex_t mu;
	struct segtable *table; /* guarded by mu */
	struct flight *flights; /* guarded by mu, and what they point to */
};

/* --- making ------------------------------------------------------------- */

static int
make_parts(struct segcache *c, struct err *err)
{
	size_t npages = c->limit / PAGES_SHARE / INDEX_PAGE_LEN;
	int rc;

	rc = segtable_new(c->limit, &c->table, err);
	if (rc == 0)
		rc = segment_decoder_new(c->limit, &c->decoder, err);
	if (rc == 0)
		rc = index_pages_new(
		    npages < PAGES_MIN ? PAGES_MIN : npages, &c->pages, err);
	if (rc == 0)
		rc = prefetch_new(&c->prefetch, err);
	if (rc == 0)
		rc = prefetch_new(&c->fetch, err);
	return rc;
}

int
segcache_new(size_t limit, struct segcache **out, struct err *err)
{
	AUTO(segcache) struct segcache *c = NULL;
	int rc;

	*out = NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_nomem(err);
	c->limit = limit;
	(void)pthread_mutex_init(&c->mu, NULL);
	rc = make_parts(c, err);
	if (rc != 0)
		return rc;
	*out = STEAL(c);
	return 0;
}

void
segcache_free(struct segcache *c)
{
	if (c == NULL)
		return;
	prefetch_free(c->prefetch);
	prefetch_free(c->fetch);
	segtable_free(c->table);
	index_pages_free(c->pages);
	segment_decoder_unref(c->decoder);
	(void)pthread_mutex_destroy(&c->mu);
	free(c);
}

size_t
segcache_limit(const struct segcache *c)
{
	return c->limit;
}

int
segcache_threads(struct segcache *c, unsigned n, struct err *err)
{
	int rc = prefetch_start(c->prefetch, n, err);

	return rc == 0 ? prefetch_start(c->fetch, 1, err) : rc;
}

struct segment_decoder *
segcache_decoder(struct segcache *c)
{
	return c->decoder;
}

struct index_pages *
segcache_pages(struct segcache *c)
{
	return c->pages;
}

struct prefetch *
segcache_prefetch(struct segcache *c)
{
	return c->prefetch;
}

struct prefetch *
segcache_fetch(struct segcache *c)
{
	return c->fetch;
}

/* --- finding ------------------------------------------------------------ */

size_t
segcache_memory(struct segcache *c)
{
	size_t memory;

	(void)pthread_mutex_lock(&c->mu);
	memory = segtable_memory(c->table);
	(void)pthread_mutex_unlock(&c->mu);
	return memory;
}

struct segment *
segcache_find(struct segcache *c, const uint8_t dataset[DATASET_ID_LEN],
    const struct chunk_name *name)
{
	struct segment *seg;

	(void)pthread_mutex_lock(&c->mu);
	seg = segtable_find(c->table, dataset, name);
	(void)pthread_mutex_unlock(&c->mu);
	return seg;
}

/* With mu held. */
static struct flight *
find_flight(struct segcache *c, const struct segtable_key *key)
{
	struct flight *f = c->flights;

	while (f != NULL && !segtable_key_equal(&f->key, key))
		f = f->next;
	return f;
}

bool
segcache_busy(struct segcache *c, const struct segtable_key *key)
{
	bool busy;

	(void)pthread_mutex_lock(&c->mu);
	busy = segtable_has(c->table, key) || find_flight(c, key) != NULL;
	(void)pthread_mutex_unlock(&c->mu);
	return busy;
}

/* --- opening ------------------------------------------------------------ */

/* With mu held. */
static struct flight *
begin_flight(struct segcache *c, const struct segtable_key *key)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	(void)pthread_cond_init(&f->landed, NULL);
	f->key = *key;
	f->users = 1;
	f->next = c->flights;
	c->flights = f;
	return f;
}

/* With mu held: take the outcome; the last user cleans up. */
static int
leave_flight(struct flight *f, struct segment **out, struct err *err)
{
	int rc = f->rc;

	if (rc == 0)
		*out = segment_ref(f->seg);
	else
		(void)err_copy(err, &f->err);
	if (--f->users == 0) {
		segment_unref(f->seg);
		(void)pthread_cond_destroy(&f->landed);
		free(f);
	}
	return rc;
}

/* With mu held: the outcome is there, and kept if it is a segment. */
static struct segtable_entry *
land(struct segcache *c, struct flight *f)
{
	struct flight **at = &c->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->done = true;
	(void)pthread_cond_broadcast(&f->landed);
	return f->rc != 0 ? NULL : segtable_keep(c->table, &f->key, f->seg);
}

static int
fly(struct segcache *c, struct flight *f, segcache_load_fn *load, void *arg,
    struct segment **out, struct err *err)
{
	struct segtable_entry *gone;
	int rc;

	f->rc = load(arg, &f->seg, &f->err);
	(void)pthread_mutex_lock(&c->mu);
	gone = land(c, f);
	rc = leave_flight(f, out, err);
	(void)pthread_mutex_unlock(&c->mu);
	segtable_free_entries(gone);
	return rc;
}

int
segcache_get(struct segcache *c, const struct segtable_key *key,
    segcache_load_fn *load, void *arg, struct segment **out, struct err *err)
{
	struct flight *f = NULL;
	int rc = 0;

	(void)pthread_mutex_lock(&c->mu);
	*out = segtable_get(c->table, key);
	if (*out == NULL)
		f = find_flight(c, key);
	if (*out == NULL && f == NULL) {
		f = begin_flight(c, key);
		(void)pthread_mutex_unlock(&c->mu);
		return f == NULL ? err_nomem(err)
				 : fly(c, f, load, arg, out, err);
	}
	if (f != NULL) {
		f->users++;
		while (!f->done)
			(void)pthread_cond_wait(&f->landed, &c->mu);
		rc = leave_flight(f, out, err);
	}
	(void)pthread_mutex_unlock(&c->mu);
	return rc;
}
