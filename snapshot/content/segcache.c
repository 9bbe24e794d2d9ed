#include "snapshot/content/segcache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 *	key ----> buckets ---> entry ---> segment
 *	                         ^
 *	chunk name ---> names ---'
 *
 * Every entry is in the list by last use. Of the chunks of kept segments, the
 * names table finds the entry without a look into an index; two chunks that
 * meet in one place of it displace each other, which costs that look-up only.
 * A segment on its way here is not an entry but a flight.
 */

/* Table sizes by what a typical segment, and chunk, takes. */
#define BYTES_A_BUCKET (16 * 1024)
#define BYTES_A_NAME 1024
#define TABLE_MIN 256
#define TABLE_MAX (1024 * 1024)

/* A sixteenth of the limit, but at least this many pages of indexes. */
#define PAGES_SHARE 16
#define PAGES_MIN 32

struct entry {
	struct segcache_key key;
	struct entry *chain;         /* in its bucket */
	struct entry *newer, *older; /* by last use */
	struct segment *seg;
	size_t memory;
};

struct flight {
	struct segcache_key key;
	struct flight *next;
	unsigned users; /* the loader and those who wait */
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

	pthread_mutex_t mu;
	/* All guarded by mu. */
	size_t memory;
	struct entry **buckets, **names;
	size_t nbuckets, nnames; /* powers of two */
	struct entry *newest, *oldest;
	struct flight *flights;
};

/* --- making ------------------------------------------------------------- */

static size_t
table_size(size_t want)
{
	size_t n = TABLE_MIN;

	while (n < want && n < TABLE_MAX)
		n *= 2;
	return n;
}

static int
make_parts(struct segcache *c, struct err *err)
{
	size_t npages = c->limit / PAGES_SHARE / INDEX_PAGE_LEN;
	int rc;

	c->nbuckets = table_size(c->limit / BYTES_A_BUCKET);
	c->nnames = table_size(c->limit / BYTES_A_NAME);
	c->buckets = calloc(c->nbuckets, sizeof(struct entry *));
	c->names = calloc(c->nnames, sizeof(struct entry *));
	if (c->buckets == NULL || c->names == NULL)
		return err_nomem(err);
	rc = segment_decoder_new(c->limit, &c->decoder, err);
	if (rc == 0)
		rc = index_pages_new(
		    npages < PAGES_MIN ? PAGES_MIN : npages, &c->pages, err);
	if (rc == 0)
		rc = prefetch_new(&c->prefetch, err);
	return rc;
}

int
segcache_new(size_t limit, struct segcache **out, struct err *err)
{
	AUTO(segcache) struct segcache *c = calloc(1, sizeof(*c));
	int rc;

	*out = NULL;
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

static void
free_entry(struct entry *e)
{
	segment_unref(e->seg);
	free(e);
}

void
segcache_free(struct segcache *c)
{
	if (c == NULL)
		return;
	prefetch_free(c->prefetch);
	while (c->oldest != NULL) {
		struct entry *e = c->oldest;

		c->oldest = e->newer;
		free_entry(e);
	}
	index_pages_free(c->pages);
	segment_decoder_unref(c->decoder);
	(void)pthread_mutex_destroy(&c->mu);
	free(c->buckets);
	free(c->names);
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
	return prefetch_start(c->prefetch, n, err);
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

size_t
segcache_memory(struct segcache *c)
{
	size_t memory;

	(void)pthread_mutex_lock(&c->mu);
	memory = c->memory;
	(void)pthread_mutex_unlock(&c->mu);
	return memory;
}

/* --- entries; all with mu held ------------------------------------------ */

/* Pack and chunk names are hashes: any bytes of them spread well. */
static size_t
hash_of(const uint8_t name[OBJECT_NAME_LEN])
{
	struct rd r = rd_init(name, OBJECT_NAME_LEN);

	return (size_t)rd_u64(&r);
}

static struct entry **
bucket_of(struct segcache *c, const struct segcache_key *key)
{
	size_t hash = hash_of(key->pack) + key->number * 0x9e3779b1u;

	return &c->buckets[hash & (c->nbuckets - 1)];
}

static struct entry **
name_slot(struct segcache *c, const struct chunk_name *name)
{
	return &c->names[hash_of(name->b) & (c->nnames - 1)];
}

static bool
same_key(const struct segcache_key *a, const struct segcache_key *b)
{
	return a->number == b->number &&
	       memcmp(a->pack, b->pack, sizeof(a->pack)) == 0 &&
	       memcmp(a->dataset, b->dataset, sizeof(a->dataset)) == 0;
}

static struct entry *
find_entry(struct segcache *c, const struct segcache_key *key)
{
	struct entry *e = *bucket_of(c, key);

	while (e != NULL && !same_key(&e->key, key))
		e = e->chain;
	return e;
}

static void
list_remove(struct segcache *c, struct entry *e)
{
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		c->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		c->oldest = e->newer;
}

static void
list_add(struct segcache *c, struct entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	if (c->newest != NULL)
		c->newest->newer = e;
	else
		c->oldest = e;
	c->newest = e;
}

static struct segment *
use(struct segcache *c, struct entry *e)
{
	list_remove(c, e);
	list_add(c, e);
	return segment_ref(e->seg);
}

static void
add_entry(struct segcache *c, struct entry *e)
{
	struct entry **bucket = bucket_of(c, &e->key);

	e->chain = *bucket;
	*bucket = e;
	list_add(c, e);
	c->memory += e->memory;
	for (size_t i = 0; i < segment_count(e->seg); i++) {
		struct segment_chunk ch = segment_chunk(e->seg, i);

		*name_slot(c, &ch.name) = e;
	}
}

static void
remove_entry(struct segcache *c, struct entry *e)
{
	struct entry **at = bucket_of(c, &e->key);

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	list_remove(c, e);
	c->memory -= e->memory;
	for (size_t i = 0; i < segment_count(e->seg); i++) {
		struct segment_chunk ch = segment_chunk(e->seg, i);
		struct entry **slot = name_slot(c, &ch.name);

		if (*slot == e)
			*slot = NULL;
	}
}

/*
 * Take entries that nobody uses out of the cache, the oldest first, until there
 * is room for ${memory} bytes. They are chained on ${victims}, to be freed
 * without the mutex. False: what is in use leaves too little room.
 */
static bool
make_room(struct segcache *c, size_t memory, struct entry **victims)
{
	struct entry *e, *newer;

	for (e = c->oldest; e != NULL && c->memory + memory > c->limit;
	     e = newer) {
		newer = e->newer;
		if (segment_shared(e->seg))
			continue;
		remove_entry(c, e);
		e->chain = *victims;
		*victims = e;
	}
	return c->memory + memory <= c->limit;
}

/* --- finding and loading ------------------------------------------------ */

struct segment *
segcache_find(struct segcache *c, const uint8_t dataset[DATASET_ID_LEN],
    const struct chunk_name *name)
{
	struct segment *seg = NULL;
	struct segment_chunk ch;
	struct entry *e;

	(void)pthread_mutex_lock(&c->mu);
	e = *name_slot(c, name);
	if (e != NULL && memcmp(e->key.dataset, dataset, DATASET_ID_LEN) == 0 &&
	    segment_find(e->seg, name, &ch))
		seg = use(c, e);
	(void)pthread_mutex_unlock(&c->mu);
	return seg;
}

/* With mu held. */
static struct flight *
find_flight(struct segcache *c, const struct segcache_key *key)
{
	struct flight *f = c->flights;

	while (f != NULL && !same_key(&f->key, key))
		f = f->next;
	return f;
}

bool
segcache_busy(struct segcache *c, const struct segcache_key *key)
{
	bool busy;

	(void)pthread_mutex_lock(&c->mu);
	busy = find_entry(c, key) != NULL || find_flight(c, key) != NULL;
	(void)pthread_mutex_unlock(&c->mu);
	return busy;
}

/* With mu held. */
static struct flight *
begin_flight(struct segcache *c, const struct segcache_key *key)
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

/* With mu held: the outcome is there; it becomes an entry if there is room. */
static void
land(struct segcache *c, struct flight *f, struct entry **victims)
{
	struct flight **at = &c->flights;
	struct entry *e;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->done = true;
	(void)pthread_cond_broadcast(&f->landed);
	if (f->rc != 0)
		return;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return;
	e->memory = segment_memory(f->seg) + sizeof(*e);
	if (!make_room(c, e->memory, victims)) {
		free(e);
		return;
	}
	e->key = f->key;
	e->seg = segment_ref(f->seg);
	add_entry(c, e);
}

static int
fly(struct segcache *c, struct flight *f, segcache_load_fn *load, void *arg,
    struct segment **out, struct err *err)
{
	struct entry *victims = NULL, *next;
	int rc;

	f->rc = load(arg, &f->seg, &f->err);
	(void)pthread_mutex_lock(&c->mu);
	land(c, f, &victims);
	rc = leave_flight(f, out, err);
	(void)pthread_mutex_unlock(&c->mu);
	for (; victims != NULL; victims = next) {
		next = victims->chain;
		free_entry(victims);
	}
	return rc;
}

int
segcache_get(struct segcache *c, const struct segcache_key *key,
    segcache_load_fn *load, void *arg, struct segment **out, struct err *err)
{
	struct entry *e;
	struct flight *f;
	int rc = 0;

	*out = NULL;
	(void)pthread_mutex_lock(&c->mu);
	e = find_entry(c, key);
	f = e != NULL ? NULL : find_flight(c, key);
	if (e != NULL) {
		*out = use(c, e);
	} else if (f != NULL) {
		f->users++;
		while (!f->done)
			(void)pthread_cond_wait(&f->landed, &c->mu);
		rc = leave_flight(f, out, err);
	} else {
		f = begin_flight(c, key);
		(void)pthread_mutex_unlock(&c->mu);
		return f == NULL ? err_nomem(err)
				 : fly(c, f, load, arg, out, err);
	}
	(void)pthread_mutex_unlock(&c->mu);
	return rc;
}
