#include "snapshot/content/segtable.h"

#include <stdlib.h>
#include <string.h>

/*
 *	place -------> buckets ---> entry ---> segment
 *	                              ^
 *	chunk name --> names ---------'
 *
 * Every entry is in the list by last use. Of the chunks of kept segments, the
 * names table finds the entry without a look into an index; two chunks that
 * meet in one slot of it displace each other, which costs that look only.
 */

/* Table sizes by what a typical segment, and chunk, takes. */
#define BYTES_A_BUCKET (16 * 1024)
#define BYTES_A_NAME 1024
#define TABLE_MIN 256
#define TABLE_MAX (1024 * 1024)

struct segtable_entry {
	struct segtable_key key;
	struct segtable_entry *chain;         /* in its bucket */
	struct segtable_entry *newer, *older; /* by last use */
	struct segment *seg;
	size_t memory;
};

struct segtable {
	size_t limit;
	size_t memory;
	struct segtable_entry **buckets, **names;
	size_t nbuckets, nnames; /* powers of two */
	struct segtable_entry *newest, *oldest;
};

bool
segtable_key_equal(const struct segtable_key *a, const struct segtable_key *b)
{
	return a->number == b->number &&
	       memcmp(a->pack, b->pack, sizeof(a->pack)) == 0 &&
	       memcmp(a->dataset, b->dataset, sizeof(a->dataset)) == 0;
}

/* --- making ------------------------------------------------------------- */

static size_t
table_size(size_t want)
{
	size_t n = TABLE_MIN;

	while (n < want && n < TABLE_MAX)
		n *= 2;
	return n;
}

int
segtable_new(size_t limit, struct segtable **out, struct err *err)
{
	AUTO(segtable) struct segtable *t = calloc(1, sizeof(*t));

	*out = NULL;
	if (t == NULL)
		return err_nomem(err);
	t->limit = limit;
	t->nbuckets = table_size(limit / BYTES_A_BUCKET);
	t->nnames = table_size(limit / BYTES_A_NAME);
	t->buckets = calloc(t->nbuckets, sizeof(struct segtable_entry *));
	t->names = calloc(t->nnames, sizeof(struct segtable_entry *));
	if (t->buckets == NULL || t->names == NULL)
		return err_nomem(err);
	*out = STEAL(t);
	return 0;
}

static void
free_entry(struct segtable_entry *e)
{
	segment_unref(e->seg);
	free(e);
}

void
segtable_free(struct segtable *t)
{
	if (t == NULL)
		return;
	while (t->oldest != NULL) {
		struct segtable_entry *e = t->oldest;

		t->oldest = e->newer;
		free_entry(e);
	}
	free(t->buckets);
	free(t->names);
	free(t);
}

void
segtable_free_entries(struct segtable_entry *list)
{
	while (list != NULL) {
		struct segtable_entry *e = list;

		list = e->chain;
		free_entry(e);
	}
}

size_t
segtable_memory(const struct segtable *t)
{
	return t->memory;
}

/* --- entries ------------------------------------------------------------ */

/* Pack and chunk names are hashes: any bytes of them spread well. */
static size_t
hash_of(const uint8_t name[OBJECT_NAME_LEN])
{
	struct rd r = rd_init(name, OBJECT_NAME_LEN);

	return (size_t)rd_u64(&r);
}

static struct segtable_entry **
bucket_of(struct segtable *t, const struct segtable_key *key)
{
	size_t hash = hash_of(key->pack) + key->number * (size_t)0x9e3779b1;

	return &t->buckets[hash & (t->nbuckets - 1)];
}

static struct segtable_entry **
name_slot(struct segtable *t, const struct chunk_name *name)
{
	return &t->names[hash_of(name->b) & (t->nnames - 1)];
}

static struct segtable_entry *
find_entry(struct segtable *t, const struct segtable_key *key)
{
	struct segtable_entry *e = *bucket_of(t, key);

	while (e != NULL && !segtable_key_equal(&e->key, key))
		e = e->chain;
	return e;
}

static void
list_remove(struct segtable *t, struct segtable_entry *e)
{
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		t->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		t->oldest = e->newer;
}

static void
list_add(struct segtable *t, struct segtable_entry *e)
{
	e->newer = NULL;
	e->older = t->newest;
	if (t->newest != NULL)
		t->newest->newer = e;
	else
		t->oldest = e;
	t->newest = e;
}

static void
add_entry(struct segtable *t, struct segtable_entry *e)
{
	struct segtable_entry **bucket = bucket_of(t, &e->key);

	e->chain = *bucket;
	*bucket = e;
	list_add(t, e);
	t->memory += e->memory;
	for (size_t i = 0; i < segment_count(e->seg); i++) {
		struct segment_chunk ch = segment_chunk(e->seg, i);

		*name_slot(t, &ch.name) = e;
	}
}

static void
remove_entry(struct segtable *t, struct segtable_entry *e)
{
	struct segtable_entry **at = bucket_of(t, &e->key);

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	list_remove(t, e);
	t->memory -= e->memory;
	for (size_t i = 0; i < segment_count(e->seg); i++) {
		struct segment_chunk ch = segment_chunk(e->seg, i);
		struct segtable_entry **slot = name_slot(t, &ch.name);

		if (*slot == e)
			*slot = NULL;
	}
}

/* --- finding ------------------------------------------------------------ */

static struct segment *
use(struct segtable *t, struct segtable_entry *e)
{
	list_remove(t, e);
	list_add(t, e);
	return segment_ref(e->seg);
}

struct segment *
segtable_get(struct segtable *t, const struct segtable_key *key)
{
	struct segtable_entry *e = find_entry(t, key);

	return e == NULL ? NULL : use(t, e);
}

bool
segtable_has(struct segtable *t, const struct segtable_key *key)
{
	return find_entry(t, key) != NULL;
}

struct segment *
segtable_find(struct segtable *t, const uint8_t dataset[DATASET_ID_LEN],
    const struct chunk_name *name)
{
	struct segtable_entry *e = *name_slot(t, name);
	struct segment_chunk ch;

	if (e == NULL || memcmp(e->key.dataset, dataset, DATASET_ID_LEN) != 0 ||
	    !segment_find(e->seg, name, &ch))
		return NULL;
	return use(t, e);
}

/* --- keeping ------------------------------------------------------------ */

/*
 * Take entries that nobody uses out, the oldest first, until there is room for
 * ${memory} bytes; they are chained on ${gone}. Whether there is room: what is
 * in use may leave too little.
 */
static bool
make_room(struct segtable *t, size_t memory, struct segtable_entry **gone)
{
	struct segtable_entry *e = t->oldest;

	while (e != NULL && t->memory + memory > t->limit) {
		struct segtable_entry *newer = e->newer;

		if (!segment_shared(e->seg)) {
			remove_entry(t, e);
			e->chain = *gone;
			*gone = e;
		}
		e = newer;
	}
	return t->memory + memory <= t->limit;
}

struct segtable_entry *
segtable_keep(
    struct segtable *t, const struct segtable_key *key, struct segment *seg)
{
	struct segtable_entry *gone = NULL;
	struct segtable_entry *e = calloc(1, sizeof(*e));

	/* A cache may forget: without memory for the entry it does at once. */
	if (e == NULL)
		return NULL;
	e->memory = segment_memory(seg) + sizeof(*e);
	if (!make_room(t, e->memory, &gone)) {
		free(e);
		return gone;
	}
	e->key = *key;
	e->seg = segment_ref(seg);
	add_entry(t, e);
	return gone;
}
