#include "fs/tours.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TOURS 8         /* at a time */
#define SURE 2          /* steps as expected, then the next is prepared */
#define AHEAD_MAX 16384 /* directories to come that are remembered */
#define SKIP_MAX 64     /* of them, left out by one step */

struct tour {
	uint64_t *ahead; /* a stack: what comes next is on top */
	size_t n, cap;
	unsigned streak; /* steps as expected */
	uint64_t used;   /* when, in steps; 0: never */
	bool making;     /* the listing of ${next} is under way */
	uint64_t next;
	struct listed ready; /* or all 0 */
};

struct tours {
	struct nodes *nodes;
	pthread_mutex_t mu;
	pthread_cond_t made;
	/* guarded by mu */
	struct tour v[TOURS];
	uint64_t clock;
};

void
listed_clear(struct listed *l)
{
	free(l->buf);
	wr_clear(&l->nodes);
	wr_clear(&l->dirs);
	memset(l, 0, sizeof(*l));
}

int
tours_new(struct nodes *nodes, struct tours **out, struct err *err)
{
	struct tours *t = calloc(1, sizeof(*t));

	*out = t;
	if (t == NULL)
		return err_nomem(err);
	t->nodes = nodes;
	pthread_mutex_init(&t->mu, NULL);
	pthread_cond_init(&t->made, NULL);
	return 0;
}

/* Nobody asked for it, so the kernel knows nothing of these look-ups. */
static void
discard(struct tours *t, struct listed *l)
{
	struct rd r = rd_init(l->nodes.buf, l->nodes.len);

	while (rd_left(&r) > 0)
		nodes_forget(t->nodes, rd_u64(&r), 1);
	listed_clear(l);
}

void
tours_free(struct tours *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < TOURS; i++) {
		discard(t, &t->v[i].ready);
		free(t->v[i].ahead);
	}
	pthread_mutex_destroy(&t->mu);
	pthread_cond_destroy(&t->made);
	free(t);
}

/* --- taking -------------------------------------------------------------- */

/* The tour that has, or will have, the listing of ${dir}; or NULL. */
static struct tour *
find_listing(struct tours *t, uint64_t dir)
{
	for (size_t i = 0; i < TOURS; i++) {
		struct tour *tour = &t->v[i];

		if (tour->ready.dir == dir ||
		    (tour->making && tour->next == dir))
			return tour;
	}
	return NULL;
}

bool
tours_take(struct tours *t, uint64_t dir, size_t size, struct listed *out)
{
	struct tour *tour;

	*out = (struct listed){0};
	pthread_mutex_lock(&t->mu);
	while ((tour = find_listing(t, dir)) != NULL && tour->ready.dir != dir)
		pthread_cond_wait(&t->made, &t->mu);
	if (tour != NULL && tour->ready.len <= size) {
		*out = tour->ready;
		tour->ready = (struct listed){0};
	}
	pthread_mutex_unlock(&t->mu);
	return out->dir == dir;
}

/* --- following ----------------------------------------------------------- */

/* How many steps from the top ${dir} is, counted from 1; 0: not near it. */
static size_t
steps_to(const struct tour *tour, uint64_t dir)
{
	for (size_t i = 1; i <= tour->n && i <= SKIP_MAX; i++)
		if (tour->ahead[tour->n - i] == dir)
			return i;
	return 0;
}

/* The tour that ${dir} belongs to, having come there; or one that begins. */
static struct tour *
join(struct tours *t, uint64_t dir)
{
	struct tour *oldest = NULL;

	for (size_t i = 0; i < TOURS; i++) {
		struct tour *tour = &t->v[i];
		size_t steps = steps_to(tour, dir);

		if (steps > 0) {
			tour->n -= steps;
			tour->streak = steps == 1 ? tour->streak + 1 : 0;
			return tour;
		}
		if (!tour->making &&
		    (oldest == NULL || tour->used < oldest->used))
			oldest = tour;
	}
	if (oldest != NULL) {
		oldest->n = 0;
		oldest->streak = 0;
	}
	return oldest;
}

/* What lies below comes before all else; what is too much is forgotten. */
static bool
add_ahead(struct tour *tour, const struct wr *dirs)
{
	struct rd r = rd_init(dirs->buf, dirs->len);
	size_t n = dirs->len / sizeof(uint64_t), need;

	if (n > AHEAD_MAX)
		return false;
	if (n > AHEAD_MAX - tour->n)
		tour->n = 0;
	need = tour->n + n;
	if (need > tour->cap) {
		size_t cap = need < 64 ? 64 : 2 * need;
		uint64_t *v = reallocarray(tour->ahead, cap, sizeof(*v));

		if (v == NULL)
			return false;
		tour->ahead = v;
		tour->cap = cap;
	}
	tour->n = need;
	for (size_t i = 0; i < n; i++)
		tour->ahead[need - 1 - i] = rd_u64(&r);
	return true;
}

static struct tour *
step(struct tours *t, const struct listed *l, uint64_t *next)
{
	struct tour *tour = join(t, l->dir);

	if (tour == NULL)
		return NULL;
	tour->used = ++t->clock;
	if (!add_ahead(tour, &l->dirs))
		tour->n = 0;
	if (tour->making)
		return NULL;
	discard(t, &tour->ready);
	if (tour->n == 0 || tour->streak < SURE)
		return NULL;
	tour->making = true;
	tour->next = tour->ahead[tour->n - 1];
	*next = tour->next;
	return tour;
}

struct tour *
tours_step(struct tours *t, const struct listed *l, uint64_t *next)
{
	struct tour *tour;

	pthread_mutex_lock(&t->mu);
	tour = step(t, l, next);
	pthread_mutex_unlock(&t->mu);
	return tour;
}

void
tours_ready(struct tours *t, struct tour *tour, struct listed *l)
{
	pthread_mutex_lock(&t->mu);
	tour->making = false;
	if (l != NULL) {
		tour->ready = *l;
		*l = (struct listed){0};
	}
	pthread_cond_broadcast(&t->made);
	pthread_mutex_unlock(&t->mu);
}
