#include "snapshot/backup/links.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct link {
	dev_t dev;
	ino_t ino;
	uint64_t met;  /* by the walk */
	uint64_t used; /* by the assembly */
	uint8_t *raw;
	size_t len;
};

/* Who has an inode number in this run. */
struct claim {
	uint64_t number;
	dev_t dev;
	ino_t ino;
};

struct links {
	pthread_mutex_t mu;
	void *tree;        /* guarded by mu: of struct link, by tsearch() */
	void *claims;      /* the assembly's: of struct claim, likewise */
	struct link *gone; /* the assembly's: used up; freed by the next call */
};

static int
compare(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

static void
link_free(void *p)
{
	struct link *link = p;

	if (link != NULL)
		free(link->raw);
	free(link);
}

int
links_new(struct links **out, struct err *err)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(err);
	pthread_mutex_init(&(*out)->mu, NULL);
	return 0;
}

void
links_free(struct links *l)
{
	if (l == NULL)
		return;
	tdestroy(l->tree, link_free);
	tdestroy(l->claims, free);
	link_free(l->gone);
	pthread_mutex_destroy(&l->mu);
	free(l);
}

/* mu is held. */
static struct link *
find(struct links *l, const struct stat *st)
{
	struct link key = {.dev = st->st_dev, .ino = st->st_ino};
	struct link **at = tfind(&key, &l->tree, compare);

	return at != NULL ? *at : NULL;
}

static int
meet(struct links *l, const struct stat *st, struct err *err)
{
	struct link *link = find(l, st);

	if (link != NULL) {
		link->met++;
		return 1;
	}
	if ((link = calloc(1, sizeof(*link))) == NULL)
		return err_nomem(err);
	link->dev = st->st_dev;
	link->ino = st->st_ino;
	link->met = 1;
	if (tsearch(link, &l->tree, compare) == NULL) {
		free(link);
		return err_nomem(err);
	}
	return 0;
}

int
links_meet(struct links *l, const struct stat *st, struct err *err)
{
	int ret;

	pthread_mutex_lock(&l->mu);
	ret = meet(l, st, err);
	pthread_mutex_unlock(&l->mu);
	return ret;
}

/* All links met and done: nobody will ask again. mu is held. */
static void
use(struct links *l, struct link *link, nlink_t nlink)
{
	if (++link->used < nlink || link->used < link->met)
		return;
	tdelete(link, &l->tree, compare);
	link_free(l->gone);
	l->gone = link;
}

static int
store(struct links *l, const struct stat *st, const uint8_t *raw, size_t len,
    struct err *err)
{
	struct link *link = find(l, st);

	if (link == NULL)
		return 0;
	free(link->raw);
	if ((link->raw = malloc(len)) == NULL)
		return err_nomem(err);
	memcpy(link->raw, raw, len);
	link->len = len;
	use(l, link, st->st_nlink);
	return 0;
}

int
links_store(struct links *l, const struct stat *st, const uint8_t *raw,
    size_t len, struct err *err)
{
	int ret;

	pthread_mutex_lock(&l->mu);
	ret = store(l, st, raw, len, err);
	pthread_mutex_unlock(&l->mu);
	return ret;
}

static bool
entry(struct links *l, const struct stat *st, const uint8_t **raw, size_t *len)
{
	struct link *link = find(l, st);

	if (link == NULL || link->raw == NULL)
		return false;
	*raw = link->raw;
	*len = link->len;
	use(l, link, st->st_nlink);
	return true;
}

bool
links_entry(
    struct links *l, const struct stat *st, const uint8_t **raw, size_t *len)
{
	bool found;

	pthread_mutex_lock(&l->mu);
	found = entry(l, st, raw, len);
	pthread_mutex_unlock(&l->mu);
	return found;
}

static int
compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

int
links_claim(
    struct links *l, uint64_t number, const struct stat *st, struct err *err)
{
	struct claim *claim = calloc(1, sizeof(*claim));
	struct claim **at;
	bool ours;

	if (claim == NULL)
		return err_nomem(err);
	claim->number = number;
	claim->dev = st->st_dev;
	claim->ino = st->st_ino;
	at = tsearch(claim, &l->claims, compare_claims);
	if (at == NULL || *at != claim)
		free(claim);
	if (at == NULL)
		return err_nomem(err);
	ours = (*at)->dev == st->st_dev && (*at)->ino == st->st_ino;
	return ours ? 1 : 0;
}
