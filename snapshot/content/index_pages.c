#include "snapshot/content/index_pages.h"

#include <pthread.h>
#include <stdlib.h>

struct index_pages {
	size_t limit;
	pthread_mutex_t mu;
	size_t n;                           /* guarded by mu */
	struct index_page *newest, *oldest; /* guarded by mu */
};

int
index_pages_new(size_t limit, struct index_pages **out, struct err *err)
{
	struct index_pages *set = calloc(1, sizeof(*set));

	*out = NULL;
	if (set == NULL)
		return err_nomem(err);
	(void)pthread_mutex_init(&set->mu, NULL);
	set->limit = limit;
	*out = set;
	return 0;
}

void
index_pages_free(struct index_pages *set)
{
	if (set == NULL)
		return;
	(void)pthread_mutex_destroy(&set->mu);
	free(set);
}

/* With mu held, as all of the following. */
static void
unlink_page(struct index_pages *set, struct index_page *page)
{
	if (page->newer != NULL)
		page->newer->older = page->older;
	else
		set->newest = page->older;
	if (page->older != NULL)
		page->older->newer = page->newer;
	else
		set->oldest = page->newer;
	set->n--;
}

static void
link_newest(struct index_pages *set, struct index_page *page)
{
	page->newer = NULL;
	page->older = set->newest;
	if (set->newest != NULL)
		set->newest->newer = page;
	else
		set->oldest = page;
	set->newest = page;
	set->n++;
}

static void
drop_page(struct index_pages *set, struct index_page *page)
{
	unlink_page(set, page);
	*page->home = NULL;
	free(page);
}

/* It is now the newest. */
static void
use_page(struct index_pages *set, struct index_page *page)
{
	unlink_page(set, page);
	link_newest(set, page);
}

int
index_pages_find(struct index_pages *set, struct index_page **home,
    const struct chunk_name *name, struct index_hit *hit)
{
	int found = -1;

	(void)pthread_mutex_lock(&set->mu);
	if (*home != NULL) {
		use_page(set, *home);
		found = index_page_find((*home)->bytes, (*home)->n, name, hit);
	}
	(void)pthread_mutex_unlock(&set->mu);
	return found;
}

bool
index_pages_segment(struct index_pages *set, struct index_page **home, size_t i,
    struct index_segment *seg)
{
	bool there;

	(void)pthread_mutex_lock(&set->mu);
	there = *home != NULL;
	if (there) {
		use_page(set, *home);
		*seg = index_page_segment((*home)->bytes, i);
	}
	(void)pthread_mutex_unlock(&set->mu);
	return there;
}

void
index_pages_keep(
    struct index_pages *set, struct index_page **home, struct index_page *page)
{
	(void)pthread_mutex_lock(&set->mu);
	if (*home != NULL) {
		/* Another thread was as quick. */
		free(page);
	} else {
		page->home = home;
		*home = page;
		link_newest(set, page);
		while (set->n > set->limit)
			drop_page(set, set->oldest);
	}
	(void)pthread_mutex_unlock(&set->mu);
}

void
index_pages_drop(struct index_pages *set, struct index_page **homes, size_t n)
{
	(void)pthread_mutex_lock(&set->mu);
	for (size_t i = 0; i < n; i++)
		if (homes[i] != NULL)
			drop_page(set, homes[i]);
	(void)pthread_mutex_unlock(&set->mu);
}
