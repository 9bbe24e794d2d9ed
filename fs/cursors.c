#include "fs/cursors.h"

#include <pthread.h>
#include <stdlib.h>

/* Each holds its pages in memory, so a few have to do. */
#define CURSORS 8

struct cursors {
	pthread_mutex_t mu;
	/* guarded by mu */
	struct slot {
		uint64_t id; /* 0: free */
		uint64_t at;
		struct dir_cursor *cur;
	} slots[CURSORS]; /* the latest first */
};

int
cursors_new(struct cursors **out, struct err *err)
{
	struct cursors *c = calloc(1, sizeof(*c));

	*out = c;
	if (c == NULL)
		return err_nomem(err);
	pthread_mutex_init(&c->mu, NULL);
	return 0;
}

void
cursors_free(struct cursors *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < CURSORS; i++)
		dir_cursor_free(c->slots[i].cur);
	pthread_mutex_destroy(&c->mu);
	free(c);
}

/* Put ${s} first; what was at ${i} goes. */
static void
push(struct cursors *c, size_t i, struct slot s)
{
	for (; i > 0; i--)
		c->slots[i] = c->slots[i - 1];
	c->slots[0] = s;
}

static struct dir_cursor *
find(struct cursors *c, uint64_t id, uint64_t at)
{
	struct dir_cursor *cur = NULL;

	pthread_mutex_lock(&c->mu);
	for (size_t i = 0; i < CURSORS && cur == NULL; i++) {
		struct slot *s = &c->slots[i];

		if (s->id != id || s->at != at)
			continue;
		cur = s->cur;
		*s = (struct slot){0};
	}
	pthread_mutex_unlock(&c->mu);
	return cur;
}

int
cursors_take(struct cursors *c, struct chunks *chunks, uint64_t id,
    const struct dir_ref *ref, uint64_t at, struct dir_cursor **out,
    struct err *err)
{
	AUTO(dir_cursor) struct dir_cursor *cur = NULL;
	int rc;

	*out = at > 0 ? find(c, id, at) : NULL;
	if (*out != NULL)
		return 0;
	rc = dir_cursor_new(chunks, ref, &cur, err);
	if (rc == 0 && at > 0)
		rc = dir_cursor_seek(cur, at, err);
	if (rc == 0)
		*out = STEAL(cur);
	return rc;
}

void
cursors_keep(
    struct cursors *c, uint64_t id, uint64_t at, struct dir_cursor *cur)
{
	struct dir_cursor *old;
	size_t i = 0;

	pthread_mutex_lock(&c->mu);
	while (i < CURSORS - 1 && c->slots[i].id != 0)
		i++;
	old = c->slots[i].cur;
	push(c, i, (struct slot){id, at, cur});
	pthread_mutex_unlock(&c->mu);
	dir_cursor_free(old);
}
