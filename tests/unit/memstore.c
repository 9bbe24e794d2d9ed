#include "tests/unit/memstore.h"
#include "crypto/hash.h"
#include "tests/unit/wait.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS_MAX 4096

struct object {
	struct object_ref ref;
	uint8_t *buf;
	size_t len;
};

struct store {
	pthread_mutex_t mu;
	struct object objects[OBJECTS_MAX]; /* guarded by mu */
	size_t n;                           /* guarded by mu */
	atomic_uint reads;
	atomic_uint will_reads;
	atomic_uint delay;
	atomic_int fail;
};

struct store_writer {
	struct store *s;
	struct object_ref ref;
	uint8_t *buf;
	size_t len;
};

struct store *
memstore_new(void)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL || pthread_mutex_init(&s->mu, NULL) != 0)
		abort();
	return s;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->objects[i].buf);
	(void)pthread_mutex_destroy(&s->mu);
	free(s);
}

void
object_ref_text(const struct object_ref *ref, char out[OBJECT_REF_TEXT])
{
	static const char *const classes[] = {
	    "root", "key", "log", "index", "pack"};

	(void)snprintf(out, OBJECT_REF_TEXT, "%s/%02x%02x%02x%02x",
	    classes[ref->cls], ref->name[0], ref->name[1], ref->name[2],
	    ref->name[3]);
}

static bool
same(const struct object_ref *a, const struct object_ref *b)
{
	return a->cls == b->cls &&
	       memcmp(a->dataset, b->dataset, sizeof(a->dataset)) == 0 &&
	       memcmp(a->name, b->name, sizeof(a->name)) == 0;
}

/* With mu held. */
static struct object *
find(struct store *s, const struct object_ref *ref)
{
	for (size_t i = 0; i < s->n; i++)
		if (same(&s->objects[i].ref, ref))
			return &s->objects[i];
	return NULL;
}

uint8_t *
memstore_bytes(struct store *s, const struct object_ref *ref, size_t *len)
{
	struct object *o = find(s, ref);

	if (o == NULL)
		abort();
	*len = o->len;
	return o->buf;
}

void
memstore_set(
    struct store *s, const struct object_ref *ref, const void *buf, size_t len)
{
	uint8_t *copy = malloc(len + 1);
	struct object *o;

	if (copy == NULL)
		abort();
	memcpy(copy, buf, len);
	(void)pthread_mutex_lock(&s->mu);
	o = find(s, ref);
	if (o == NULL && s->n == OBJECTS_MAX)
		abort();
	if (o == NULL)
		o = &s->objects[s->n++];
	free(o->buf);
	*o = (struct object){.ref = *ref, .buf = copy, .len = len};
	(void)pthread_mutex_unlock(&s->mu);
}

unsigned
memstore_reads(struct store *s)
{
	return atomic_load(&s->reads);
}

unsigned
memstore_will_reads(struct store *s)
{
	return atomic_load(&s->will_reads);
}

void
memstore_delay(struct store *s, unsigned ms)
{
	atomic_store(&s->delay, ms);
}

void
memstore_fail(struct store *s, int code)
{
	atomic_store(&s->fail, code);
}

static int
failing(struct store *s, struct err *err)
{
	int code = atomic_load(&s->fail);

	return code == 0 ? 0 : err_set(err, (enum err_code)code, "told to");
}

static int
begin_read(struct store *s, struct err *err)
{
	unsigned ms = atomic_load(&s->delay);

	atomic_fetch_add(&s->reads, 1);
	if (ms > 0)
		wait_ms(ms);
	return failing(s, err);
}

static int
copy_out(struct store *s, const struct object_ref *ref, uint64_t off, void *buf,
    size_t len, struct err *err)
{
	char text[OBJECT_REF_TEXT];
	const struct object *o = find(s, ref);

	object_ref_text(ref, text);
	if (o == NULL)
		return err_set(err, ERR_NOT_FOUND, "'%s' is gone", text);
	if (off > o->len || len > o->len - off)
		return err_set(err, ERR_CORRUPT, "'%s' ends early", text);
	memcpy(buf, o->buf + off, len);
	return 0;
}

int
store_read_at(struct store *s, const struct object_ref *ref, uint64_t off,
    void *buf, size_t len, struct err *err)
{
	int rc = begin_read(s, err);

	if (rc != 0)
		return rc;
	(void)pthread_mutex_lock(&s->mu);
	rc = copy_out(s, ref, off, buf, len, err);
	(void)pthread_mutex_unlock(&s->mu);
	return rc;
}

void
store_will_read(struct store *s, UNUSED const struct object_ref *ref)
{
	atomic_fetch_add(&s->will_reads, 1);
}

int
store_size(struct store *s, const struct object_ref *ref, uint64_t *size,
    struct err *err)
{
	const struct object *o;

	(void)pthread_mutex_lock(&s->mu);
	o = find(s, ref);
	*size = o == NULL ? 0 : o->len;
	(void)pthread_mutex_unlock(&s->mu);
	return o != NULL ? 0 : err_set(err, ERR_NOT_FOUND, "no such object");
}

int
store_get(struct store *s, const struct object_ref *ref, size_t max,
    uint8_t **buf, size_t *len, struct err *err)
{
	uint64_t size;
	int rc = store_size(s, ref, &size, err);

	if (rc != 0)
		return rc;
	if (size > max)
		return err_set(err, ERR_CORRUPT, "too long");
	*len = (size_t)size;
	*buf = malloc(*len + 1);
	return store_read_at(s, ref, 0, *buf, *len, err);
}

int
store_remove(struct store *s, const struct object_ref *ref, struct err *err)
{
	struct object *o;

	(void)pthread_mutex_lock(&s->mu);
	o = find(s, ref);
	if (o != NULL) {
		free(o->buf);
		*o = s->objects[--s->n];
		s->objects[s->n] = (struct object){0};
	}
	(void)pthread_mutex_unlock(&s->mu);
	return o != NULL ? 0 : err_set(err, ERR_NOT_FOUND, "no such object");
}

int
store_put(struct store *s, struct object_ref *ref, const void *buf, size_t len,
    struct err *err)
{
	int rc = failing(s, err);

	if (rc == 0)
		rc = sha256(buf, len, ref->name, err);
	if (rc == 0)
		memstore_set(s, ref, buf, len);
	return rc;
}

int
store_writer_new(struct store *s, enum object_class cls,
    const uint8_t dataset[STORE_DATASET_LEN], struct store_writer **out,
    struct err *err)
{
	struct store_writer *w = calloc(1, sizeof(*w));

	*out = w;
	if (w == NULL)
		return err_nomem(err);
	w->s = s;
	w->ref.cls = cls;
	memcpy(w->ref.dataset, dataset, STORE_DATASET_LEN);
	return 0;
}

int
store_writer_write(
    struct store_writer *w, const void *buf, size_t len, struct err *err)
{
	int rc = failing(w->s, err);
	uint8_t *grown;

	if (rc != 0)
		return rc;
	grown = realloc(w->buf, w->len + len);
	if (grown == NULL)
		return err_nomem(err);
	memcpy(grown + w->len, buf, len);
	w->buf = grown;
	w->len += len;
	return 0;
}

int
store_writer_commit(
    struct store_writer *w, struct object_ref *ref, struct err *err)
{
	*ref = w->ref;
	return store_put(w->s, ref, w->buf, w->len, err);
}

void
store_writer_free(struct store_writer *w)
{
	if (w == NULL)
		return;
	free(w->buf);
	free(w);
}
