#include "snapshot/replicate/doomed.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int
compare(const void *a, const void *b)
{
	const struct doomed *x = a;
	const struct doomed *y = b;

	if (x->cls != y->cls)
		return x->cls < y->cls ? -1 : 1;
	return memcmp(x->name, y->name, OBJECT_NAME_LEN);
}

struct doomed *
doomed_find(const struct doomed_set *s, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN])
{
	struct doomed key = {.cls = cls};
	struct doomed **at;

	memcpy(key.name, name, OBJECT_NAME_LEN);
	at = tfind(&key, &s->tree, compare);
	return at != NULL ? *at : NULL;
}

static int
reserve(struct doomed_set *s, struct err *err)
{
	size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
	struct doomed **v;

	if (s->n < s->cap)
		return 0;
	v = reallocarray(s->all, cap, sizeof(struct doomed *));
	if (v == NULL)
		return err_nomem(err);
	s->all = v;
	s->cap = cap;
	return 0;
}

int
doomed_add(struct doomed_set *s, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], struct doomed **out, struct err *err)
{
	struct doomed *o;
	int rc = reserve(s, err);

	if (rc != 0)
		return rc;
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return err_nomem(err);
	o->cls = cls;
	memcpy(o->name, name, OBJECT_NAME_LEN);
	if (tsearch(o, &s->tree, compare) == NULL) {
		free(o);
		return err_nomem(err);
	}
	s->all[s->n++] = o;
	*out = o;
	return 0;
}

static void
keep(UNUSED void *o)
{
}

void
doomed_clear(struct doomed_set *s)
{
	tdestroy(s->tree, keep);
	for (size_t i = 0; i < s->n; i++)
		free(s->all[i]);
	free(s->all);
	memset(s, 0, sizeof(*s));
}
