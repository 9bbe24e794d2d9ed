#include "snapshot/content/pack_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PACKS_MAX 256

struct place {
	uint8_t name[OBJECT_NAME_LEN];
	struct pack *pack; /* NULL: free */
	uint64_t used;
};

struct pack_cache {
	struct store *store;
	struct pack_openers *openers;
	uint8_t dataset[DATASET_ID_LEN];
	pthread_mutex_t mu;
	uint64_t clock;                 /* guarded by mu */
	struct place places[PACKS_MAX]; /* guarded by mu */
};

int
pack_cache_new(struct store *store, const struct keyring *kr,
    struct segment_decoder *decoder, const uint8_t dataset[DATASET_ID_LEN],
    struct pack_cache **out, struct err *err)
{
	struct pack_cache *c = calloc(1, sizeof(*c));
	int rc;

	*out = NULL;
	if (c == NULL)
		return err_nomem(err);
	rc = pack_openers_sharing(kr, decoder, &c->openers, err);
	if (rc != 0) {
		free(c);
		return rc;
	}
	c->store = store;
	memcpy(c->dataset, dataset, DATASET_ID_LEN);
	(void)pthread_mutex_init(&c->mu, NULL);
	*out = c;
	return 0;
}

void
pack_cache_free(struct pack_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < PACKS_MAX; i++)
		pack_unref(c->places[i].pack);
	pack_openers_free(c->openers);
	(void)pthread_mutex_destroy(&c->mu);
	free(c);
}

static bool
holds(const struct place *p, const uint8_t name[OBJECT_NAME_LEN])
{
	return p->pack != NULL && memcmp(p->name, name, OBJECT_NAME_LEN) == 0;
}

/* With mu held: its place, else the one used longest ago. */
static struct place *
find_place(struct pack_cache *c, const uint8_t name[OBJECT_NAME_LEN])
{
	struct place *oldest = &c->places[0];

	for (size_t i = 0; i < PACKS_MAX; i++) {
		struct place *p = &c->places[i];

		if (holds(p, name))
			return p;
		if (p->used < oldest->used)
			oldest = p;
	}
	return oldest;
}

static struct pack *
find(struct pack_cache *c, const uint8_t name[OBJECT_NAME_LEN])
{
	struct pack *pack = NULL;
	struct place *p;

	(void)pthread_mutex_lock(&c->mu);
	p = find_place(c, name);
	if (holds(p, name)) {
		p->used = ++c->clock;
		pack = pack_ref(p->pack);
	}
	(void)pthread_mutex_unlock(&c->mu);
	return pack;
}

static void
keep(struct pack_cache *c, const uint8_t name[OBJECT_NAME_LEN],
    struct pack *pack)
{
	struct pack *old;
	struct place *p;

	(void)pthread_mutex_lock(&c->mu);
	p = find_place(c, name);
	old = p->pack;
	memcpy(p->name, name, OBJECT_NAME_LEN);
	p->pack = pack_ref(pack);
	p->used = ++c->clock;
	(void)pthread_mutex_unlock(&c->mu);
	pack_unref(old);
}

int
pack_cache_get(struct pack_cache *c, const uint8_t name[OBJECT_NAME_LEN],
    struct pack **out, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_PACK};
	int rc;

	*out = find(c, name);
	if (*out != NULL)
		return 0;
	memcpy(ref.dataset, c->dataset, sizeof(ref.dataset));
	memcpy(ref.name, name, sizeof(ref.name));
	rc = pack_open(c->store, c->openers, &ref, out, err);
	if (rc == 0)
		keep(c, name, *out);
	return rc;
}

void
pack_cache_forget(struct pack_cache *c, const uint8_t name[OBJECT_NAME_LEN])
{
	struct pack *pack = NULL;
	struct place *p;

	(void)pthread_mutex_lock(&c->mu);
	p = find_place(c, name);
	if (holds(p, name)) {
		pack = STEAL(p->pack);
		p->used = 0;
	}
	(void)pthread_mutex_unlock(&c->mu);
	pack_unref(pack);
}
