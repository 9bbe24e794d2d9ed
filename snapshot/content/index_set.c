#include "snapshot/content/index_set.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* An index that several sets may share. */
struct shared {
	atomic_uint refs;
	struct object_ref ref;
	pthread_mutex_t mu; /* held while it is being opened */
	struct index *ix;   /* guarded by mu; NULL: not open yet */
	struct err damage;  /* guarded by mu; code 0: none known */
};

struct index_set {
	atomic_uint refs;
	const struct index_source *src;
	size_t n;
	struct shared *list[];
};

/* --- shared indexes ----------------------------------------------------- */

static struct shared *
shared_new(const struct index_source *src, const uint8_t name[OBJECT_NAME_LEN])
{
	struct shared *sh = calloc(1, sizeof(*sh));

	if (sh == NULL)
		return NULL;
	atomic_init(&sh->refs, 1);
	sh->ref.cls = OBJECT_INDEX;
	memcpy(sh->ref.dataset, src->dataset, DATASET_ID_LEN);
	memcpy(sh->ref.name, name, OBJECT_NAME_LEN);
	(void)pthread_mutex_init(&sh->mu, NULL);
	return sh;
}

static void
shared_unref(struct shared *sh)
{
	if (sh == NULL || atomic_fetch_sub(&sh->refs, 1) > 1)
		return;
	index_close(sh->ix);
	(void)pthread_mutex_destroy(&sh->mu);
	free(sh);
}

/* What reading again can't change: objects are immutable. */
static bool
is_damage(int rc)
{
	return rc == ERR_CORRUPT || rc == ERR_AUTH || rc == ERR_VERSION ||
	       rc == ERR_DENIED;
}

/* *${out} stays open for as long as the caller's set. */
static int
shared_open(const struct index_source *src, struct shared *sh,
    struct index **out, struct err *err)
{
	struct err why = {0};
	int rc = 0;

	(void)pthread_mutex_lock(&sh->mu);
	if (sh->damage.code != 0) {
		rc = err_copy(err, &sh->damage);
	} else if (sh->ix == NULL) {
		rc = index_open_sharing(
		    src->store, &sh->ref, src->kr, src->pages, &sh->ix, &why);
		if (is_damage(rc))
			sh->damage = why;
		if (rc != 0)
			(void)err_copy(err, &why);
	}
	*out = sh->ix;
	(void)pthread_mutex_unlock(&sh->mu);
	return rc;
}

/* --- sets --------------------------------------------------------------- */

static struct shared *
find_shared(const struct index_set *s, const uint8_t name[OBJECT_NAME_LEN])
{
	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (memcmp(s->list[i]->ref.name, name, OBJECT_NAME_LEN) == 0)
			return s->list[i];
	return NULL;
}

/* Damage is not handed on: the object may have been restored since. */
static struct shared *
share(const struct index_source *src, const struct index_set *before,
    const uint8_t name[OBJECT_NAME_LEN])
{
	struct shared *sh = find_shared(before, name);
	bool open;

	if (sh == NULL)
		return shared_new(src, name);
	(void)pthread_mutex_lock(&sh->mu);
	open = sh->ix != NULL;
	(void)pthread_mutex_unlock(&sh->mu);
	if (!open)
		return shared_new(src, name);
	atomic_fetch_add_explicit(&sh->refs, 1, memory_order_relaxed);
	return sh;
}

int
index_set_new(const struct index_source *src, const struct index_set *before,
    const uint8_t (*names)[OBJECT_NAME_LEN], size_t n, struct index_set **out,
    struct err *err)
{
	AUTO(index_set) struct index_set *s = NULL;

	*out = NULL;
	if (n > SIZE_MAX / sizeof(s->list[0]) - sizeof(*s))
		return err_nomem(err);
	s = calloc(1, sizeof(*s) + n * sizeof(s->list[0]));
	if (s == NULL)
		return err_nomem(err);
	atomic_init(&s->refs, 1);
	s->src = src;
	for (; s->n < n; s->n++) {
		s->list[s->n] = share(src, before, names[s->n]);
		if (s->list[s->n] == NULL)
			return err_nomem(err);
	}
	*out = STEAL(s);
	return 0;
}

struct index_set *
index_set_ref(struct index_set *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
index_set_unref(struct index_set *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	for (size_t i = 0; i < s->n; i++)
		shared_unref(s->list[i]);
	free(s);
}

size_t
index_set_count(const struct index_set *s)
{
	return s->n;
}

int
index_set_lookup(const struct index_set *s, size_t i,
    const struct chunk_name *name, struct chunk_place *place, bool *found,
    struct err *err)
{
	struct index *ix;
	int rc = shared_open(s->src, s->list[i], &ix, err);

	*found = false;
	if (rc != 0)
		return rc;
	return index_lookup(ix, name, place, found, err);
}
