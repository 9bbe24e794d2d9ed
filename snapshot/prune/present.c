#include "snapshot/prune/present.h"

#include <stdlib.h>
#include <string.h>

static int
compare(const void *a, const void *b)
{
	const struct present_object *x = a, *y = b;

	return memcmp(x->name, y->name, OBJECT_NAME_LEN);
}

int
present_add(struct present *p, const uint8_t name[OBJECT_NAME_LEN],
    uint64_t size, struct err *err)
{
	if (p->n == p->cap) {
		size_t cap = p->cap == 0 ? 256 : 2 * p->cap;
		struct present_object *v = reallocarray(p->v, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		p->v = v;
		p->cap = cap;
	}
	memcpy(p->v[p->n].name, name, OBJECT_NAME_LEN);
	p->v[p->n++].size = size;
	return 0;
}

/* A store_visit_fn. */
static int
visit(void *arg, const struct object_ref *ref, uint64_t size, struct err *err)
{
	return present_add(arg, ref->name, size, err);
}

int
present_list(struct present *p, struct store *store, enum object_class cls,
    const uint8_t dataset[STORE_DATASET_LEN], struct err *err)
{
	int rc = store_list(store, cls, dataset, visit, p, err);

	present_sort(p);
	return rc;
}

void
present_sort(struct present *p)
{
	if (p->n > 1)
		qsort(p->v, p->n, sizeof(*p->v), compare);
}

const struct present_object *
present_find(const struct present *p, const uint8_t name[OBJECT_NAME_LEN])
{
	struct present_object key;

	if (p->n == 0)
		return NULL;
	memcpy(key.name, name, OBJECT_NAME_LEN);
	return bsearch(&key, p->v, p->n, sizeof(*p->v), compare);
}

void
present_clear(struct present *p)
{
	free(p->v);
	memset(p, 0, sizeof(*p));
}
