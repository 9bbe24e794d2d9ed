#include "snapshot/backup/scout.h"
#include "crypto/thread.h"
#include "snapshot/backup/scout_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* How far the scout may be ahead of what was taken. */
#define AHEAD_VIEWS 16
#define AHEAD_LOOKS 2048
/* Who waits is told when so many views are there: waking costs time. */
#define WAKE_VIEWS 8

struct scout {
	struct scout_options opt;
	struct stat st;
	int root_fd;
	pthread_t thread;
	struct view *taken; /* the walk's: taken, and not asked for yet */
	atomic_bool over;   /* nobody takes any more; set with mu held */

	pthread_mutex_t mu;
	pthread_cond_t more; /* views have come, or it is over */
	pthread_cond_t room; /* what was ahead was taken, or over */

	/* guarded by mu */
	struct view *first, **last;
	size_t views, looks;
	size_t sent_views, sent_looks; /* from the beginning */
	bool ended;                    /* no more will come */
	int rc;                        /* once ended */
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
	if (s->sent_looks < s->opt.head_start &&
	    s->sent_views < s->opt.head_dirs)
		return false;
	return s->views >= AHEAD_VIEWS || s->looks >= AHEAD_LOOKS;
}

bool
scout_over(const struct scout *s)
{
	return atomic_load(&s->over);
}

int
scout_send(struct scout *s, struct view *v, struct err *err)
{
	bool over, enough = false;

	pthread_mutex_lock(&s->mu);
	if (too_far(s))
		pthread_cond_signal(&s->more);
	while (!scout_over(s) && too_far(s))
		pthread_cond_wait(&s->room, &s->mu);
	over = scout_over(s);
	if (!over) {
		*s->last = v;
		s->last = &v->next;
		s->looks += v->n;
		s->sent_views++;
		s->sent_looks += v->n;
		enough = ++s->views % WAKE_VIEWS == 0;
	}
	pthread_mutex_unlock(&s->mu);
	if (enough)
		pthread_cond_signal(&s->more);
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
	if (thread_start(&s->thread, scout_main, s) == 0) {
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

static void
free_views(struct view *v)
{
	while (v != NULL) {
		struct view *next = v->next;

		view_free(v);
		v = next;
	}
}

void
scout_free(struct scout *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->mu);
	atomic_store(&s->over, true);
	pthread_cond_signal(&s->room);
	pthread_mutex_unlock(&s->mu);
	pthread_join(s->thread, NULL);
	free_views(s->taken);
	free_views(s->first);
	pthread_cond_destroy(&s->room);
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->mu);
	free(s);
}

/* All that is there, at once: each lock taken costs time; waits for it. */
static int
take(struct scout *s, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&s->mu);
	while (s->first == NULL && !s->ended)
		pthread_cond_wait(&s->more, &s->mu);
	if (s->first == NULL)
		rc = s->rc != 0
			 ? err_copy(err, &s->err)
			 : err_set(err, ERR_BUG, "the whole source was walked");
	s->taken = s->first;
	s->first = NULL;
	s->last = &s->first;
	s->views = 0;
	s->looks = 0;
	pthread_mutex_unlock(&s->mu);
	pthread_cond_signal(&s->room);
	return rc;
}

int
scout_next(struct scout *s, struct view **out, struct err *err)
{
	int rc;

	*out = NULL;
	if (s->taken == NULL && (rc = take(s, err)) != 0)
		return rc;
	*out = s->taken;
	s->taken = s->taken->next;
	(*out)->next = NULL;
	return 0;
}
