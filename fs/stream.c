#include "fs/stream.h"
#include "fs/watch.h"

#include <pthread.h>
#include <stdlib.h>

#define STREAMS 32

/*
 * The kernel reads ahead with several requests at once, and they arrive in
 * any order: what begins so near to where the others ended goes on from there.
 */
#define NEAR ((uint64_t)4 << 20)

/* What was read so far in one go is likely to be read further, */
#define FETCH_FROM ((uint64_t)32 << 20)
/* and every so many bytes the pack of what comes later is asked for. */
#define FETCH_STEP ((uint64_t)8 << 20)

struct stream {
	pthread_mutex_t busy;
	struct streams *all;
	uint64_t id; /* of its node */
	uint64_t size;

	/* guarded by busy */
	struct chunks *chunks;
	struct content_cursor *cur;
	uint64_t begin; /* of what was read in one go */
	uint64_t end;
	uint64_t asked;             /* end of what was asked for ahead */
	struct content_cursor *far; /* fetch_ahead()'s; NULL: a short file */
	uint64_t fetch; /* ask for the next pack when the run ends there */

	/* guarded by all->mu */
	unsigned users;
	uint64_t used; /* when, in openings */
};

struct streams {
	uint64_t ahead;
	pthread_mutex_t mu;
	/* guarded by mu */
	struct stream *v[STREAMS];
	uint64_t clock;
};

int
streams_new(uint64_t ahead, struct streams **out, struct err *err)
{
	struct streams *s = calloc(1, sizeof(*s));

	*out = s;
	if (s == NULL)
		return err_nomem(err);
	s->ahead = ahead;
	pthread_mutex_init(&s->mu, NULL);
	return 0;
}

static void
stream_free(struct stream *st)
{
	if (st == NULL)
		return;
	content_cursor_free(st->cur);
	content_cursor_free(st->far);
	pthread_mutex_destroy(&st->busy);
	free(st);
}

DEFINE_AUTO(stream, stream_free)

void
streams_free(struct streams *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < STREAMS; i++)
		stream_free(s->v[i]);
	pthread_mutex_destroy(&s->mu);
	free(s);
}

static int
stream_new(struct streams *s, const struct node *n, const struct content *c,
    uint64_t size, struct stream **out, struct err *err)
{
	AUTO(stream) struct stream *st = calloc(1, sizeof(*st));
	int rc;

	if (st == NULL)
		return err_nomem(err);
	pthread_mutex_init(&st->busy, NULL);
	st->all = s;
	st->id = n->id;
	st->size = size;
	st->chunks = n->ds->chunks;
	st->fetch = FETCH_FROM;
	rc = content_cursor_new(st->chunks, c, size, &st->cur, err);
	if (rc == 0 && size > FETCH_FROM + CONTENT_FETCH_AHEAD)
		rc = content_cursor_new(st->chunks, c, size, &st->far, err);
	if (rc == 0)
		*out = STEAL(st);
	return rc;
}

/* The slot of node ${id}, or else the one to use for it. */
static struct stream **
pick(struct streams *s, uint64_t id)
{
	struct stream **best = NULL;

	for (size_t i = 0; i < STREAMS; i++) {
		struct stream **v = &s->v[i];

		if (*v != NULL && (*v)->id == id)
			return v;
		if (*v != NULL && (*v)->users > 0)
			continue;
		if (best == NULL ||
		    (*best != NULL &&
			(*v == NULL || (*v)->used < (*best)->used)))
			best = v;
	}
	return best;
}

int
stream_open(struct streams *s, const struct node *n, const struct content *c,
    uint64_t size, struct stream **out, struct err *err)
{
	struct stream *st = NULL, **v;
	int rc = 0;

	pthread_mutex_lock(&s->mu);
	v = pick(s, n->id);
	if (v != NULL && *v != NULL && (*v)->id == n->id) {
		st = *v;
	} else {
		/* Without a slot it lives until it is closed. */
		rc = stream_new(s, n, c, size, &st, err);
		if (rc == 0 && v != NULL) {
			stream_free(*v);
			*v = st;
		}
	}
	if (rc == 0) {
		st->users++;
		st->used = ++s->clock;
	}
	pthread_mutex_unlock(&s->mu);
	if (rc == 0)
		pthread_mutex_lock(&st->busy);
	*out = st;
	return rc;
}

static bool
has_slot(const struct streams *s, const struct stream *st)
{
	for (size_t i = 0; i < STREAMS; i++)
		if (s->v[i] == st)
			return true;
	return false;
}

void
stream_close(struct stream *st)
{
	struct streams *s = st->all;
	bool gone;

	pthread_mutex_unlock(&st->busy);
	pthread_mutex_lock(&s->mu);
	gone = --st->users == 0 && !has_slot(s, st);
	pthread_mutex_unlock(&s->mu);
	if (gone)
		stream_free(st);
}

struct content_cursor *
stream_cursor(struct stream *st)
{
	return st->cur;
}

/* The range goes on where others ended, or begins a run of its own. */
static bool
follow(struct stream *st, uint64_t off, uint64_t end)
{
	bool onward = off <= st->end + NEAR && end + NEAR >= st->end;

	if (!onward) {
		st->begin = off;
		st->asked = 0;
		st->fetch = off + FETCH_FROM;
	}
	if (!onward || end > st->end)
		st->end = end;
	if (st->asked < st->end)
		st->asked = st->end;
	return onward;
}

/* What will be read much later is to be at hand by then, as it is stored. */
static void
fetch_ahead(struct stream *st)
{
	if (st->far == NULL || st->end < st->fetch)
		return;
	st->fetch = st->end + FETCH_STEP;
	content_fetch(st->far, st->end + CONTENT_FETCH_AHEAD);
}

/*
 * As far ahead as the run is long already, up to the limit. Reading ahead uses
 * the same cursor as reading, for the list's next node is the same. An error
 * ends it: whoever reads that far gets to know.
 */
bool
stream_ahead(struct stream *st, uint64_t off, uint64_t len)
{
	bool onward = follow(st, off, off + len);
	uint64_t lead, to;

	lead = st->end - st->begin;
	if (lead > st->all->ahead)
		lead = st->all->ahead;
	to = lead < st->size - st->end ? st->end + lead : st->size;
	/* Half a lead at a time, so as not to ask for every request. */
	if (st->asked > st->end + lead / 2)
		return onward;
	while (st->asked < to) {
		struct element el;
		uint64_t start;

		if (content_at(st->cur, st->asked, &el, &start, NULL) != 0)
			return onward;
		/* Who reads a part of it now fetches it, too. */
		if (!el.hole && start >= st->end)
			chunks_prefetch(st->chunks, &el.name);
		st->asked = start + el.len;
	}
	if (onward)
		fetch_ahead(st);
	return onward;
}
