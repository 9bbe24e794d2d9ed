#include "snapshot/replicate/send_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDLE_MS 300000 /* pings are answered far sooner */
#define WITHIN_MS 60000
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

void
send_tell(struct sender *s, const uint8_t dataset[STORE_DATASET_LEN],
    const struct err *why)
{
	char text[DATASET_NAME_MAX + 16];
	struct err e = *why;

	pthread_mutex_lock(&s->mu);
	s->result.problems++;
	pthread_mutex_unlock(&s->mu);
	if (s->opt->on_problem == NULL)
		return;
	dataset_text(s, dataset, text);
	(void)err_wrap(&e, "%s", text);
	s->opt->on_problem(s->opt->arg, &e);
}

/* Only the first thing that is wrong with a dataset is news. */
void
send_problem(struct sender *s, const uint8_t dataset[STORE_DATASET_LEN],
    const struct err *why)
{
	bool news = false;

	pthread_mutex_lock(&s->mu);
	for (size_t i = 0; i < s->nsources; i++) {
		struct source *src = s->sources[i];

		if (memcmp(src->dataset, dataset, STORE_DATASET_LEN) != 0)
			continue;
		news = !src->failed;
		src->failed = true;
	}
	pthread_mutex_unlock(&s->mu);
	if (news)
		send_tell(s, dataset, why);
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

		rc = place_check_again(s, err);
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

/* --- rounds ------------------------------------------------------------- */

static int
round_once(struct sender *s, struct err *err)
{
	int rc;

	compare_drop(s);
	rc = ask_keys(s, err);
	if (rc == 0)
		rc = compare_datasets(s, err);
	if (rc == 0)
		rc = send_groups(s, err);
	if (rc == 0)
		rc = channel_send(s->channel, FRAME_DONE, NULL, err);
	return rc != 0 ? rc : answers_done(s, err);
}

static int
rounds(struct sender *s, struct err *err)
{
	bool changed;
	int rc = s->opt->follow ? news_look(s, true, &changed, err) : 0;

	while (rc == 0) {
		rc = round_once(s, err);
		if (rc != 0 || !s->opt->follow)
			break;
		rc = news_wait(s, err);
		if (rc == 0)
			rc = place_check_again(s, err);
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
	compare_clear(s);
	name_set_clear(&s->sent);
	name_set_clear(&s->refused);
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
	int rc = place_check(s, &st, err);

	s->receiver = st.site.pub;
	if (rc == 0)
		rc = compare_begin(s, err);
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
