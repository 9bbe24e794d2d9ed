#include "fs/ahead.h"
#include "fs/watch.h"
#include "snapshot/content/content.h"

#include <pthread.h>
#include <stdlib.h>

#define WALKS 4         /* at a time */
#define STRIDE 256      /* ids from one file of a walk to the next, at most */
#define SURE 4          /* files in order, then it counts as a walk */
#define BYTES (1 << 20) /* to have opened ahead */
#define STEPS 64        /* nodes to look at for one file read */

/* Somebody who reads file after file. */
struct walk {
	uint64_t at;     /* id of the last file read */
	uint64_t to;     /* id up to which files were asked for */
	uint64_t bytes;  /* of the files between, about */
	unsigned streak; /* files read in order */
	uint64_t used;   /* when, in calls */
};

struct ahead {
	struct nodes *nodes;
	pthread_mutex_t mu;
	/* guarded by mu */
	struct walk walks[WALKS];
	uint64_t clock;
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
	return 0;
}

void
ahead_free(struct ahead *a)
{
	if (a == NULL)
		return;
	pthread_mutex_destroy(&a->mu);
	free(a);
}

/* The walk that file ${id} goes on with, or else begins. */
static struct walk *
join(struct ahead *a, uint64_t id)
{
	struct walk *oldest = &a->walks[0];

	for (size_t i = 0; i < WALKS; i++) {
		struct walk *w = &a->walks[i];

		if (w->used != 0 && id > w->at && id - w->at <= STRIDE) {
			w->streak++;
			return w;
		}
		if (w->used < oldest->used)
			oldest = w;
	}
	*oldest = (struct walk){.to = id};
	return oldest;
}

/* Ask for a file of a few chunks; returns how much that is. */
static uint64_t
ask_for(const struct node *n)
{
	struct span raw = node_raw(n);
	struct content c;
	struct entry e;

	if (n->kind != NODE_FILE ||
	    entry_decode(raw.p, raw.len, &e, NULL) != 0 ||
	    e.type != ENTRY_FILE || entry_content(&e, &c, NULL) != 0)
		return 0;
	/* A longer one is read ahead on its own, once it's begun. */
	for (size_t i = 0; i < c.n; i++)
		if (!c.inl[i].hole)
			chunks_prefetch(n->ds->chunks, &c.inl[i].name);
	return e.size;
}

/* Look at the nodes that come next, until enough was asked for. */
static void
go_ahead(struct ahead *a, struct walk *w)
{
	uint64_t last = nodes_last_id(a->nodes);

	for (unsigned i = 0; i < STEPS && w->to < last && w->bytes < BYTES;
	     i++) {
		struct node *n = nodes_get(a->nodes, ++w->to);

		if (n != NULL)
			w->bytes += ask_for(n);
		nodes_put(a->nodes, n);
	}
}

void
ahead_of(struct ahead *a, const struct node *n, uint64_t size)
{
	struct walk *w;

	pthread_mutex_lock(&a->mu);
	w = join(a, n->id);
	w->at = n->id;
	w->used = ++a->clock;
	w->bytes -= size < w->bytes ? size : w->bytes;
	if (w->to <= n->id) {
		w->to = n->id;
		w->bytes = 0;
	}
	if (w->streak >= SURE)
		go_ahead(a, w);
	pthread_mutex_unlock(&a->mu);
}
