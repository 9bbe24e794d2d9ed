#include "fs/ahead.h"
#include "fs/watch.h"
#include "snapshot/content/content.h"

#include <pthread.h>
#include <stdlib.h>

#define WALKS 16         /* at a time: one a level of directories, say */
#define STRIDE 256       /* ids from one file of a walk to the next, at most */
#define SURE 4           /* files in order, then it counts as a walk */
#define WINDOW_MIN 65536 /* bytes; doubled whenever it was good for something */
#define WINDOW_MAX ((uint64_t)4 << 20)
#define STEP 512         /* what looking at a node counts as, in bytes */
#define LEAD (768 << 10) /* bytes of which segments are opened beforehand */
#define LEAD_STEPS 64    /* nodes to look at for them at a time */
#define PLACES 16        /* of readers here and there, that wait */

/* Somebody who reads file after file. */
struct walk {
	uint64_t at;     /* id of the last file that was asked for */
	uint64_t to;     /* id up to which files were given */
	uint64_t trip;   /* id of the one that was left out; 0: none yet */
	uint64_t window; /* bytes */
	uint64_t left;   /* bytes to give */
	uint64_t opened; /* id up to which segments were asked for */
	uint64_t lead;   /* bytes of files between ${to} and ${opened} */
	unsigned streak; /* files read in order */
	uint64_t used;   /* when, in calls */
};

/* Where somebody read. */
struct place {
	uint64_t id;
	uint64_t off;
};

struct ahead {
	struct nodes *nodes;
	pthread_mutex_t mu;
	pthread_cond_t due;
	/* guarded by mu */
	struct walk walks[WALKS];
	uint64_t clock;
	uint64_t told; /* the highest id that the kernel was told of */
	struct place places[PLACES]; /* a ring */
	size_t first_place, nplaces;
	bool stop;
};

int
ahead_new(struct nodes *nodes, struct ahead **out, struct err *err)
{
	struct ahead *a = calloc(1, sizeof(*a));

	*out = a;
	if (a == NULL)
		return err_nomem(err);
	a->nodes = nodes;
	pthread_mutex_init(&a->mu, NULL);
	pthread_cond_init(&a->due, NULL);
	return 0;
}

void
ahead_free(struct ahead *a)
{
	if (a == NULL)
		return;
	pthread_mutex_destroy(&a->mu);
	pthread_cond_destroy(&a->due);
	free(a);
}

/* --- following the readers --------------------------------------------- */

static bool
goes_on(const struct walk *w, uint64_t id)
{
	return w->used != 0 && id >= w->at &&
	       id <= (w->to > w->at ? w->to : w->at) + STRIDE;
}

/* The walk that file ${id} goes on with, the nearest, or else begins. */
static struct walk *
join(struct ahead *a, uint64_t id)
{
	struct walk *best = NULL, *oldest = &a->walks[0];

	for (size_t i = 0; i < WALKS; i++) {
		struct walk *w = &a->walks[i];

		if (goes_on(w, id) && (best == NULL || w->at > best->at))
			best = w;
		if (w->used < oldest->used)
			oldest = w;
	}
	if (best != NULL)
		return best;
	*oldest = (struct walk){.at = id, .window = WINDOW_MIN};
	return oldest;
}

/*
 * A file that was left out on purpose: the reader has come that far. One behind
 * all that was given: whoever reads it was faster, or leaves some out.
 */
static void
step(struct walk *w, uint64_t id)
{
	if (id > w->at)
		w->streak++;
	w->at = id;
	if (id == w->trip) {
		if (w->window < WINDOW_MAX)
			w->window *= 2;
	} else if (id > w->to) {
		w->to = id;
		if (w->opened < id) {
			w->opened = id;
			w->lead = 0;
		}
	} else {
		return;
	}
	w->trip = 0;
	w->left = w->streak >= SURE ? 2 * w->window : 0;
}

void
ahead_of(struct ahead *a, const struct node *n)
{
	struct walk *w;

	pthread_mutex_lock(&a->mu);
	w = join(a, n->id);
	w->used = ++a->clock;
	step(w, n->id);
	if (w->left > 0)
		pthread_cond_signal(&a->due);
	pthread_mutex_unlock(&a->mu);
}

/* --- what comes next --------------------------------------------------- */

/* Whether ${n} is a file to be given, and its content. */
static bool
is_small(const struct node *n, struct entry *e, struct content *c)
{
	struct span raw = node_raw(n);

	return n->kind == NODE_FILE &&
	       entry_decode(raw.p, raw.len, e, NULL) == 0 &&
	       e->type == ENTRY_FILE && e->size <= AHEAD_FILE_MAX &&
	       entry_content(e, c, NULL) == 0 && c->form == CONTENT_INLINE_LIST;
}

/* Have the segments opened that come next. */
static void
open_ahead(struct ahead *a, struct walk *w, uint64_t last)
{
	struct content c;
	struct entry e;

	for (unsigned i = 0;
	     i < LEAD_STEPS && w->opened < last && w->lead < LEAD; i++) {
		struct node *n = nodes_get(a->nodes, ++w->opened);

		if (n != NULL && is_small(n, &e, &c)) {
			w->lead += e.size;
			for (size_t j = 0; j < c.n; j++)
				if (!c.inl[j].hole)
					chunks_prefetch(
					    n->ds->chunks, &c.inl[j].name);
		}
		nodes_put(a->nodes, n);
	}
}

static uint64_t
less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* The next node, if it is a file to be given: a reference. */
static struct node *
advance(struct ahead *a, struct walk *w)
{
	struct node *n = nodes_get(a->nodes, ++w->to);
	struct content c;
	struct entry e;

	w->left = less(w->left, STEP);
	if (w->opened < w->to)
		w->opened = w->to;
	if (n != NULL && is_small(n, &e, &c)) {
		w->lead = less(w->lead, e.size);
		w->left = less(w->left, e.size);
		if (w->trip != 0 || w->left > w->window)
			return n;
		w->trip = n->id;
	}
	nodes_put(a->nodes, n);
	return NULL;
}

/* The walk that was read last, of those that are to be given something. */
static struct walk *
due(struct ahead *a)
{
	struct walk *best = NULL;

	for (size_t i = 0; i < WALKS; i++) {
		struct walk *w = &a->walks[i];

		if (w->left > 0 && w->to < a->told &&
		    (best == NULL || w->used > best->used))
			best = w;
	}
	return best;
}

void
ahead_around(struct ahead *a, const struct node *n, uint64_t off)
{
	pthread_mutex_lock(&a->mu);
	if (a->nplaces < PLACES) {
		size_t i = (a->first_place + a->nplaces++) % PLACES;

		a->places[i] = (struct place){n->id, off};
		pthread_cond_signal(&a->due);
	}
	pthread_mutex_unlock(&a->mu);
}

static struct node *
next_place(struct ahead *a, uint64_t *off)
{
	struct place *p = &a->places[a->first_place];

	a->first_place = (a->first_place + 1) % PLACES;
	a->nplaces--;
	*off = p->off;
	return nodes_get(a->nodes, p->id);
}

static bool
is_due(struct ahead *a)
{
	return a->nplaces > 0 || due(a) != NULL;
}

/* Of what is due, one step; not every step finds something to give. */
static void
next(struct ahead *a, struct ahead_item *out)
{
	struct walk *w;

	out->around = a->nplaces > 0;
	if (out->around) {
		out->n = next_place(a, &out->off);
		return;
	}
	w = due(a);
	open_ahead(a, w, nodes_last_id(a->nodes));
	out->n = advance(a, w);
}

bool
ahead_next(struct ahead *a, struct ahead_item *out)
{
	*out = (struct ahead_item){0};
	pthread_mutex_lock(&a->mu);
	while (out->n == NULL && !a->stop && is_due(a))
		next(a, out);
	pthread_mutex_unlock(&a->mu);
	return out->n != NULL;
}

bool
ahead_wait(struct ahead *a)
{
	bool stop;

	pthread_mutex_lock(&a->mu);
	while (!a->stop && !is_due(a))
		pthread_cond_wait(&a->due, &a->mu);
	stop = a->stop;
	pthread_mutex_unlock(&a->mu);
	return !stop;
}

void
ahead_listed(struct ahead *a, uint64_t id)
{
	pthread_mutex_lock(&a->mu);
	if (a->told < id)
		a->told = id;
	if (is_due(a))
		pthread_cond_signal(&a->due);
	pthread_mutex_unlock(&a->mu);
}

void
ahead_stop(struct ahead *a)
{
	pthread_mutex_lock(&a->mu);
	a->stop = true;
	pthread_cond_signal(&a->due);
	pthread_mutex_unlock(&a->mu);
}
