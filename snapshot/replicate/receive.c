#include "snapshot/replicate/receive_internal.h"

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

/* What lies here is read without waiting for more. */
static void
stop_saying(struct receiver *r, const struct err *why)
{
	pthread_mutex_lock(&r->mu);
	if (r->unheard.code == 0)
		r->unheard = *why;
	pthread_mutex_unlock(&r->mu);
	channel_times(r->channel, 1, 1);
}

int
receive_say(struct receiver *r, enum frame_type type, const struct wr *body,
    struct err *err)
{
	bool unheard;
	int rc;

	pthread_mutex_lock(&r->mu);
	unheard = r->unheard.code != 0;
	pthread_mutex_unlock(&r->mu);
	if (unheard)
		return 0;
	rc = channel_send(r->channel, type, body, err);
	if (rc == 0 || rc == ERR_NOMEM || rc == ERR_BUG)
		return rc;
	stop_saying(r, err);
	return 0;
}

static void
note(const struct receiver *r, const struct object_ref *ref,
    const struct err *what)
{
	party_refused(r->party, channel_peer(r->channel), true, what);
	if (r->opt->on_refused != NULL)
		r->opt->on_refused(r->opt->arg, ref, what);
}

/* Nobody is to fill the journal, and keep the disk busy, by being refused. */
void
receive_note(
    struct receiver *r, const struct object_ref *ref, const struct err *what)
{
	uint64_t before = atomic_fetch_add(&r->notes, 1);
	struct err last;

	if (before < NOTES_MAX)
		note(r, ref, what);
	if (before != NOTES_MAX)
		return;
	(void)err_set(&last, (enum err_code)what->code,
	    "more was refused, or given up, in one connection than is noted of"
	    " it (%d): the rest is counted",
	    NOTES_MAX);
	note(r, NULL, &last);
}

void
receive_note_rest(struct receiver *r)
{
	uint64_t n = atomic_load(&r->notes);
	struct err rest;

	if (n <= NOTES_MAX)
		return;
	(void)err_set(&rest, ERR_DENIED,
	    "%ju more refusals of one connection were counted, and not noted",
	    (uintmax_t)(n - NOTES_MAX));
	note(r, NULL, &rest);
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
	return receive_say(r, FRAME_NAK, &w, err);
}

/* --- HAVE --------------------------------------------------------------- */

/* What has the place of one taken here has to go before it can come. */
static int
look_for(struct receiver *r, const struct object_ref *ref, bool *missing,
    bool *here, struct err *err)
{
	struct err why;
	uint64_t size;
	int rc = store_size(r->store, ref, &size, &why);

	*missing = rc == ERR_NOT_FOUND;
	*here |= rc == 0;
	if (rc == ERR_CORRUPT)
		return receive_nak(r, ref, &why, err);
	return rc == 0 || *missing ? 0 : err_copy(err, &why);
}

static int
find_missing(struct receiver *r, const struct frame_names *have, uint8_t *bits,
    bool *some, struct err *err)
{
	struct object_ref ref = {.cls = have->cls};
	int rc = 0;

	memcpy(ref.dataset, have->dataset, STORE_DATASET_LEN);
	*some = false;
	if (ref.cls != OBJECT_KEY && receive_unusable(r, ref.dataset) != NULL)
		return 0;
	for (size_t i = 0; i < have->n && rc == 0; i++) {
		bool missing;

		memcpy(ref.name, have->names[i], OBJECT_NAME_LEN);
		rc = look_for(r, &ref, &missing, some, err);
		if (missing)
			bits[i / 8] |= (uint8_t)(1u << (i % 8));
	}
	return rc;
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
	return receive_say(r, FRAME_WANT, &w, err);
}

/* --- NAK, COMMIT and DONE ------------------------------------------------- */

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
		receive_release_all(r, &r->waiting);
		return 0;
	}
	if (rc == 0)
		rc = check_waiting(r, &commit, err);
	if (rc == 0)
		rc = receive_wait_room(r, err);
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
		return receive_put(r, f, err);
	case FRAME_DATA:
		return receive_data(r, f, err);
	case FRAME_ABORT:
		return receive_abort(r, f, err);
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
	else if (r->unheard.code != 0)
		rc = err_copy(err, &r->unheard);
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
		rc = receive_send_state(r->party, r->channel, r, err);
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
	receive_note_rest(&r);
	job_clear(&r.job);
	blobs_clear(&r.waiting);
	free(r.memory);
	if (r.room)
		receive_room_give(opt->room);
	for (size_t i = 0; i < r.ntails; i++)
		log_tail_clear(&r.tails[i]);
	free(r.tails);
	free(r.unusable);
	(void)pthread_cond_destroy(&r.changed);
	(void)pthread_mutex_destroy(&r.keys);
	(void)pthread_mutex_destroy(&r.mu);
	return rc;
}
