/*
 * Whether the packs are there that a run would rely on. A dataset has thousands,
 * and a store may take a while for each: those that the known indexes name are
 * looked for by several threads.
 */
#include "crypto/thread.h"
#include "snapshot/content/ingest_internal.h"

#include <stdlib.h>
#include <string.h>

/* Whether the run knows it already; *${there} is what it knows. */
static bool
seen(struct ingest *in, const uint8_t name[OBJECT_NAME_LEN], bool *there)
{
	bool gone;

	pthread_mutex_lock(&in->pack_seen_mu);
	*there = name_set_has_object(&in->packs_there, name);
	gone = name_set_has_object(&in->packs_gone, name);
	pthread_mutex_unlock(&in->pack_seen_mu);
	return *there || gone;
}

static int
remember(struct ingest *in, const uint8_t name[OBJECT_NAME_LEN], bool there,
    struct err *err)
{
	int ret;

	pthread_mutex_lock(&in->pack_seen_mu);
	ret = name_set_add_object(
	    there ? &in->packs_there : &in->packs_gone, name, err);
	pthread_mutex_unlock(&in->pack_seen_mu);
	return ret < 0 ? ret : 0;
}

/* What is no file, or lies below none, is no pack. */
static int
look(const struct ingest *in, const uint8_t name[OBJECT_NAME_LEN],
    uint64_t size, bool *there, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_PACK};
	struct err why;
	uint64_t found = 0;
	int ret;

	memcpy(ref.dataset, in->ks->dataset, sizeof(ref.dataset));
	memcpy(ref.name, name, sizeof(ref.name));
	ret = store_size(in->store, &ref, &found, &why);
	if (ret != 0 && ret != ERR_NOT_FOUND && ret != ERR_CORRUPT)
		return err_copy(err, &why);
	*there = ret == 0 && found == size;
	return 0;
}

int
ingest_pack_there(struct ingest *in, const uint8_t name[OBJECT_NAME_LEN],
    uint64_t size, struct err *err)
{
	bool there;
	int ret;

	if (seen(in, name, &there))
		return there;
	ret = look(in, name, size, &there, err);
	if (ret == 0)
		ret = remember(in, name, there, err);
	return ret < 0 ? ret : there;
}

/* --- those of the known indexes ------------------------------------------- */

/* What fails here ends it, is looked for again, and told then. */
static void
look_for(void *arg, size_t i)
{
	struct packs_sought *s = arg;
	struct pack_sought *p = &s->v[i];
	bool there;

	if (atomic_load(&s->failed) || seen(s->in, p->name, &there))
		return;
	p->looked = look(s->in, p->name, p->size, &p->there, NULL) == 0;
	if (!p->looked)
		atomic_store(&s->failed, true);
}

/* In their order, whatever the threads': of two sizes the first one counts. */
static int
settle(struct ingest *in, const struct pack_sought *p, struct err *err)
{
	bool there;
	int ret;

	if (!p->looked || seen(in, p->name, &there))
		return ingest_pack_there(in, p->name, p->size, err);
	ret = remember(in, p->name, p->there, err);
	return ret < 0 ? ret : p->there;
}

int
packs_sought_add(struct packs_sought *s, const uint8_t name[OBJECT_NAME_LEN],
    uint64_t size, struct err *err)
{
	struct pack_sought *p;

	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 256 : 2 * s->cap;

		p = reallocarray(s->v, cap, sizeof(*p));
		if (p == NULL)
			return err_nomem(err);
		s->v = p;
		s->cap = cap;
	}
	p = &s->v[s->n++];
	*p = (struct pack_sought){.size = size};
	memcpy(p->name, name, OBJECT_NAME_LEN);
	return 0;
}

int
packs_sought_look(struct packs_sought *s, uint64_t *lost, struct err *err)
{
	thread_each(s->n, look_for, s);
	for (size_t i = 0; i < s->n; i++) {
		int ret = settle(s->in, &s->v[i], err);

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
