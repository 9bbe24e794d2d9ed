/* One dataset's log in the mount, kept up to date. */
#include "fs/watch_internal.h"
#include "snapshot/content/chunks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t
watch_now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

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

int
watch_load(struct fs_dataset *d, struct err *err)
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

	if (watch_now_ms() < atomic_load(&d->next))
		return;
	if (!atomic_load(&d->loaded))
		pthread_mutex_lock(&d->turn);
	else if (pthread_mutex_trylock(&d->turn) != 0)
		return;
	if (watch_now_ms() >= atomic_load(&d->next)) {
		pthread_rwlock_rdlock(&d->watch->lock);
		pthread_rwlock_wrlock(&d->lock);
		rc = d->log == NULL ? watch_load(d, &err) : refresh(d, &err);
		atomic_store(&d->loaded, d->log != NULL);
		pthread_rwlock_unlock(&d->lock);
		pthread_rwlock_unlock(&d->watch->lock);
		if (rc != 0) {
			(void)err_wrap(&err, "dataset '%s'", d->ds->name);
			atomic_store(&d->failed,
			    report_errno(d->watch->opt.report, NULL, &err));
		}
		atomic_store(&d->next, watch_now_ms() + NEWS_MS);
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
