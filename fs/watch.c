#include "fs/watch.h"
#include "snapshot/content/chunks.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often the store is asked for news, when somebody looks. */
#define NEWS_MS 1000

struct watch {
	struct watch_options opt;

	pthread_rwlock_t lock; /* the access, too */
	/* guarded by lock */
	struct folders *folders;
	struct fs_dataset **v; /* by ordinal */
	size_t n;

	pthread_mutex_t turn; /* who looks for news */
	_Atomic int64_t next; /* when to look again */
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* --- the logs ---------------------------------------------------------- */

/* Make what the log holds visible: first where its chunks lie, then names. */
static int
publish(struct fs_dataset *d, struct err *err)
{
	size_t n;
	const uint8_t(*indexes)[OBJECT_NAME_LEN] = log_indexes(d->log, &n);
	struct days days = {0};
	int rc = chunks_set_indexes(d->chunks, indexes, n, err);

	for (size_t i = 0; rc == 0 && i < log_count(d->log); i++)
		rc = days_add(&days, log_snapshot(d->log, i)->time, i, err);
	if (rc != 0) {
		days_clear(&days);
		return rc;
	}
	days_clear(&d->days);
	d->days = days;
	d->newest = log_head(d->log);
	d->behind = false;
	return 0;
}

/* The records before the damage are served; d->lock is held for writing. */
static void
tell_damage(struct fs_dataset *d)
{
	const struct err *damage = log_damage(d->log);

	if (damage != NULL && !d->damage_told)
		report_line(d->watch->opt.report, "%s", damage->text);
	d->damage_told = damage != NULL;
}

static void
tell_warning(struct fs_dataset *d)
{
	const struct err *warning = log_warning(d->log);

	if (warning != NULL)
		report_line(d->watch->opt.report, "%s", warning->text);
}

static void
tell_gap(struct fs_dataset *d)
{
	const struct err *gap = log_gap(d->log);

	if (gap != NULL && !d->gap_told)
		report_line(d->watch->opt.report,
		    "a snapshot of '%s' may be missing: %s", d->ds->name,
		    gap->text);
	d->gap_told = gap != NULL;
}

static void
tell_lag(struct fs_dataset *d)
{
	const struct log_behind *b = log_behind(d->log);
	char text[LOG_BEHIND_TEXT];

	if (b != NULL && !d->lag_told)
		report_line(d->watch->opt.report, "%s",
		    log_behind_text(b, d->ds->name, text));
	d->lag_told = b != NULL;
}

static int
refresh(struct fs_dataset *d, struct err *err)
{
	bool changed = false;
	int rc = log_refresh(d->log, &changed, err);

	if (rc != 0)
		return rc;
	tell_damage(d);
	tell_gap(d);
	tell_lag(d);
	if (!changed && !d->behind)
		return 0;
	d->behind = true;
	return publish(d, err);
}

/*
 * A chunk is not where the indexes said, in a thread that holds no lock: it may
 * have been repacked, and then a newer record names the index that knows.
 */
static int
on_missing(void *arg, struct err *err)
{
	struct fs_dataset *d = arg;
	int rc;

	pthread_rwlock_rdlock(&d->watch->lock);
	pthread_rwlock_wrlock(&d->lock);
	rc = refresh(d, err);
	pthread_rwlock_unlock(&d->lock);
	pthread_rwlock_unlock(&d->watch->lock);
	return rc;
}

/*
 * The newest indexes don't lead to a chunk: those that older records name may.
 * Called as on_missing() is.
 */
static int
on_failure(void *arg, struct err *err)
{
	struct fs_dataset *d = arg;
	uint8_t(*names)[OBJECT_NAME_LEN];
	size_t n;
	int rc;

	pthread_rwlock_rdlock(&d->lock);
	/* With the lock: a newer set is not to be followed by this one. */
	rc = log_all_indexes(d->log, &names, &n, err);
	if (rc == 0)
		rc = chunks_widen_indexes(d->chunks,
		    (const uint8_t(*)[OBJECT_NAME_LEN])names, n, err);
	pthread_rwlock_unlock(&d->lock);
	free(names);
	return rc;
}

static int
load(struct fs_dataset *d, struct err *err)
{
	const struct watch_options *opt = &d->watch->opt;
	int rc = log_load(opt->access, d->ds, opt->heads, &d->log, err);

	if (rc == 0)
		rc = chunks_new(access_store(opt->access), opt->cache,
		    d->ds->keys, &d->chunks, err);
	if (rc == 0)
		rc = publish(d, err);
	if (rc != 0) {
		chunks_free(d->chunks);
		d->chunks = NULL;
		log_free(d->log);
		d->log = NULL;
		return rc;
	}
	chunks_on_missing(d->chunks, on_missing, d);
	chunks_on_failure(d->chunks, on_failure, d);
	tell_damage(d);
	tell_gap(d);
	tell_lag(d);
	tell_warning(d);
	return 0;
}

/*
 * Look for news, unless that was done lately or somebody else is at it. Only
 * the first load is worth waiting for.
 */
static void
catch_up(struct fs_dataset *d)
{
	struct err err = {0};
	int rc = 0;

	if (now_ms() < atomic_load(&d->next))
		return;
	if (!atomic_load(&d->loaded))
		pthread_mutex_lock(&d->turn);
	else if (pthread_mutex_trylock(&d->turn) != 0)
		return;
	if (now_ms() >= atomic_load(&d->next)) {
		pthread_rwlock_rdlock(&d->watch->lock);
		pthread_rwlock_wrlock(&d->lock);
		rc = d->log == NULL ? load(d, &err) : refresh(d, &err);
		atomic_store(&d->loaded, d->log != NULL);
		pthread_rwlock_unlock(&d->lock);
		pthread_rwlock_unlock(&d->watch->lock);
		if (rc != 0) {
			(void)err_wrap(&err, "dataset '%s'", d->ds->name);
			atomic_store(&d->failed,
			    report_errno(d->watch->opt.report, NULL, &err));
		}
		atomic_store(&d->next, now_ms() + NEWS_MS);
	}
	pthread_mutex_unlock(&d->turn);
}

int
watch_enter(struct fs_dataset *d)
{
	catch_up(d);
	pthread_rwlock_rdlock(&d->lock);
	if (d->log != NULL)
		return 0;
	pthread_rwlock_unlock(&d->lock);
	return atomic_load(&d->failed);
}

bool
watch_peek(struct fs_dataset *d)
{
	return atomic_load(&d->loaded) && watch_enter(d) == 0;
}

void
watch_leave(struct fs_dataset *d)
{
	pthread_rwlock_unlock(&d->lock);
}

/* --- the datasets ------------------------------------------------------ */

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
	if (now_ms() >= atomic_load(&w->next) &&
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
		atomic_store(&w->next, now_ms() + NEWS_MS);
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
	    behind.seen == 0 || load(d, &why) != 0)
		return;
	atomic_store(&d->loaded, true);
	atomic_store(&d->next, now_ms() + NEWS_MS);
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
	atomic_store(&w->next, now_ms() + NEWS_MS);
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
