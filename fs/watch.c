#include "fs/watch_internal.h"
#include "snapshot/content/chunks.h"

#include <stdlib.h>
#include <string.h>

static bool
known(const struct watch *w, const struct dataset *ds)
{
	for (size_t i = 0; i < w->n; i++)
		if (memcmp(w->v[i]->ds->id, ds->id, DATASET_ID_LEN) == 0)
			return true;
	return false;
}

static void
dataset_free(struct fs_dataset *d)
{
	chunks_free(d->chunks);
	log_free(d->log);
	days_clear(&d->days);
	pthread_rwlock_destroy(&d->lock);
	pthread_mutex_destroy(&d->turn);
	free(d);
}

static int
add(struct watch *w, const struct dataset *ds, struct err *err)
{
	struct fs_dataset **v = realloc(w->v, (w->n + 1) * sizeof(*v));
	struct fs_dataset *d;
	int rc;

	if (v == NULL)
		return err_nomem(err);
	w->v = v;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return err_nomem(err);
	d->watch = w;
	d->ds = ds;
	d->ordinal = (uint32_t)w->n;
	pthread_rwlock_init(&d->lock, NULL);
	pthread_mutex_init(&d->turn, NULL);
	rc = folders_add(w->folders, ds->name, d, err);
	if (rc != 0) {
		dataset_free(d);
		return rc;
	}
	w->v[w->n++] = d;
	return 0;
}

/* Take over the datasets that the access knows; the watch is locked. */
static int
add_new(struct watch *w, struct err *err)
{
	for (size_t i = 0; i < access_datasets(w->opt.access); i++) {
		const struct dataset *ds = access_dataset(w->opt.access, i);
		int rc;

		if (w->opt.dataset != NULL &&
		    strcmp(w->opt.dataset, ds->name) != 0)
			continue;
		if (known(w, ds))
			continue;
		rc = add(w, ds, err);
		if (rc == ERR_USAGE)
			report_line(w->opt.report, "%s", err->text);
		else if (rc != 0)
			return rc;
	}
	return 0;
}

const struct folders *
watch_folders(struct watch *w)
{
	if (watch_now_ms() >= atomic_load(&w->next) &&
	    pthread_mutex_trylock(&w->turn) == 0) {
		struct err err = {0};
		bool changed = false;
		int rc;

		pthread_rwlock_wrlock(&w->lock);
		rc = access_refresh(w->opt.access, &changed, &err);
		if (rc == 0 && changed)
			rc = add_new(w, &err);
		pthread_rwlock_unlock(&w->lock);
		if (rc != 0)
			(void)report_errno(w->opt.report, NULL, &err);
		atomic_store(&w->next, watch_now_ms() + NEWS_MS);
		pthread_mutex_unlock(&w->turn);
	}
	pthread_rwlock_rdlock(&w->lock);
	return w->folders;
}

void
watch_leave_folders(struct watch *w)
{
	pthread_rwlock_unlock(&w->lock);
}

/*
 * Whoever mounts a replica is to hear at once that it is behind. What fails here
 * fails again, and is told, when somebody enters.
 */
static void
look_for_lag(struct fs_dataset *d)
{
	const struct watch_options *opt = &d->watch->opt;
	struct log_behind behind;
	struct err why;

	if (log_behind_look(access_store(opt->access), d->ds->id, opt->heads,
		&behind, &why) != 0 ||
	    behind.seen == 0 || watch_load(d, &why) != 0)
		return;
	atomic_store(&d->loaded, true);
	atomic_store(&d->next, watch_now_ms() + NEWS_MS);
}

int
watch_new(const struct watch_options *opt, struct watch **out, struct err *err)
{
	AUTO(watch) struct watch *w = calloc(1, sizeof(*w));
	int rc;

	*out = NULL;
	if (w == NULL)
		return err_nomem(err);
	w->opt = *opt;
	pthread_rwlock_init(&w->lock, NULL);
	pthread_mutex_init(&w->turn, NULL);
	rc = folders_new(&w->folders, err);
	if (rc == 0)
		rc = add_new(w, err);
	if (rc != 0)
		return rc;
	if (opt->dataset != NULL && w->n == 0)
		return err_set(err, ERR_NOT_FOUND,
		    "there is no dataset '%s' that this key may see",
		    opt->dataset);
	for (size_t i = 0; i < w->n; i++)
		look_for_lag(w->v[i]);
	atomic_store(&w->next, watch_now_ms() + NEWS_MS);
	*out = STEAL(w);
	return 0;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->n; i++)
		dataset_free(w->v[i]);
	free(w->v);
	folders_free(w->folders);
	pthread_rwlock_destroy(&w->lock);
	pthread_mutex_destroy(&w->turn);
	free(w);
}
