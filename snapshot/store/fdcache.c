#include "snapshot/store/fdcache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fdcache_file {
	struct object_ref ref;
	int fd;
	unsigned users; /* the cache's slot is one; guarded by mu */
};

struct slot {
	struct fdcache_file *file; /* NULL: free */
	uint64_t used;             /* by the cache's clock */
};

struct fdcache {
	pthread_mutex_t mu;
	uint64_t clock;                   /* guarded by mu */
	struct slot slots[FDCACHE_SLOTS]; /* guarded by mu */
};

int
fdcache_new(struct fdcache **out, struct err *err)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(err);
	pthread_mutex_init(&(*out)->mu, NULL);
	return 0;
}

/* mu is held. */
static void
unuse(struct fdcache_file *f)
{
	if (--f->users > 0)
		return;
	(void)close(f->fd); /* read only: nothing can be lost */
	free(f);
}

void
fdcache_free(struct fdcache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < FDCACHE_SLOTS; i++)
		if (c->slots[i].file != NULL)
			unuse(c->slots[i].file);
	pthread_mutex_destroy(&c->mu);
	free(c);
}

static bool
same_object(const struct object_ref *a, const struct object_ref *b)
{
	return memcmp(a->name, b->name, sizeof(a->name)) == 0 &&
	       memcmp(a->dataset, b->dataset, sizeof(a->dataset)) == 0 &&
	       a->cls == b->cls && a->seq == b->seq;
}

/* mu is held. A name differs in its first bytes, so the search is cheap. */
static struct slot *
find(struct fdcache *c, const struct object_ref *ref)
{
	for (size_t i = 0; i < FDCACHE_SLOTS; i++) {
		struct fdcache_file *f = c->slots[i].file;

		if (f != NULL && same_object(&f->ref, ref))
			return &c->slots[i];
	}
	return NULL;
}

/* mu is held. A free slot was last used at 0. */
static struct slot *
oldest(struct fdcache *c)
{
	struct slot *s = &c->slots[0];

	for (size_t i = 1; i < FDCACHE_SLOTS; i++)
		if (c->slots[i].used < s->used)
			s = &c->slots[i];
	return s;
}

/* mu is held. */
static struct fdcache_file *
use(struct fdcache *c, struct slot *s)
{
	s->used = ++c->clock;
	s->file->users++;
	return s->file;
}

struct fdcache_file *
fdcache_get(struct fdcache *c, const struct object_ref *ref)
{
	struct fdcache_file *f = NULL;
	struct slot *s;

	pthread_mutex_lock(&c->mu);
	s = find(c, ref);
	if (s != NULL)
		f = use(c, s);
	pthread_mutex_unlock(&c->mu);
	return f;
}

struct fdcache_file *
fdcache_add(
    struct fdcache *c, const struct object_ref *ref, int fd, struct err *err)
{
	struct fdcache_file *f = malloc(sizeof(*f));
	struct slot *s;

	if (f == NULL) {
		(void)close(fd);
		err_nomem(err);
		return NULL;
	}
	*f = (struct fdcache_file){.ref = *ref, .fd = fd, .users = 1};
	pthread_mutex_lock(&c->mu);
	s = find(c, ref); /* another thread may have been faster */
	if (s == NULL)
		s = oldest(c);
	if (s->file != NULL)
		unuse(s->file);
	s->file = f;
	use(c, s);
	pthread_mutex_unlock(&c->mu);
	return f;
}

int
fdcache_fd(const struct fdcache_file *f)
{
	return f->fd;
}

void
fdcache_release(struct fdcache *c, struct fdcache_file *f)
{
	pthread_mutex_lock(&c->mu);
	unuse(f);
	pthread_mutex_unlock(&c->mu);
}

void
fdcache_drop(struct fdcache *c, const struct object_ref *ref)
{
	struct slot *s;

	pthread_mutex_lock(&c->mu);
	s = find(c, ref);
	if (s != NULL) {
		unuse(s->file);
		*s = (struct slot){0};
	}
	pthread_mutex_unlock(&c->mu);
}
