#include "snapshot/content/chunks.h"
#include "snapshot/content/index_set.h"
#include "snapshot/content/pack_cache.h"
#include "snapshot/content/segcache.h"
#include "snapshot/content/verify.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chunks {
	struct segcache *cache;
	struct index_source src;
	struct pack_cache *packs;
	struct verifier *verifier;

	pthread_mutex_t mu;
	struct index_set *set; /* guarded by mu */
	uint64_t generation;   /* of the set; guarded by mu */

	pthread_mutex_t refresh_mu; /* held while one is under way */
	chunks_refresh_fn *refresh; /* set before look-ups begin */
	void *refresh_arg;
};

/* --- making ------------------------------------------------------------- */

static int
make_parts(struct chunks *c, struct err *err)
{
	int rc = pack_cache_new(c->src.store, c->src.kr,
	    segcache_decoder(c->cache), c->src.dataset, &c->packs, err);

	if (rc != 0)
		return rc;
	rc = verifier_new(&keyring_latest(c->src.kr)->id, &c->verifier, err);
	if (rc != 0)
		return rc;
	return index_set_new(&c->src, NULL, NULL, 0, &c->set, err);
}

int
chunks_new(struct store *store, struct segcache *cache,
    const struct keyring *kr, struct chunks **out, struct err *err)
{
	AUTO(chunks) struct chunks *c = NULL;
	const struct keyset *ks = keyring_latest(kr);
	int rc;

	*out = NULL;
	if (ks == NULL)
		return err_set(err, ERR_USAGE, "no keys to read chunks with");
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_nomem(err);
	c->cache = cache;
	c->src.store = store;
	c->src.kr = kr;
	c->src.pages = segcache_pages(cache);
	memcpy(c->src.dataset, ks->dataset, DATASET_ID_LEN);
	(void)pthread_mutex_init(&c->mu, NULL);
	(void)pthread_mutex_init(&c->refresh_mu, NULL);
	rc = make_parts(c, err);
	if (rc != 0)
		return rc;
	*out = STEAL(c);
	return 0;
}

void
chunks_free(struct chunks *c)
{
	if (c == NULL)
		return;
	prefetch_forget(segcache_prefetch(c->cache), c);
	index_set_unref(c->set);
	pack_cache_free(c->packs);
	verifier_free(c->verifier);
	(void)pthread_mutex_destroy(&c->mu);
	(void)pthread_mutex_destroy(&c->refresh_mu);
	free(c);
}

/* The set to look in: a reference, and the number of this set. */
static struct index_set *
current_set(struct chunks *c, uint64_t *generation)
{
	struct index_set *set;

	(void)pthread_mutex_lock(&c->mu);
	set = index_set_ref(c->set);
	*generation = c->generation;
	(void)pthread_mutex_unlock(&c->mu);
	return set;
}

int
chunks_set_indexes(struct chunks *c, const uint8_t (*names)[OBJECT_NAME_LEN],
    size_t n, struct err *err)
{
	uint64_t generation;
	struct index_set *before = current_set(c, &generation);
	struct index_set *set, *old;
	int rc = index_set_new(&c->src, before, names, n, &set, err);

	index_set_unref(before);
	if (rc != 0)
		return rc;
	(void)pthread_mutex_lock(&c->mu);
	old = c->set;
	c->set = set;
	c->generation++;
	(void)pthread_mutex_unlock(&c->mu);
	index_set_unref(old);
	return 0;
}

void
chunks_on_missing(struct chunks *c, chunks_refresh_fn *fn, void *arg)
{
	c->refresh = fn;
	c->refresh_arg = arg;
}

/* --- looking up --------------------------------------------------------- */

/*
 * What came of a look-up that goes from index to index: the failure that tells
 * most, and whether something was not where an index, or the log, says.
 */
struct outcome {
	int rc;
	struct err err;
	bool missing;
};

/*
 * What there is but can't be read tells more than what isn't there. The keys are
 * the dataset's: an object that they don't open is damaged.
 */
static void
note_failure(struct outcome *o, int rc, const struct err *err)
{
	if (rc == ERR_AUTH)
		rc = ERR_CORRUPT;
	if (rc == ERR_NOT_FOUND)
		o->missing = true;
	if (o->rc == 0 || (o->rc == ERR_NOT_FOUND && rc != ERR_NOT_FOUND)) {
		o->rc = rc;
		o->err = *err;
		o->err.code = rc;
	}
}

/* What to do with a place where the chunk should be; 0 ends the look-up. */
typedef int place_fn(struct chunks *c, const struct chunk_name *name,
    const struct chunk_place *place, void *out, struct err *err);

static void
try_index(struct chunks *c, const struct index_set *set, size_t i,
    const struct chunk_name *name, place_fn *fn, void *out, bool *done,
    struct outcome *o)
{
	struct chunk_place place;
	struct err err = {0};
	bool found;
	int rc = index_set_lookup(set, i, name, &place, &found, &err);

	/* The log names it: once looking again does not help, it is damage. */
	if (rc == ERR_NOT_FOUND) {
		o->missing = true;
		rc = err.code = ERR_CORRUPT;
	}
	if (rc == 0 && found) {
		rc = fn(c, name, &place, out, &err);
		*done = rc == 0;
	}
	if (rc != 0)
		note_failure(o, rc, &err);
}

/*
 * Try every place that the set's indexes list, those of the newest first: a
 * chunk may be stored twice, and one of them be damaged.
 */
static void
try_set(struct chunks *c, const struct index_set *set,
    const struct chunk_name *name, place_fn *fn, void *out, struct outcome *o)
{
	bool done = false;

	*o = (struct outcome){0};
	for (size_t i = index_set_count(set); !done && i > 0; i--)
		try_index(c, set, i - 1, name, fn, out, &done, o);
	if (done) {
		o->rc = 0;
		o->missing = false;
	} else if (o->rc == 0) {
		o->missing = true;
		o->rc = err_set(
		    &o->err, ERR_NOT_FOUND, "no index of the dataset lists it");
	}
}

/*
 * Learn of newer indexes; whether to look again. Of several threads that miss
 * something at a time, one asks.
 */
static bool
refresh(struct chunks *c, uint64_t generation)
{
	struct index_set *set;
	struct err err;
	uint64_t now;
	bool again;

	if (c->refresh == NULL)
		return false;
	(void)pthread_mutex_lock(&c->refresh_mu);
	set = current_set(c, &now);
	index_set_unref(set);
	again = now != generation || c->refresh(c->refresh_arg, &err) == 0;
	(void)pthread_mutex_unlock(&c->refresh_mu);
	return again;
}

/* "chunk 0123...: what went wrong" */
static int
name_chunk(const struct chunk_name *name, int rc, struct err *err)
{
	char text[2 * CHUNK_NAME_LEN + 1];

	for (size_t i = 0; i < CHUNK_NAME_LEN; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", name->b[i]);
	(void)err_wrap(err, "chunk %s", text);
	return rc;
}

static int
look_up(struct chunks *c, const struct chunk_name *name, place_fn *fn,
    void *out, struct err *err)
{
	struct outcome o;
	uint64_t generation;
	struct index_set *set = current_set(c, &generation);

	try_set(c, set, name, fn, out, &o);
	index_set_unref(set);
	if (o.rc != 0 && o.missing && refresh(c, generation)) {
		set = current_set(c, &generation);
		try_set(c, set, name, fn, out, &o);
		index_set_unref(set);
	}
	if (o.rc == 0)
		return 0;
	(void)err_copy(err, &o.err);
	return name_chunk(name, o.rc, err);
}

static int
take_place(struct chunks *c, const struct chunk_name *name,
    const struct chunk_place *place, void *out, struct err *err)
{
	(void)c;
	(void)name;
	(void)err;
	memcpy(out, place, sizeof(*place));
	return 0;
}

int
chunks_place(struct chunks *c, const struct chunk_name *name,
    struct chunk_place *place, struct err *err)
{
	return look_up(c, name, take_place, place, err);
}

/* --- segments ----------------------------------------------------------- */

struct load {
	struct chunks *c;
	const struct chunk_place *place;
};

static int
load_segment(void *arg, struct segment **out, struct err *err)
{
	const struct load *l = arg;
	AUTO(pack) struct pack *pack = NULL;
	int rc = pack_cache_get(l->c->packs, l->place->pack, &pack, err);

	if (rc == 0)
		rc = pack_segment(pack, &l->place->segment, out, err);
	if (rc == ERR_NOT_FOUND)
		pack_cache_forget(l->c->packs, l->place->pack);
	return rc;
}

static void
key_of(const struct chunks *c, const struct chunk_place *place,
    struct segtable_key *key)
{
	memcpy(key->dataset, c->src.dataset, DATASET_ID_LEN);
	memcpy(key->pack, place->pack, OBJECT_NAME_LEN);
	key->number = place->segment.number;
}

static int
take_segment(struct chunks *c, const struct chunk_name *name,
    const struct chunk_place *place, void *out, struct err *err)
{
	struct load load = {.c = c, .place = place};
	struct segment **seg = out;
	struct segtable_key key;

	(void)name;
	key_of(c, place, &key);
	return segcache_get(c->cache, &key, load_segment, &load, seg, err);
}

/* --- chunks ------------------------------------------------------------- */

/* What is looked for, and what was found. */
struct want {
	enum chunk_kind kind;
	struct segment *seg;
	struct segment_chunk ch;
};

/* Whether ${w}->seg holds the chunk that is wanted, with the bytes it names. */
static int
accept(struct chunks *c, const struct chunk_name *name, struct want *w,
    struct err *err)
{
	int rc;

	if (!segment_find(w->seg, name, &w->ch))
		return err_set(err, ERR_CORRUPT, "does not hold it");
	if (w->ch.kind != w->kind)
		return err_set(err, ERR_CORRUPT, "of another kind");
	if (segment_vouched(w->seg, w->ch.number))
		return 0;
	rc = verifier_check(
	    c->verifier, name, w->kind, w->ch.data, w->ch.len, err);
	if (rc == 0)
		segment_vouch(w->seg, w->ch.number);
	return rc;
}

/* A place_fn for a struct want. */
static int
take_chunk(struct chunks *c, const struct chunk_name *name,
    const struct chunk_place *place, void *out, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_PACK};
	char text[OBJECT_REF_TEXT];
	struct want *w = out;
	int rc = take_segment(c, name, place, &w->seg, err);

	if (rc != 0)
		return rc;
	rc = accept(c, name, w, err);
	if (rc == 0)
		return 0;
	segment_unref(STEAL(w->seg));
	memcpy(ref.dataset, c->src.dataset, sizeof(ref.dataset));
	memcpy(ref.name, place->pack, sizeof(ref.name));
	object_ref_text(&ref, text);
	(void)err_wrap(
	    err, "pack '%s': segment %u", text, place->segment.number);
	return rc;
}

int
chunks_get(struct chunks *c, const struct chunk_name *name,
    enum chunk_kind kind, struct chunk *out, struct err *err)
{
	struct want w = {.kind = kind};
	struct err why;
	int rc;

	*out = (struct chunk){0};
	w.seg = segcache_find(c->cache, c->src.dataset, name);
	/* What some other segment has under this name is not to be believed. */
	if (w.seg != NULL && accept(c, name, &w, &why) != 0)
		segment_unref(STEAL(w.seg));
	if (w.seg == NULL) {
		rc = look_up(c, name, take_chunk, &w, err);
		if (rc != 0)
			return rc;
	}
	*out = (struct chunk){.seg = w.seg, .data = w.ch.data, .len = w.ch.len};
	return 0;
}

void
chunk_release(struct chunk *ch)
{
	segment_unref(STEAL(ch->seg));
	ch->data = NULL;
	ch->len = 0;
}

bool
chunk_beside(const struct chunk *ch, const struct chunk_name *name)
{
	struct segment_chunk other;

	return segment_find(ch->seg, name, &other);
}

/* A segment that is there, or that another thread fetches, is left alone. */
static int
warm_segment(struct chunks *c, const struct chunk_name *name,
    const struct chunk_place *place, void *out, struct err *err)
{
	struct segtable_key key;

	key_of(c, place, &key);
	if (segcache_busy(c->cache, &key))
		return 0;
	return take_segment(c, name, place, out, err);
}

/* A failure will be seen, and told, by who comes to need the chunk. */
static void
warm(void *owner, const struct chunk_name *name)
{
	struct chunks *c = owner;
	struct segment *seg = NULL;
	struct outcome o;
	uint64_t generation;
	struct index_set *set = current_set(c, &generation);

	try_set(c, set, name, warm_segment, &seg, &o);
	index_set_unref(set);
	segment_unref(seg);
}

void
chunks_prefetch(struct chunks *c, const struct chunk_name *name)
{
	struct segment *seg = segcache_find(c->cache, c->src.dataset, name);

	if (seg == NULL)
		prefetch_put(segcache_prefetch(c->cache), warm, c, name);
	segment_unref(seg);
}
