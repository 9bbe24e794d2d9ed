/*
 * Whether the packs are there that a run would rely on. A dataset has thousands,
 * and a store may take a while for each: those that the known indexes name are
 * looked for by several threads.
 */
#include "crypto/thread.h"
#include "snapshot/content/ingest_internal.h"

#include <stdlib.h>
#include <string.h>

#define SEEKERS 4 /* threads */

int
ingest_pack_there(struct ingest *in, const uint8_t name[OBJECT_NAME_LEN],
    uint64_t size, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_PACK};
	struct chunk_name key;
	struct err why;
	uint64_t found = 0;
	int there, ret;

	_Static_assert(sizeof(key.b) == OBJECT_NAME_LEN, "both are SHA-256");
	memcpy(key.b, name, sizeof(key.b));
	pthread_mutex_lock(&in->pack_seen_mu);
	there = name_set_has(&in->packs_there, &key)  ? 1
		: name_set_has(&in->packs_gone, &key) ? 0
						      : -1;
	pthread_mutex_unlock(&in->pack_seen_mu);
	if (there >= 0)
		return there;

	memcpy(ref.dataset, in->ks->dataset, sizeof(ref.dataset));
	memcpy(ref.name, name, sizeof(ref.name));
	ret = store_size(in->store, &ref, &found, &why);
	/* What is no file, or lies below none, is no pack. */
	if (ret != 0 && ret != ERR_NOT_FOUND && ret != ERR_CORRUPT)
		return err_copy(err, &why);
	there = ret == 0 && found == size;
	pthread_mutex_lock(&in->pack_seen_mu);
	ret =
	    name_set_add(there ? &in->packs_there : &in->packs_gone, &key, err);
	pthread_mutex_unlock(&in->pack_seen_mu);
	return ret < 0 ? ret : there;
}

/* --- those of the known indexes ------------------------------------------- */

/* What fails here ends it, is looked for again, and told then. */
static void
look_for(void *arg, size_t i)
{
	struct packs_sought *s = arg;

	if (!atomic_load(&s->failed) &&
	    ingest_pack_there(s->in, s->v[i].name, s->v[i].size, NULL) < 0)
		atomic_store(&s->failed, true);
}

int
packs_sought_add(struct packs_sought *s, const uint8_t name[OBJECT_NAME_LEN],
    uint64_t size, struct err *err)
{
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 256 : 2 * s->cap;
		struct pack_sought *v = reallocarray(s->v, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		s->v = v;
		s->cap = cap;
	}
	memcpy(s->v[s->n].name, name, OBJECT_NAME_LEN);
	s->v[s->n++].size = size;
	return 0;
}

int
packs_sought_look(struct packs_sought *s, uint64_t *lost, struct err *err)
{
	thread_each(s->n, SEEKERS, look_for, s);
	for (size_t i = 0; i < s->n; i++) {
		int ret =
		    ingest_pack_there(s->in, s->v[i].name, s->v[i].size, err);

		if (ret < 0)
			return ret;
		*lost += ret == 0;
	}
	return 0;
}

void
packs_sought_clear(struct packs_sought *s)
{
	free(s->v);
}
