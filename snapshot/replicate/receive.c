#include "snapshot/replicate/receive_internal.h"

#include "crypto/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
receive_fail(struct receiver *r, const struct err *why)
{
	pthread_mutex_lock(&r->mu);
	if (r->failure.code == 0)
		r->failure = *why;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mu);
	channel_stop_reading(r->channel);
}

void
receive_note(const struct receiver *r, const struct object_ref *ref,
    const struct err *what)
{
	party_refused(r->party, channel_peer(r->channel), true, what);
	if (r->opt->on_refused != NULL)
		r->opt->on_refused(r->opt->arg, ref, what);
}

int
receive_nak(struct receiver *r, const struct object_ref *ref,
    const struct err *why, struct err *err)
{
	const struct frame_nak nak = {.ref = *ref, .why = *why};
	char text[OBJECT_REF_TEXT];
	WR_AUTO struct wr w = {0};
	struct err what = *why;

	object_ref_text(ref, text);
	(void)err_wrap(&what, "'%s' refused", text);
	receive_note(r, ref, &what);
	frame_nak(&nak, &w);
	return channel_send(r->channel, FRAME_NAK, &w, err);
}

/* --- HAVE --------------------------------------------------------------- */

static int
find_missing(struct receiver *r, const struct frame_names *have, uint8_t *bits,
    bool *some, struct err *err)
{
	struct object_ref ref = {.cls = have->cls};

	memcpy(ref.dataset, have->dataset, STORE_DATASET_LEN);
	*some = false;
	for (size_t i = 0; i < have->n; i++) {
		uint64_t size;
		int rc;

		memcpy(ref.name, have->names[i], OBJECT_NAME_LEN);
		rc = store_size(r->store, &ref, &size, err);
		if (rc != 0 && rc != ERR_NOT_FOUND)
			return rc;
		if (rc != 0)
			bits[i / 8] |= (uint8_t)(1u << (i % 8));
		else
			*some = true;
	}
	return 0;
}

static int
on_have(struct receiver *r, const struct frame *f, struct err *err)
{
	uint8_t bits[FRAME_NAMES_MAX / 8] = {0};
	struct frame_names have;
	struct frame_want want;
	WR_AUTO struct wr w = {0};
	bool some;
	int rc = frame_parse_have(f->body, f->len, &have, err);

	if (rc == 0)
		rc = find_missing(r, &have, bits, &some, err);
	if (rc != 0)
		return rc;
	/* What an earlier connection left may not have been made durable. */
	if (some && have.cls != OBJECT_KEY) {
		pthread_mutex_lock(&r->mu);
		store_batch_rely(r->job.objects);
		pthread_mutex_unlock(&r->mu);
	}
	want = (struct frame_want){.n = have.n, .bits = bits};
	frame_want(&want, &w);
	return channel_send(r->channel, FRAME_WANT, &w, err);
}

/* --- objects ------------------------------------------------------------ */

static bool
in_memory(const struct receiver *r)
{
	return r->object.ref.cls == OBJECT_KEY ||
	       r->object.ref.cls == OBJECT_LOG;
}

/* Wait until there is room for more. */
static int
wait_room(struct receiver *r, struct err *err)
{
	int rc;

	pthread_mutex_lock(&r->mu);
	while (job_is_full(&r->job) && r->failure.code == 0)
		pthread_cond_wait(&r->changed, &r->mu);
	rc = r->failure.code != 0 ? err_copy(err, &r->failure) : 0;
	pthread_mutex_unlock(&r->mu);
	return rc;
}

/* Those that have come have to be taken first. */
static int
wait_keys(struct receiver *r, struct err *err)
{
	int rc;

	pthread_mutex_lock(&r->mu);
	r->hurry = true;
	pthread_cond_broadcast(&r->changed);
	while (r->nkeys > 0 && r->failure.code == 0)
		pthread_cond_wait(&r->changed, &r->mu);
	r->hurry = false;
	rc = r->failure.code != 0 ? err_copy(err, &r->failure) : 0;
	pthread_mutex_unlock(&r->mu);
	return rc;
}

/* Nothing is made in the store for a dataset that it doesn't know. */
static int
look_dataset(struct receiver *r, struct err *err)
{
	const struct object_ref *ref = &r->object.ref;
	bool same = memcmp(r->dataset, ref->dataset, STORE_DATASET_LEN) == 0;

	for (int tries = 0; tries < 2; tries++) {
		if (ref->cls == OBJECT_KEY || (r->known_dataset && same))
			return 0;
		int rc = tries > 0 ? wait_keys(r, err) : 0;

		if (rc != 0)
			return rc;
		memcpy(r->dataset, ref->dataset, STORE_DATASET_LEN);
		same = true;
		pthread_mutex_lock(&r->keys);
		r->known_dataset =
		    access_has_key_set(r->party->access, ref->dataset);
		pthread_mutex_unlock(&r->keys);
	}
	r->refused = !r->known_dataset;
	return 0;
}

static int
begin_in_memory(struct receiver *r, struct err *err)
{
	if (r->object.ref.cls == OBJECT_LOG &&
	    (r->waiting.n == JOB_RECORDS ||
		r->waiting.bytes + r->object.size > JOB_RECORDS_BYTES))
		return err_set(err, ERR_CORRUPT,
		    "the records of one group are more than %zu, or have more"
		    " than %ju bytes",
		    JOB_RECORDS, (uintmax_t)JOB_RECORDS_BYTES);
	r->memory = malloc((size_t)r->object.size);
	return r->memory != NULL ? 0 : err_nomem(err);
}

static int
on_put(struct receiver *r, const struct frame *f, struct err *err)
{
	int rc = frame_parse_put(f->body, f->len, &r->object, err);

	if (rc == 0)
		rc = wait_room(r, err);
	if (rc == 0)
		rc = look_dataset(r, err);
	if (rc != 0)
		return rc;
	r->in_object = true;
	r->left = r->object.size;
	if (r->refused)
		return 0;
	if (in_memory(r))
		return begin_in_memory(r, err);
	pthread_mutex_lock(&r->mu);
	rc = store_batch_begin(r->job.objects, &r->object.ref, err);
	pthread_mutex_unlock(&r->mu);
	return rc;
}

static void
drop_object(struct receiver *r)
{
	r->in_object = r->refused = false;
	free(STEAL(r->memory));
	pthread_mutex_lock(&r->mu);
	store_batch_drop(r->job.objects);
	pthread_mutex_unlock(&r->mu);
}

static int
end_in_memory(struct receiver *r, struct err *err)
{
	struct object_ref *ref = &r->object.ref;
	size_t len = (size_t)r->object.size;
	uint8_t name[HASH_LEN];
	int rc = sha256(r->memory, len, name, err);

	if (rc != 0)
		return rc;
	if (memcmp(name, ref->name, OBJECT_NAME_LEN) != 0)
		return err_set(
		    err, ERR_CORRUPT, "the SHA-256 of it is not its name");
	if (ref->cls == OBJECT_LOG)
		return blobs_add(&r->waiting, ref, STEAL(r->memory), len, err);
	pthread_mutex_lock(&r->mu);
	rc = blobs_add(&r->job.keys, ref, STEAL(r->memory), len, err);
	r->nkeys += rc == 0;
	pthread_mutex_unlock(&r->mu);
	return rc;
}

/* Bytes that aren't what the name says harm nobody but this object. */
static int
end_object(struct receiver *r, struct err *err)
{
	bool refused = r->refused;
	struct err why;
	int rc;

	if (refused) {
		rc = err_set(&why, ERR_DENIED,
		    "this site has no key set of its dataset");
	} else if (in_memory(r)) {
		rc = end_in_memory(r, &why);
	} else {
		pthread_mutex_lock(&r->mu);
		rc = store_batch_end(r->job.objects, &why);
		pthread_mutex_unlock(&r->mu);
	}
	drop_object(r);
	if (rc != 0 && rc != ERR_CORRUPT && !refused)
		return err_copy(err, &why);
	if (rc != 0) {
		r->spoilt |= r->object.ref.cls == OBJECT_LOG;
		rc = receive_nak(r, &r->object.ref, &why, err);
	}
	if (r->opt->progress != NULL)
		atomic_fetch_add(&r->opt->progress->objects, 1);
	pthread_mutex_lock(&r->mu);
	r->job.came++;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mu);
	return rc;
}

static int
on_data(struct receiver *r, const struct frame *f, struct err *err)
{
	int rc = 0;

	if (!r->in_object || f->len == 0 || f->len > r->left)
		return channel_unexpected(f, err);
	if (r->refused) {
		/* Its end says so. */
	} else if (r->memory != NULL) {
		memcpy(r->memory + (r->object.size - r->left), f->body, f->len);
	} else {
		pthread_mutex_lock(&r->mu);
		rc = store_batch_write(r->job.objects, f->body, f->len, err);
		pthread_mutex_unlock(&r->mu);
	}
	if (rc != 0)
		return rc;
	r->left -= f->len;
	if (r->opt->progress != NULL)
		atomic_fetch_add(&r->opt->progress->bytes, f->len);
	return r->left == 0 ? end_object(r, err) : 0;
}

static int
on_abort(struct receiver *r, const struct frame *f, struct err *err)
{
	if (!r->in_object || f->len != 0)
		return channel_unexpected(f, err);
	r->spoilt |= r->object.ref.cls == OBJECT_LOG;
	drop_object(r);
	return 0;
}

/* --- NAK, COMMIT and DONE ---------------------------------------------------- */

/* The other side sends no more of a dataset, and says why. */
static int
on_nak(struct receiver *r, const struct frame *f, struct err *err)
{
	char text[OBJECT_REF_TEXT];
	struct frame_nak nak;
	int rc = frame_parse_nak(f->body, f->len, &nak, err);

	if (rc == 0 && nak.ref.cls != OBJECT_LOG)
		rc = channel_unexpected(f, err);
	if (rc != 0)
		return rc;
	object_ref_text(&nak.ref, text);
	(void)err_wrap(&nak.why, "%s sends nothing after '%s', and says",
	    channel_peer(r->channel), text);
	receive_note(r, &nak.ref, &nak.why);
	return 0;
}

/* The records that came since the last COMMIT are those it names, in order. */
static int
check_waiting(
    const struct receiver *r, const struct frame_commit *c, struct err *err)
{
	const struct blobs *w = &r->waiting;
	bool fits = w->n > 0 && w->n - 1 == c->last - c->first;

	for (size_t i = 0; fits && i < w->n; i++)
		fits = w->v[i].ref.seq == c->first + i &&
		       memcmp(w->v[i].ref.dataset, c->dataset,
			   STORE_DATASET_LEN) == 0;
	return fits ? 0
		    : err_set(err, ERR_CORRUPT,
			  "a COMMIT names other records than came");
}

/*
 * A record that was refused for its bytes, or given up, is missing from its
 * group: the sender knows, and the group is dropped.
 */
static int
on_commit(struct receiver *r, const struct frame *f, struct err *err)
{
	struct frame_commit commit;
	int rc = frame_parse_commit(f->body, f->len, &commit, err);

	if (rc == 0 && r->spoilt) {
		r->spoilt = false;
		blobs_clear(&r->waiting);
		return 0;
	}
	if (rc == 0)
		rc = check_waiting(r, &commit, err);
	if (rc == 0)
		rc = wait_room(r, err);
	if (rc != 0)
		return rc;
	pthread_mutex_lock(&r->mu);
	rc = job_group(&r->job, commit.dataset, &r->waiting, err);
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mu);
	return rc;
}

static int
on_done(struct receiver *r, const struct frame *f, struct err *err)
{
	if (f->len != 0)
		return channel_unexpected(f, err);
	pthread_mutex_lock(&r->mu);
	r->job.done = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mu);
	return 0;
}

static int
on_frame(struct receiver *r, const struct frame *f, struct err *err)
{
	/* Between an object's PUT and its end there is nothing else. */
	if (r->in_object && f->type != FRAME_DATA && f->type != FRAME_ABORT)
		return channel_unexpected(f, err);
	switch (f->type) {
	case FRAME_HAVE:
		return on_have(r, f, err);
	case FRAME_PUT:
		return on_put(r, f, err);
	case FRAME_DATA:
		return on_data(r, f, err);
	case FRAME_ABORT:
		return on_abort(r, f, err);
	case FRAME_NAK:
		return on_nak(r, f, err);
	case FRAME_COMMIT:
		return on_commit(r, f, err);
	case FRAME_DONE:
		return on_done(r, f, err);
	default:
		return channel_unexpected(f, err);
	}
}

/* --- the whole ---------------------------------------------------------- */

static int
read_frames(struct receiver *r, struct err *err)
{
	for (;;) {
		struct frame f;
		int rc = channel_receive(r->channel, &f, err);

		if (rc == 0 && f.type == FRAME_END && r->in_object)
			rc = channel_unexpected(&f, err);
		else if (rc == 0 && f.type == FRAME_END)
			return 0;
		else if (rc == 0)
			rc = on_frame(r, &f, err);
		if (rc != 0)
			return rc;
	}
}

/* Let what has come be made durable. What went wrong first counts. */
static int
finish(struct receiver *r, pthread_t committer, int rc, struct err *err)
{
	pthread_mutex_lock(&r->mu);
	store_batch_drop(r->job.objects);
	r->closing = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mu);
	(void)pthread_join(committer, NULL);
	if (r->failure.code != 0)
		rc = err_copy(err, &r->failure);
	else if (rc == ERR_CANCELLED && r->told_done && r->opt->until_done)
		rc = 0;
	return rc;
}

static int
run(struct receiver *r, struct err *err)
{
	pthread_t committer;
	int rc = store_batch_new(r->store, &r->job.objects, err);

	if (rc == 0)
		rc = receive_settle_all(r, err);
	if (rc == 0)
		rc = receive_send_state(r->party, r->channel, err);
	if (rc != 0)
		return rc;
	errno = pthread_create(&committer, NULL, receive_commit, r);
	if (errno != 0)
		return err_errno(err, "cannot start a thread");
	rc = read_frames(r, err);
	rc = finish(r, committer, rc, err);
	if (rc != 0 && rc != ERR_CANCELLED)
		channel_send_error(r->channel, err);
	return rc;
}

static int
check_replica(const struct party *p, struct err *err)
{
	struct store *s = access_store(p->access);
	char site[STORE_SITE_MAX];
	bool replica;
	int rc = store_replica(s, &replica, site, err);

	if (rc != 0 || (replica && p->site != NULL))
		return rc;
	return err_set(err, ERR_DENIED,
	    "store '%s' is a primary: it takes backups, and is sent nothing;"
	    " 'varve demote' makes it a replica",
	    p->address);
}

int
receive_run(struct party *p, struct channel *c,
    const struct receive_options *opt, struct err *err)
{
	struct receiver r = {
	    .party = p,
	    .store = access_store(p->access),
	    .channel = c,
	    .opt = opt,
	};
	int rc = check_replica(p, err);

	if (rc != 0) {
		party_refused(p, channel_peer(c), true, err);
		channel_send_error(c, err);
		return rc;
	}
	(void)pthread_mutex_init(&r.mu, NULL);
	(void)pthread_mutex_init(&r.keys, NULL);
	(void)pthread_cond_init(&r.changed, NULL);
	rc = run(&r, err);
	job_clear(&r.job);
	blobs_clear(&r.waiting);
	free(r.memory);
	for (size_t i = 0; i < r.ntails; i++)
		log_tail_clear(&r.tails[i]);
	free(r.tails);
	(void)pthread_cond_destroy(&r.changed);
	(void)pthread_mutex_destroy(&r.keys);
	(void)pthread_mutex_destroy(&r.mu);
	return rc;
}
