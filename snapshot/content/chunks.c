#include "snapshot/content/chunks_internal.h"

#include <stdlib.h>
#include <string.h>

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
	prefetch_forget(segcache_fetch(c->cache), c);
	index_set_unref(c->set);
	free(c->narrow);
	pack_cache_free(c->packs);
	verifier_free(c->verifier);
	(void)pthread_mutex_destroy(&c->mu);
	(void)pthread_mutex_destroy(&c->refresh_mu);
	free(c);
}

struct index_set *
chunks_current(struct chunks *c, uint64_t *generation)
{
	struct index_set *set;

	(void)pthread_mutex_lock(&c->mu);
	set = index_set_ref(c->set);
	*generation = c->generation;
	(void)pthread_mutex_unlock(&c->mu);
	return set;
}

static int
set_indexes(struct chunks *c, const uint8_t (*names)[OBJECT_NAME_LEN], size_t n,
    bool wide, struct err *err)
{
	uint64_t generation;
	struct index_set *before = chunks_current(c, &generation);
	struct index_set *set, *old;
	int rc = index_set_new(&c->src, before, names, n, &set, err);

	index_set_unref(before);
	if (rc != 0)
		return rc;
	(void)pthread_mutex_lock(&c->mu);
	old = c->set;
	c->set = set;
	c->wide = wide;
	c->generation++;
	(void)pthread_mutex_unlock(&c->mu);
	index_set_unref(old);
	return 0;
}

/* Whether that is the set already, with older ones or without; or it is now. */
static int
note_narrow(struct chunks *c, const uint8_t (*names)[OBJECT_NAME_LEN], size_t n,
    bool *same, struct err *err)
{
	uint8_t(*copy)[OBJECT_NAME_LEN] = calloc(n + 1, sizeof(*copy));

	if (copy == NULL)
		return err_nomem(err);
	if (n > 0)
		memcpy(copy, names, n * sizeof(*copy));
	(void)pthread_mutex_lock(&c->mu);
	*same = c->narrow != NULL && c->nnarrow == n &&
		memcmp(c->narrow, copy, n * sizeof(*copy)) == 0;
	if (!*same) {
		free(c->narrow);
		c->narrow = STEAL(copy);
		c->nnarrow = n;
	}
	(void)pthread_mutex_unlock(&c->mu);
	free(copy);
	return 0;
}

/* One that is wide already stays so while nothing is new. */
int
chunks_set_indexes(struct chunks *c, const uint8_t (*names)[OBJECT_NAME_LEN],
    size_t n, struct err *err)
{
	bool same = false, wide;
	int rc = note_narrow(c, names, n, &same, err);

	if (rc != 0)
		return rc;
	(void)pthread_mutex_lock(&c->mu);
	wide = c->wide;
	(void)pthread_mutex_unlock(&c->mu);
	return same && wide ? 0 : set_indexes(c, names, n, false, err);
}

int
chunks_widen_indexes(struct chunks *c, const uint8_t (*names)[OBJECT_NAME_LEN],
    size_t n, struct err *err)
{
	return set_indexes(c, names, n, true, err);
}

void
chunks_on_missing(struct chunks *c, chunks_refresh_fn *fn, void *arg)
{
	c->refresh = fn;
	c->refresh_arg = arg;
}

void
chunks_on_failure(struct chunks *c, chunks_refresh_fn *fn, void *arg)
{
	c->widen = fn;
	c->widen_arg = arg;
}

/* --- segments ----------------------------------------------------------- */

struct load {
	struct chunks *c;
	const struct chunk_name *name;
	const struct chunk_place *place;
};

/* A place_fn: the chunk's whole pack is to be at hand. */
static int
read_on(struct chunks *c, UNUSED const struct chunk_name *name,
    const struct chunk_place *place, UNUSED void *out, struct err *err)
{
	AUTO(pack) struct pack *pack = NULL;
	int rc = pack_cache_get(c->packs, place->pack, &pack, err);

	if (rc == 0)
		pack_read_on(pack);
	return rc;
}

/* A prefetch_fn. */
static void
fetch_pack(void *owner, const struct chunk_name *name)
{
	chunks_try(owner, name, read_on, NULL);
}

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
	if (rc == 0 && pack_much_read(pack))
		prefetch_put(
		    segcache_fetch(l->c->cache), fetch_pack, l->c, l->name);
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
	struct load load = {.c = c, .name = name, .place = place};
	struct segment **seg = out;
	struct segtable_key key;

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
		rc = chunks_look_up(c, name, take_chunk, &w, err);
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

	chunks_try(c, name, warm_segment, &seg);
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

/* A place_fn. */
static int
note_pack(UNUSED struct chunks *c, UNUSED const struct chunk_name *name,
    const struct chunk_place *place, void *out, UNUSED struct err *err)
{
	memcpy(out, place->pack, sizeof(place->pack));
	return 0;
}

void
chunks_fetch_pack(struct chunks *c, const struct chunk_name *name,
    const struct chunk_name *other)
{
	/* Of what is not found they differ. */
	uint8_t a[OBJECT_NAME_LEN] = {0}, b[OBJECT_NAME_LEN] = {1};

	chunks_try(c, name, note_pack, a);
	chunks_try(c, other, note_pack, b);
	if (memcmp(a, b, sizeof(a)) == 0)
		prefetch_put(segcache_fetch(c->cache), fetch_pack, c, name);
}
