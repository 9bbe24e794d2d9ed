#include "snapshot/access/access_internal.h"

#include "crypto/hash.h"
#include "crypto/thread.h"

#include <stdlib.h>
#include <string.h>

/*
 * Key objects: all are read when a store is opened, and the new ones at every
 * refresh. What can't be used is remembered with the reason, so that one bad
 * object keeps nobody out.
 */

static void
key_object_free(struct key_object *o)
{
	if (o == NULL)
		return;
	free(o->buf);
	free(o->problem);
	free(o);
}
DEFINE_AUTO(key_object, key_object_free)

int
access_keys_pass_over(
    struct key_object *o, const struct err *why, struct err *err)
{
	if (why->code == ERR_NOMEM || why->code == ERR_BUG ||
	    why->code == ERR_CANCELLED)
		return err_copy(err, why);
	if (o->problem == NULL)
		o->problem = malloc(sizeof(*o->problem));
	if (o->problem == NULL)
		return err_nomem(err);
	*o->problem = *why;
	return 0;
}

int
access_keys_hint(const struct access *a, int code, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < a->nkeys; i++)
		n += a->keys[i]->problem != NULL;
	if (n > 0)
		(void)err_wrap(err,
		    "%zu key object%s can't be used (see 'varve check "
		    "--no-keys')",
		    n, n == 1 ? "" : "s");
	return code;
}

/* --- reading ------------------------------------------------------------ */

static int
key_object_read(const struct access *a, const uint8_t name[OBJECT_NAME_LEN],
    struct key_object **out, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_KEY};
	AUTO(key_object) struct key_object *o = calloc(1, sizeof(*o));
	struct err why = {0};
	int ret;

	if (o == NULL)
		return err_nomem(err);
	memcpy(ref.name, name, OBJECT_NAME_LEN);
	memcpy(o->name, name, OBJECT_NAME_LEN);
	ret = store_get(a->store, &ref, KEY_OBJECT_MAX, &o->buf, &o->len, &why);
	/* Removed after it was listed. */
	if (ret == ERR_NOT_FOUND)
		return err_copy(err, &why);
	if (ret == 0)
		ret = access_kinds_parse(a, o, &why);
	if (ret != 0 && (ret = access_keys_pass_over(o, &why, err)) != 0)
		return ret;
	*out = STEAL(o);
	return 0;
}

struct names {
	uint8_t (*v)[OBJECT_NAME_LEN];
	size_t n, cap;
};

static int
names_add(
    void *arg, const struct object_ref *ref, uint64_t size, struct err *err)
{
	struct names *names = arg;

	(void)size;
	if (names->n == names->cap) {
		size_t cap = names->cap == 0 ? 64 : 2 * names->cap;
		void *v = reallocarray(names->v, cap, sizeof(*names->v));

		if (v == NULL)
			return err_nomem(err);
		names->v = v;
		names->cap = cap;
	}
	memcpy(names->v[names->n++], ref->name, OBJECT_NAME_LEN);
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return memcmp(a, b, OBJECT_NAME_LEN);
}

static int
compare_to_object(const void *name, const void *object)
{
	const struct key_object *const *o = object;

	return memcmp(name, (*o)->name, OBJECT_NAME_LEN);
}

static struct key_object *
find(struct key_object **v, size_t n, const uint8_t name[OBJECT_NAME_LEN])
{
	struct key_object **o = NULL;

	if (n > 0)
		o = bsearch(name, v, n, sizeof(*v), compare_to_object);
	return o == NULL ? NULL : *o;
}

/* Free those of ${v} that are not in ${kept}, and ${v} itself. */
static void
free_but(
    struct key_object **v, size_t n, struct key_object **kept, size_t nkept)
{
	for (size_t i = 0; i < n; i++) {
		if (find(kept, nkept, v[i]->name) != v[i])
			key_object_free(v[i]);
	}
	free(v);
}

/* An object that the machine failed to read may be read the next time. */
static bool
is_settled(const struct key_object *o)
{
	return o->problem == NULL ||
	       (o->problem->code != ERR_IO && o->problem->code != ERR_DENIED);
}

/*
 * There are as many as persons, hosts and datasets: threads share the reading.
 * What one failed to read is NULL, and read again by who tells of it.
 */
struct reading {
	const struct access *a;
	const struct names *names;
	struct key_object **v; /* those read, by the number of their name */
};

/* Whether it is not at hand, or ought to be read again. */
static bool
is_to_read(const struct access *a, const uint8_t name[OBJECT_NAME_LEN])
{
	const struct key_object *o = find(a->keys, a->nkeys, name);

	return o == NULL || !is_settled(o);
}

static void
read_one(void *arg, size_t i)
{
	const struct reading *r = arg;
	const uint8_t *name = r->names->v[i];

	if (is_to_read(r->a, name) &&
	    key_object_read(r->a, name, &r->v[i], NULL) != 0)
		r->v[i] = NULL;
}

static int
reading_new(const struct access *a, const struct names *names,
    struct reading *r, struct err *err)
{
	size_t todo = 0;

	*r = (struct reading){.a = a, .names = names};
	r->v = calloc(names->n + 1, sizeof(struct key_object *));
	if (r->v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < names->n; i++)
		todo += is_to_read(a, names->v[i]);
	if (todo >= THREAD_EACH_MIN)
		thread_each(names->n, read_one, r);
	return 0;
}

static void
reading_clear(struct reading *r)
{
	for (size_t i = 0; r->v != NULL && i < r->names->n; i++)
		key_object_free(r->v[i]);
	free(r->v);
}
#define READING_AUTO __attribute__((cleanup(reading_clear)))

static int
take_read(struct reading *r, size_t i, struct key_object **o, struct err *err)
{
	*o = STEAL(r->v[i]);
	return *o != NULL ? 0 : key_object_read(r->a, r->names->v[i], o, err);
}

/* The objects of ${names}, which are sorted: those at hand, and new ones. */
static int
merge(struct access *a, const struct names *names, struct key_object **next,
    size_t *n, bool *changed, struct err *err)
{
	READING_AUTO struct reading reading = {0};
	int ret = reading_new(a, names, &reading, err);

	if (ret != 0)
		return ret;
	for (size_t i = 0; i < names->n; i++) {
		struct key_object *o = find(a->keys, a->nkeys, names->v[i]);
		bool known = o != NULL;
		struct err why;

		if (is_to_read(a, names->v[i])) {
			ret = take_read(&reading, i, &o, &why);
			if (ret == ERR_NOT_FOUND)
				continue;
			if (ret != 0)
				return err_copy(err, &why);
			*changed |= !known || o->problem == NULL;
		}
		next[(*n)++] = o;
	}
	*changed |= *n != a->nkeys;
	return 0;
}

int
access_keys_load(struct access *a, bool *changed, struct err *err)
{
	struct key_object **next = NULL;
	struct names names = {0};
	size_t n = 0;
	int ret;

	*changed = false;
	ret = store_list(a->store, OBJECT_KEY, NULL, names_add, &names, err);
	if (ret != 0)
		goto out;
	next = calloc(names.n + 1, sizeof(struct key_object *));
	if (next == NULL) {
		ret = err_nomem(err);
		goto out;
	}
	if (names.n > 0)
		qsort(names.v, names.n, sizeof(*names.v), compare_names);
	ret = merge(a, &names, next, &n, changed, err);
	if (ret != 0) {
		free_but(next, n, a->keys, a->nkeys);
		goto out;
	}
	free_but(a->keys, a->nkeys, next, n);
	a->keys = next;
	a->nkeys = n;
out:
	free(names.v);
	return ret;
}

void
access_keys_free(struct access *a)
{
	free_but(a->keys, a->nkeys, NULL, 0);
	a->keys = NULL;
	a->nkeys = 0;
}

/* --- from elsewhere ----------------------------------------------------- */

static int
key_object_copy(struct access *a, const uint8_t *buf, size_t len,
    struct key_object **out, struct err *err)
{
	AUTO(key_object) struct key_object *o = calloc(1, sizeof(*o));
	struct err why = {0};
	int ret;

	if (o == NULL)
		return err_nomem(err);
	o->buf = malloc(len + 1);
	if (o->buf == NULL)
		return err_nomem(err);
	memcpy(o->buf, buf, len);
	o->len = len;
	if ((ret = sha256(buf, len, o->name, err)) != 0)
		return ret;
	if ((ret = access_kinds_parse(a, o, &why)) != 0 &&
	    (ret = access_keys_pass_over(o, &why, err)) != 0)
		return ret;
	*out = STEAL(o);
	return 0;
}

int
access_keys_add(struct access *a, const uint8_t *buf, size_t len,
    struct key_object **out, struct err *err)
{
	AUTO(key_object) struct key_object *o = NULL;
	struct key_object **v;
	size_t at = 0;
	int ret;

	*out = NULL;
	if ((ret = key_object_copy(a, buf, len, &o, err)) != 0)
		return ret;
	while (at < a->nkeys && compare_names(a->keys[at]->name, o->name) < 0)
		at++;
	if (at < a->nkeys && compare_names(a->keys[at]->name, o->name) == 0)
		return 0;
	v = reallocarray(a->keys, a->nkeys + 1, sizeof(struct key_object *));
	if (v == NULL)
		return err_nomem(err);
	memmove(
	    v + at + 1, v + at, (a->nkeys - at) * sizeof(struct key_object *));
	v[at] = *out = STEAL(o);
	a->keys = v;
	a->nkeys++;
	return 0;
}

void
access_keys_remove(struct access *a, struct key_object *o)
{
	size_t at = 0;

	while (a->keys[at] != o)
		at++;
	a->nkeys--;
	memmove(a->keys + at, a->keys + at + 1,
	    (a->nkeys - at) * sizeof(struct key_object *));
	key_object_free(o);
}
