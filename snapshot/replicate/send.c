#include "snapshot/replicate/send_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDLE_MS 300000 /* pings are answered far sooner */
#define WITHIN_MS 60000
#define LOOK_NS 250000000
#define LOOKS_A_PING 80
#define REASON_SECONDS 5 /* for the other side's last words */

/* --- what the other files ask ------------------------------------------- */

bool
send_stopped(const struct sender *s)
{
	return s->opt->stop != NULL && atomic_load(s->opt->stop);
}

bool
send_failed(struct sender *s, const struct source *src)
{
	bool failed;

	pthread_mutex_lock(&s->mu);
	failed = src->failed;
	pthread_mutex_unlock(&s->mu);
	return failed;
}

static void
dataset_text(const struct sender *s, const uint8_t dataset[STORE_DATASET_LEN],
    char out[DATASET_NAME_MAX + 16])
{
	const char *name = NULL;
	char hex[2 * STORE_DATASET_LEN + 1];

	if (s->opt->dataset_name != NULL)
		name = s->opt->dataset_name(s->opt->arg, dataset);
	for (size_t i = 0; i < STORE_DATASET_LEN; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", dataset[i]);
	(void)snprintf(out, DATASET_NAME_MAX + 16, "dataset '%s'",
	    name != NULL ? name : hex);
}

/* Only the first thing that is wrong with a dataset is news. */
void
send_problem(struct sender *s, const uint8_t dataset[STORE_DATASET_LEN],
    const struct err *why)
{
	char text[DATASET_NAME_MAX + 16];
	struct err e = *why;
	bool news = false;

	pthread_mutex_lock(&s->mu);
	for (size_t i = 0; i < s->nsources; i++) {
		struct source *src = s->sources[i];

		if (memcmp(src->dataset, dataset, STORE_DATASET_LEN) != 0)
			continue;
		news = !src->failed;
		src->failed = true;
	}
	if (news)
		s->result.problems++;
	pthread_mutex_unlock(&s->mu);
	if (!news || s->opt->on_problem == NULL)
		return;
	dataset_text(s, dataset, text);
	(void)err_wrap(&e, "%s", text);
	s->opt->on_problem(s->opt->arg, &e);
}

/* --- whether it may be sent there --------------------------------------- */

/* What an admin does not want in a place must not go on from there, either. */
static int
check_own(const struct party *p, int64_t now, struct err *err)
{
	char site[STORE_SITE_MAX];
	struct statement st;
	bool replica;
	int rc = store_replica(access_store(p->access), &replica, site, err);

	if (rc != 0 || !replica)
		return rc;
	if (p->site == NULL)
		return err_set(err, ERR_DENIED,
		    "this store is a replica: it is sent on by its site's key"
		    " alone");
	rc =
	    site_find_key(p->access, &sitedir_key(p->site)->pub.sign, &st, err);
	if (rc == 0)
		rc = site_allowed(p->access, &st, now, err);
	return rc != 0 ? err_wrap(err, "this site may not send on") : 0;
}

static int
check_places(const struct sender *s, struct statement *st, struct err *err)
{
	const struct access *a = s->party->access;
	int rc = site_find_key(a, &s->meeting->peer, st, err);

	if (rc == 0)
		rc = site_allowed(a, st, party_time(), err);
	return rc != 0 ? rc : check_own(s->party, party_time(), err);
}

/* A site may be removed, or its statement end, while much is being sent. */
static int
check_again(const struct sender *s, struct err *err)
{
	struct statement st;
	bool changed;
	int rc = access_refresh(s->party->access, &changed, err);

	return rc != 0 ? rc : check_places(s, &st, err);
}

/* --- STATE -------------------------------------------------------------- */

static int
add_heads(struct sender *s, const struct frame_state *state, struct err *err)
{
	struct frame_log *v =
	    reallocarray(s->heads, s->nheads + state->n + 1, sizeof(*v));

	if (v == NULL)
		return err_nomem(err);
	if (state->n > 0)
		memcpy(v + s->nheads, state->logs, state->n * sizeof(*v));
	s->heads = v;
	s->nheads += state->n;
	memcpy(s->keys, state->keys, sizeof(s->keys));
	return 0;
}

/* Before it, who doesn't know this side may ask who it is. */
static int
read_state(struct sender *s, struct err *err)
{
	struct frame_state state = {.more = true};
	struct frame f;
	bool root;
	int rc = 0;

	while (rc == 0 && state.more) {
		rc = channel_receive(s->channel, &f, err);
		if (rc == 0 && f.type == FRAME_WHO) {
			rc = frame_parse_who(f.body, f.len, &root, err);
			if (rc == 0)
				rc = party_introduce(
				    s->party, root, s->channel, err);
			continue;
		}
		if (rc == 0 && f.type != FRAME_STATE)
			rc = channel_unexpected(&f, err);
		if (rc == 0)
			rc = frame_parse_state(f.body, f.len, &state, err);
		if (rc == 0) {
			rc = add_heads(s, &state, err);
			free(state.logs);
		}
	}
	return rc;
}

/* --- comparing ---------------------------------------------------------- */

static void
drop_sources(struct sender *s)
{
	pthread_mutex_lock(&s->mu);
	for (size_t i = 0; i < s->nsources; i++)
		source_free(s->sources[i]);
	free(s->sources);
	s->sources = NULL;
	s->nsources = 0;
	pthread_mutex_unlock(&s->mu);
}

static int
add_source(struct sender *s, struct source *src, struct err *err)
{
	struct source **v;

	pthread_mutex_lock(&s->mu);
	v = reallocarray(s->sources, s->nsources + 1, sizeof(struct source *));
	if (v != NULL) {
		v[s->nsources++] = src;
		s->sources = v;
	}
	pthread_mutex_unlock(&s->mu);
	return v != NULL ? 0 : err_nomem(err);
}

static bool
find_head(struct sender *s, const struct source *src, struct frame_log *out)
{
	bool found = false;

	pthread_mutex_lock(&s->mu);
	for (size_t i = 0; i < s->nheads && !found; i++) {
		found = memcmp(s->heads[i].dataset, src->dataset,
			    STORE_DATASET_LEN) == 0;
		if (found)
			*out = s->heads[i];
	}
	pthread_mutex_unlock(&s->mu);
	return found;
}

/*
 * The other side is told, too: its people may be the first to look. It goes by
 * its own newest record, or where it has none by this side's first.
 */
static int
tell_problem(struct sender *s, const struct source *src,
    const struct frame_log *head, const struct err *why, struct err *err)
{
	struct frame_nak nak = {.ref = {.cls = OBJECT_LOG}, .why = *why};
	WR_AUTO struct wr w = {0};

	if (head == NULL && src->n == 0)
		return 0;
	nak.ref.seq = head != NULL ? head->seq : src->records[0].seq;
	memcpy(nak.ref.dataset, src->dataset, STORE_DATASET_LEN);
	memcpy(nak.ref.name, head != NULL ? head->head : src->records[0].name,
	    OBJECT_NAME_LEN);
	frame_nak(&nak, &w);
	return channel_send(s->channel, FRAME_NAK, &w, err);
}

/* A dataset that can't be compared is a problem, and the others are sent. */
static int
add_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	AUTO(source) struct source *src = NULL;
	struct sender *s = arg;
	const struct source *added;
	struct frame_log head;
	struct err why;
	bool begun;
	int rc = source_load(s->store, ref->dataset, &src, &why);

	if (rc == ERR_NOMEM || (rc != 0 && src == NULL))
		return err_copy(err, &why);
	if (src == NULL)
		return 0;
	begun = find_head(s, src, &head);
	if (rc == 0)
		rc = source_compare(s->party->access, src, begun ? &head : NULL,
		    s->new_keys, &why);
	added = src;
	if (add_source(s, src, err) != 0)
		return ERR_NOMEM;
	src = NULL;
	if (rc != 0) {
		send_problem(s, added->dataset, &why);
		return tell_problem(s, added, begun ? &head : NULL, &why, err);
	}
	if (s->opt->progress != NULL)
		atomic_fetch_add(
		    &s->opt->progress->records_total, added->n - added->next);
	return 0;
}

/* --- groups ------------------------------------------------------------- */

static int
enqueue(struct sender *s, struct group *g, struct err *err)
{
	*s->groups_end = g;
	s->groups_end = &g->next;
	s->ngroups++;
	s->nnames += g->n;
	if (s->opt->progress != NULL)
		atomic_fetch_add(&s->opt->progress->bytes_total, g->bytes);
	return plan_ask(s, g, err);
}

static struct group *
dequeue(struct sender *s)
{
	struct group *g = s->groups;

	s->groups = g->next;
	if (s->groups == NULL)
		s->groups_end = &s->groups;
	s->ngroups--;
	s->nnames -= g->n;
	return g;
}

static int
plan_ahead(struct sender *s, bool *more, struct err *err)
{
	int rc = 0;

	while (rc == 0 && *more && s->ngroups < AHEAD_GROUPS &&
	       s->nnames < AHEAD_NAMES) {
		struct group *g;

		rc = plan_next(s, &g, err);
		*more = g != NULL;
		if (rc == 0 && g != NULL)
			rc = enqueue(s, g, err);
	}
	if (!*more && s->opt->progress != NULL)
		atomic_store(&s->opt->progress->planned, true);
	return rc;
}

static int
send_groups(struct sender *s, struct err *err)
{
	bool more = true;
	int rc = plan_ahead(s, &more, err);

	while (rc == 0 && s->groups != NULL) {
		struct group *g = dequeue(s);

		rc = check_again(s, err);
		if (rc == 0)
			rc = send_group(s, g, err);
		group_free(g);
		if (rc == 0)
			rc = plan_ahead(s, &more, err);
		if (rc == 0 && send_stopped(s))
			rc = err_set(err, ERR_CANCELLED, "stopped");
	}
	return rc;
}

/* They go first: the records' signers are found by them. */
static int
ask_keys(struct sender *s, struct err *err)
{
	uint8_t ours[OBJECT_NAME_LEN];
	struct group *g;
	int rc = access_keys_hash(s->party->access, ours, err);

	s->new_keys = rc == 0 && memcmp(ours, s->keys, sizeof(ours)) != 0;
	if (rc != 0 || !s->new_keys)
		return rc;
	memcpy(s->keys, ours, sizeof(ours));
	rc = plan_keys(s, &g, err);
	return rc != 0 ? rc : enqueue(s, g, err);
}

static int
round_once(struct sender *s, struct err *err)
{
	int rc;

	drop_sources(s);
	rc = ask_keys(s, err);
	if (rc == 0)
		rc = store_list_datasets(s->store, add_dataset, s, err);
	if (rc == 0)
		rc = send_groups(s, err);
	if (rc == 0)
		rc = channel_send(s->channel, FRAME_DONE, NULL, err);
	return rc != 0 ? rc : answers_done(s, err);
}

/* --- following ---------------------------------------------------------- */

static int
add_mark(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct sender *s = arg;
	uint64_t mark;
	int rc = store_log_mark(s->store, ref->dataset, &mark, err);

	/* Any mixing will do that no two changes are likely to undo. */
	s->marks = (s->marks ^ mark) * UINT64_C(0x9e3779b97f4a7c15);
	return rc;
}

static int
add_key(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED struct err *err)
{
	struct sender *s = arg;
	uint64_t mix;

	/* In no order: so an addition. */
	memcpy(&mix, ref->name, sizeof(mix));
	s->key_marks += mix;
	return 0;
}

static int
look(struct sender *s, bool keys, bool *changed, struct err *err)
{
	uint64_t marks = s->marks, key_marks = s->key_marks;
	bool refreshed;
	int rc;

	s->marks = 0;
	rc = store_list_datasets(s->store, add_mark, s, err);
	if (rc == 0 && keys) {
		s->key_marks = 0;
		rc = store_list(s->store, OBJECT_KEY, NULL, add_key, s, err);
	}
	*changed = marks != s->marks || key_marks != s->key_marks;
	if (rc == 0 && *changed)
		rc = access_refresh(s->party->access, &refreshed, err);
	return rc;
}

static void
waiting(struct sender *s, bool is)
{
	if (s->opt->progress != NULL)
		atomic_store(&s->opt->progress->waiting, is);
}

static int
wait_news(struct sender *s, struct err *err)
{
	const struct timespec moment = {.tv_nsec = LOOK_NS};
	bool changed = false;
	int rc = 0;

	waiting(s, true);
	for (unsigned i = 1; rc == 0 && !changed; i++) {
		bool ended;

		(void)nanosleep(&moment, NULL);
		pthread_mutex_lock(&s->mu);
		ended = s->ended;
		pthread_mutex_unlock(&s->mu);
		if (send_stopped(s))
			rc = err_set(err, ERR_CANCELLED, "stopped");
		else if (ended)
			rc = answers_done(s, err);
		else if (i % LOOKS_A_PING == 0)
			rc = channel_send(s->channel, FRAME_PING, NULL, err);
		if (rc == 0)
			rc = look(s, i % 4 == 0, &changed, err);
	}
	waiting(s, false);
	return rc;
}

static int
rounds(struct sender *s, struct err *err)
{
	bool changed;
	int rc = s->opt->follow ? look(s, true, &changed, err) : 0;

	while (rc == 0) {
		rc = round_once(s, err);
		if (rc != 0 || !s->opt->follow)
			break;
		rc = wait_news(s, err);
		if (rc == 0)
			rc = check_again(s, err);
	}
	return rc;
}

/* --- the whole ---------------------------------------------------------- */

static void
clear(struct sender *s)
{
	while (s->groups != NULL)
		group_free(dequeue(s));
	answers_clear(s);
	drop_sources(s);
	name_set_clear(&s->sent);
	free(s->heads);
	free(s->buf);
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->mu);
}

/*
 * mu is held. Who closes on what is being written to him has said why, but that
 * may not have been read yet.
 */
static void
wait_reason(struct sender *s)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += REASON_SECONDS;
	while (!s->ended &&
	       pthread_cond_timedwait(&s->changed, &s->mu, &until) == 0)
		;
}

/* What the other side had to say before says best what went wrong. */
static int
finish(struct sender *s, pthread_t reader, int rc, struct err *err)
{
	struct err told;

	pthread_mutex_lock(&s->mu);
	if (rc == ERR_IO && (err->errnum == EPIPE || err->errnum == ECONNRESET))
		wait_reason(s);
	told = s->failure;
	pthread_mutex_unlock(&s->mu);
	if (rc != 0 && told.code != 0 && !send_stopped(s))
		rc = err_copy(err, &told);
	else if (rc != 0)
		channel_send_error(s->channel, err);
	channel_stop_reading(s->channel);
	(void)pthread_join(reader, NULL);
	return rc;
}

static int
run(struct sender *s, struct err *err)
{
	struct statement st = {0};
	pthread_t reader;
	int rc = check_places(s, &st, err);

	s->receiver = st.site.pub;
	if (rc == 0)
		rc = read_state(s, err);
	if (rc != 0) {
		channel_send_error(s->channel, err);
		return rc;
	}
	errno = pthread_create(&reader, NULL, answers_read, s);
	if (errno != 0)
		return err_errno(err, "cannot start a thread");
	return finish(s, reader, rounds(s, err), err);
}

int
send_run(struct party *p, const struct meeting *m,
    const struct send_options *opt, struct send_result *out, struct err *err)
{
	struct sender s = {
	    .party = p,
	    .store = access_store(p->access),
	    .channel = m->channel,
	    .meeting = m,
	    .opt = opt,
	};
	int rc;

	memset(out, 0, sizeof(*out));
	s.groups_end = &s.groups;
	s.answers_end = &s.answers;
	s.buf = malloc(FRAME_HEAD + FRAME_MAX);
	if (s.buf == NULL)
		return err_nomem(err);
	(void)pthread_mutex_init(&s.mu, NULL);
	(void)pthread_cond_init(&s.changed, NULL);
	channel_times(m->channel, IDLE_MS, WITHIN_MS);
	rc = run(&s, err);
	*out = s.result;
	clear(&s);
	return rc;
}
