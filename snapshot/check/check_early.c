#include "snapshot/check/check_early.h"
#include "crypto/thread.h"
#include "snapshot/check/check_internal.h"

#include <stdlib.h>

#define WHOLE_MAX 1000000
#define ENOUGH 1 /* ends a listing */

struct whole {
	uint8_t name[OBJECT_NAME_LEN];
	uint8_t dataset[DATASET_ID_LEN];
	uint64_t size;
};

struct check_early {
	char *address;
	bool one_only;
	pthread_t thread;
	bool joined;
	atomic_bool stop;
	atomic_bool idle;
	struct reader reader;
	struct whole *v; /* the thread's, until it was joined; then sorted */
	size_t n, cap;
};

/* --- the thread --------------------------------------------------------- */

/* What it looks with. */
struct looking {
	struct check_early *e;
	struct check c; /* all that check_object() needs of one */
	size_t datasets;
};

static int
add(struct check_early *e, const struct object_ref *ref, uint64_t size,
    struct err *err)
{
	struct whole *w;

	if (e->n == e->cap) {
		size_t cap = e->cap == 0 ? 256 : 2 * e->cap;
		struct whole *v = reallocarray(e->v, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		e->v = v;
		e->cap = cap;
	}
	w = &e->v[e->n++];
	memcpy(w->name, ref->name, sizeof(w->name));
	memcpy(w->dataset, ref->dataset, sizeof(w->dataset));
	w->size = size;
	return 0;
}

static int
look_at_pack(
    void *arg, const struct object_ref *ref, uint64_t size, struct err *err)
{
	struct looking *l = arg;
	struct err why;
	int rc;

	if (l->e->n == WHOLE_MAX)
		return ENOUGH;
	rc = check_object(&l->c, &l->e->reader, ref, size, &why);
	if (rc == 0)
		return add(l->e, ref, size, err);
	return check_fatal(rc) ? err_copy(err, &why) : 0;
}

static int
look_at_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct looking *l = arg;
	struct err why;
	int rc = store_list(
	    l->c.store, OBJECT_PACK, ref->dataset, look_at_pack, l, &why);

	if (rc < 0)
		return check_fatal(rc) ? err_copy(err, &why) : 0;
	return rc;
}

static int
count_dataset(void *arg, UNUSED const struct object_ref *ref,
    UNUSED uint64_t size, UNUSED struct err *err)
{
	struct looking *l = arg;

	l->datasets++;
	return 0;
}

static int
look(struct check_early *e)
{
	AUTO(store) struct store *store = NULL;
	struct check_options opt = {.stop = &e->stop};
	struct looking l = {.e = e, .c = {.opt = &opt}};
	int rc = store_open(e->address, &store, NULL);

	l.c.store = store;
	if (rc == 0 && e->one_only)
		rc = store_list_datasets(store, count_dataset, &l, NULL);
	if (rc != 0 || (e->one_only && l.datasets != 1))
		return rc;
	return store_list_datasets(store, look_at_dataset, &l, NULL);
}

static void *
early_main(void *arg)
{
	struct check_early *e = arg;
	/* What fails here, fails again where it is told. */
	UNUSED int rc = look(e);

	atomic_store(&e->idle, true);
	return NULL;
}

/* --- who started it ----------------------------------------------------- */

struct check_early *
check_early_start(const char *address, unsigned threads, bool one_only)
{
	struct check_early *e;

	if (check_threads(threads) < 2)
		return NULL;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->one_only = one_only;
	e->joined = true;
	e->address = strdup(address);
	/* The reader is made here: what a library does at first, it does now. */
	if (e->address == NULL || reader_init(&e->reader, NULL) != 0 ||
	    thread_start(&e->thread, early_main, e) != 0) {
		check_early_free(e);
		return NULL;
	}
	e->joined = false;
	return e;
}

bool
check_early_idle(const struct check_early *e)
{
	return atomic_load(&e->idle);
}

static int
compare_whole(const void *a, const void *b)
{
	const struct whole *x = a;
	const struct whole *y = b;
	int order = memcmp(x->name, y->name, sizeof(x->name));

	return order != 0 ? order
			  : memcmp(x->dataset, y->dataset, sizeof(x->dataset));
}

void
check_early_end(struct check_early *e)
{
	if (e->joined)
		return;
	atomic_store(&e->stop, true);
	(void)pthread_join(e->thread, NULL);
	e->joined = true;
	if (e->n > 1)
		qsort(e->v, e->n, sizeof(*e->v), compare_whole);
}

bool
check_early_whole(
    const struct check_early *e, const struct object_ref *ref, uint64_t size)
{
	struct whole key = {.size = size};
	const struct whole *w;

	memcpy(key.name, ref->name, sizeof(key.name));
	memcpy(key.dataset, ref->dataset, sizeof(key.dataset));
	if (e->n == 0)
		return false;
	w = bsearch(&key, e->v, e->n, sizeof(*e->v), compare_whole);
	return w != NULL && w->size == size;
}

void
check_early_free(struct check_early *e)
{
	if (e == NULL)
		return;
	check_early_end(e);
	reader_clear(&e->reader);
	free(e->v);
	free(e->address);
	free(e);
}
