#include "snapshot/backup/scout.h"
#include "snapshot/backup/scout_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* How far the scout may be ahead. */
#define AHEAD_VIEWS 32
#define AHEAD_LOOKS 4096
/* Who waits is told when so many views are there: waking costs time. */
#define WAKE_VIEWS 8

struct scout {
	struct scout_options opt;
	struct stat st;
	int root_fd;
	pthread_t thread;

	pthread_mutex_t mu;
	pthread_cond_t more; /* views have come, or it is over */
	pthread_cond_t room; /* half of what is ahead was taken, or over */

	/* guarded by mu */
	struct view *first, **last;
	size_t views, looks;
	bool over;  /* nobody takes any more */
	bool ended; /* no more will come */
	int rc;     /* once ended */
	struct err err;
};

void
dir_facts_unref(struct dir_facts *f)
{
	if (f == NULL || atomic_fetch_sub(&f->refs, 1) != 1)
		return;
	listing_clear(&f->list);
	free(f);
}

void
view_free(struct view *v)
{
	if (v == NULL)
		return;
	dir_facts_unref(v->facts);
	dirh_unref(v->dir);
	free(v);
}

/* --- the scout's side --------------------------------------------------- */

/* mu is held. */
static bool
too_far(const struct scout *s)
{
	return s->views >= AHEAD_VIEWS || s->looks >= AHEAD_LOOKS;
}

int
scout_send(struct scout *s, struct view *v, struct err *err)
{
	bool over;

	pthread_mutex_lock(&s->mu);
	if (too_far(s))
		pthread_cond_signal(&s->more);
	while (!s->over && too_far(s))
		pthread_cond_wait(&s->room, &s->mu);
	over = s->over;
	if (!over) {
		*s->last = v;
		s->last = &v->next;
		s->looks += v->n;
		if (++s->views % WAKE_VIEWS == 0)
			pthread_cond_signal(&s->more);
	}
	pthread_mutex_unlock(&s->mu);
	if (!over)
		return 0;
	view_free(v);
	return err_set(err, ERR_CANCELLED, "stopped");
}

static void *
scout_main(void *arg)
{
	struct scout *s = arg;
	struct err err = {0};
	int rc = scout_look(s, s->root_fd, &s->st, &s->opt, &err);

	pthread_mutex_lock(&s->mu);
	s->ended = true;
	s->rc = rc;
	s->err = err;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->mu);
	return NULL;
}

/* --- the walk's side ---------------------------------------------------- */

int
scout_start(int root_fd, const struct stat *st, const struct scout_options *opt,
    struct scout **out, struct err *err)
{
	struct scout *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL) {
		close(root_fd);
		return err_nomem(err);
	}
	s->opt = *opt;
	s->st = *st;
	s->root_fd = root_fd;
	s->last = &s->first;
	pthread_mutex_init(&s->mu, NULL);
	pthread_cond_init(&s->more, NULL);
	pthread_cond_init(&s->room, NULL);
	if (pthread_create(&s->thread, NULL, scout_main, s) == 0) {
		*out = s;
		return 0;
	}
	close(root_fd);
	pthread_cond_destroy(&s->room);
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->mu);
	free(s);
	return err_set(err, ERR_IO, "cannot start a thread");
}

void
scout_free(struct scout *s)
{
	struct view *v;

	if (s == NULL)
		return;
	pthread_mutex_lock(&s->mu);
	s->over = true;
	pthread_cond_signal(&s->room);
	pthread_mutex_unlock(&s->mu);
	pthread_join(s->thread, NULL);
	while ((v = s->first) != NULL) {
		s->first = v->next;
		view_free(v);
	}
	pthread_cond_destroy(&s->room);
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->mu);
	free(s);
}

/* The oldest view; mu is held, and there is one. */
static struct view *
take(struct scout *s)
{
	struct view *v = s->first;

	s->first = v->next;
	if (s->first == NULL)
		s->last = &s->first;
	s->views--;
	s->looks -= v->n;
	if (s->views <= AHEAD_VIEWS / 2 && s->looks <= AHEAD_LOOKS / 2)
		pthread_cond_signal(&s->room);
	v->next = NULL;
	return v;
}

int
scout_next(struct scout *s, struct view **out, struct err *err)
{
	int rc = 0;

	*out = NULL;
	pthread_mutex_lock(&s->mu);
	while (s->first == NULL && !s->ended)
		pthread_cond_wait(&s->more, &s->mu);
	if (s->first != NULL)
		*out = take(s);
	else if (s->rc != 0)
		rc = err_copy(err, &s->err);
	else
		rc = err_set(err, ERR_BUG, "the whole source was walked");
	pthread_mutex_unlock(&s->mu);
	return rc;
}
