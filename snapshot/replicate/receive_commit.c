#include "snapshot/replicate/receive_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- who sends ----------------------------------------------------------- */

/*
 * A connection that was made in time must not outlive what it was let in by: a
 * grant that has ended since, or a site that was taken away.
 */
static int
check_peer(struct receiver *r, struct err *err)
{
	struct access *a = r->party->access;
	char who[PEER_TEXT];
	bool changed;
	int rc;

	if (r->opt->peer == NULL)
		return 0;
	pthread_mutex_lock(&r->keys);
	rc = access_refresh(a, &changed, err);
	if (rc == 0)
		rc = access_peer(a, r->opt->peer, party_time(), who, err);
	pthread_mutex_unlock(&r->keys);
	if (rc != ERR_DENIED)
		return rc;
	(void)err_wrap(err, "nothing more is taken of %s: it was let in, but",
	    channel_peer(r->channel));
	party_refused(r->party, channel_peer(r->channel), true, err);
	return rc;
}

/* --- key objects -------------------------------------------------------- */

bool
receive_is_ours(int rc)
{
	return rc == ERR_NOMEM || rc == ERR_BUG || rc == ERR_FULL ||
	       rc == ERR_LOCKED;
}

static int
take_keys(struct receiver *r, struct blobs *keys, struct err *err)
{
	struct key_offer *offers;
	int rc;

	if (keys->n == 0)
		return 0;
	offers = calloc(keys->n, sizeof(*offers));
	if (offers == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < keys->n; i++) {
		offers[i].buf = keys->v[i].buf;
		offers[i].len = keys->v[i].len;
	}
	pthread_mutex_lock(&r->keys);
	rc = access_take(r->party->access, offers, keys->n, err);
	pthread_mutex_unlock(&r->keys);
	pthread_mutex_lock(&r->mu);
	r->nkeys -= keys->n;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mu);
	for (size_t i = 0; i < keys->n && rc == 0; i++) {
		if (!offers[i].taken)
			rc = receive_nak(
			    r, &keys->v[i].ref, &offers[i].why, err);
	}
	free(offers);
	return rc;
}

/* --- records ------------------------------------------------------------ */

static int
find_tail(struct receiver *r, const uint8_t dataset[STORE_DATASET_LEN],
    struct log_tail **out, struct err *err)
{
	for (size_t i = 0; i < r->ntails; i++) {
		*out = &r->tails[i];
		if (memcmp((*out)->dataset, dataset, STORE_DATASET_LEN) == 0)
			return 0;
	}
	if (r->ntails == r->captails) {
		size_t cap = r->captails == 0 ? 8 : 2 * r->captails;
		struct log_tail *v = reallocarray(r->tails, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		r->tails = v;
		r->captails = cap;
	}
	*out = &r->tails[r->ntails++];
	memset(*out, 0, sizeof(**out));
	memcpy((*out)->dataset, dataset, STORE_DATASET_LEN);
	return 0;
}

/* A grant may have come by another connection. */
static int
check_group(struct receiver *r, struct log_tail *t, const struct job_group *g,
    size_t *skip, struct err *err)
{
	bool changed;
	int rc = log_tail_check(r->party->access, t, g, skip, err);

	if (rc != ERR_AUTH)
		return rc;
	pthread_mutex_lock(&r->keys);
	rc = access_refresh(r->party->access, &changed, err);
	pthread_mutex_unlock(&r->keys);
	return rc != 0 ? rc : log_tail_check(r->party->access, t, g, skip, err);
}

static int
add_records(struct store_batch *b, const struct job_group *g, size_t skip,
    struct err *err)
{
	int rc = 0;

	for (size_t i = skip; i < g->records.n && rc == 0; i++) {
		const struct blob *record = &g->records.v[i];

		/* Each holds a file open until it is durable. */
		if (store_batch_count(b) >= JOB_OBJECTS)
			rc = store_batch_commit(b, err);
		if (rc == 0)
			rc = store_batch_begin(b, &record->ref, err);
		if (rc == 0)
			rc =
			    store_batch_write(b, record->buf, record->len, err);
		if (rc == 0)
			rc = store_batch_end(b, err);
	}
	return rc;
}

/* The groups of one log, one after the other; the lock is held. */
static int
take_groups(struct receiver *r, struct log_tail *t, struct job_group *groups,
    size_t n, struct err *err)
{
	AUTO(store_batch) struct store_batch *b = NULL;
	int rc = store_batch_new(r->store, &b, err);

	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct blobs *records = &groups[i].records;
		struct err why;
		size_t skip;

		rc = check_peer(r, err);
		if (rc != 0)
			break;
		rc = check_group(r, t, &groups[i], &skip, &why);
		if (rc == ERR_IO || receive_is_ours(rc))
			return err_copy(err, &why);
		if (rc != 0)
			rc = receive_nak(
			    r, &records->v[records->n - 1].ref, &why, err);
		else
			rc = add_records(b, &groups[i], skip, err);
	}
	/* It is read again if anything went wrong: then it isn't as it says. */
	t->read = false;
	if (rc == 0)
		rc = store_batch_commit(b, err);
	if (rc == 0)
		rc = store_log_mark(r->store, t->dataset, &t->mark, err);
	t->read = rc == 0;
	return rc;
}

/* The log's tail, as the store has it, and the lock. */
static int
lock_log(struct receiver *r, const uint8_t dataset[STORE_DATASET_LEN],
    struct store_lock **lock, struct log_tail **t, struct err *err)
{
	int rc = find_tail(r, dataset, t, err);

	if (rc == 0)
		rc = receive_lock(r, dataset, lock, err);
	if (rc == 0)
		rc = receive_settle(r, *t, err);
	return rc != 0 ? rc : log_tail_read(r->store, *t, err);
}

/* A log that is damaged here takes nothing, and the others go on. */
static int
refuse_groups(struct receiver *r, const struct job_group *groups, size_t n,
    struct err *why, struct err *err)
{
	int rc = 0;

	if (receive_is_ours(why->code))
		return err_copy(err, why);
	(void)err_wrap(why,
	    "this site can't use its copy of the log (see 'varve check"
	    " --no-keys' there)");
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct blobs *records = &groups[i].records;

		rc = receive_nak(r, &records->v[records->n - 1].ref, why, err);
	}
	return rc;
}

static int
take_log(
    struct receiver *r, struct job_group *groups, size_t n, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	struct log_tail *t = NULL;
	struct err why;
	uint64_t before;
	int rc = lock_log(r, groups[0].dataset, &lock, &t, &why);

	if (rc != 0)
		return refuse_groups(r, groups, n, &why, err);
	before = t->seq;
	rc = take_groups(r, t, groups, n, err);
	if (rc != 0)
		return rc;
	if (r->opt->progress != NULL)
		atomic_fetch_add(&r->opt->progress->records, t->seq - before);
	return receive_confirm(r, t, err);
}

static int
take_all_logs(struct receiver *r, struct job *j, struct err *err)
{
	int rc = 0;

	for (size_t i = 0, n; i < j->ngroups && rc == 0; i += n) {
		for (n = 1; i + n < j->ngroups; n++) {
			if (memcmp(j->groups[i].dataset,
				j->groups[i + n].dataset,
				STORE_DATASET_LEN) != 0)
				break;
		}
		rc = take_log(r, &j->groups[i], n, err);
	}
	return rc;
}

/* A damaged log is no reason to end: it is noted here. */
static int
confirm(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	struct receiver *r = arg;
	struct log_tail *t = NULL;
	struct err why;
	int rc;

	if (receive_unusable(r, ref->dataset) != NULL)
		return 0;
	rc = lock_log(r, ref->dataset, &lock, &t, &why);
	if (rc != 0 && receive_is_ours(rc))
		return err_copy(err, &why);
	if (rc != 0) {
		receive_note(r, NULL, &why);
		return 0;
	}
	return receive_confirm(r, t, err);
}

/*
 * All has been sent that there was. What was here before is confirmed, too: the
 * sender may be another machine than the one that sent it.
 */
static int
confirm_all(struct receiver *r, struct err *err)
{
	return store_list_datasets(r->store, confirm, r, err);
}

/* What was missing may have been fetched since. */
static int
confirm_mended(struct receiver *r, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < r->ntails && rc == 0; i++) {
		struct object_ref ref = {.cls = OBJECT_LOG};

		if (r->tails[i].missing == 0)
			continue;
		memcpy(ref.dataset, r->tails[i].dataset, STORE_DATASET_LEN);
		rc = confirm(r, &ref, 0, err);
	}
	return rc;
}

/* --- a job -------------------------------------------------------------- */

static int
acknowledge(struct receiver *r, const struct job *j, struct err *err)
{
	WR_AUTO struct wr w = {0};
	int rc;

	r->acknowledged += j->came;
	frame_ack(r->acknowledged, &w);
	rc = receive_say(r, FRAME_ACK, &w, err);
	/* Only this thread ever sets it. */
	if (rc == 0 && j->done)
		rc =
		    r->told_done ? confirm_mended(r, err) : confirm_all(r, err);
	if (rc == 0 && j->done)
		rc = receive_say(r, FRAME_DONE, NULL, err);
	return rc;
}

static int
do_job(struct receiver *r, struct job *j, struct err *err)
{
	int rc = check_peer(r, err);

	if (rc == 0)
		rc = take_keys(r, &j->keys, err);
	if (rc == 0)
		rc = store_batch_commit(j->objects, err);
	if (rc == 0)
		rc = take_all_logs(r, j, err);
	return rc != 0 ? rc : acknowledge(r, j, err);
}

/* What has come; false: no more will, and all is done. */
static bool
next_job(struct receiver *r, struct job *j, int *rc, struct err *err)
{
	bool more;

	pthread_mutex_lock(&r->mu);
	while (!r->closing && r->job.ngroups == 0 && !r->job.done &&
	       !job_is_full(&r->job) && !(r->hurry && r->job.keys.n > 0))
		pthread_cond_wait(&r->changed, &r->mu);
	more = !job_is_empty(&r->job);
	*rc = more ? job_take(&r->job, j, err) : 0;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mu);
	return more;
}

void *
receive_commit(void *arg)
{
	struct receiver *r = arg;
	struct job j = {0};
	struct err err;
	int rc = 0;

	while (rc == 0 && next_job(r, &j, &rc, &err)) {
		if (rc == 0)
			rc = do_job(r, &j, &err);
		if (rc == 0 && j.done) {
			pthread_mutex_lock(&r->mu);
			r->told_done = true;
			pthread_mutex_unlock(&r->mu);
			if (r->opt->until_done)
				channel_stop_reading(r->channel);
		}
		receive_release_job(r, &j);
	}
	if (rc != 0)
		receive_fail(r, &err);
	return NULL;
}
