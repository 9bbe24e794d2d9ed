#include "snapshot/replicate/send_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PING_SECONDS 20
#define WAIT_NS 200000000 /* between looks at whether to stop */

/* --- the reading thread ------------------------------------------------- */

/* Each takes memory until its turn comes: no more of them than questions. */
static bool
was_asked(struct sender *s)
{
	bool asked;

	pthread_mutex_lock(&s->mu);
	asked = s->asked > 0;
	s->asked -= asked;
	pthread_mutex_unlock(&s->mu);
	return asked;
}

static int
on_want(struct sender *s, const struct frame *f, struct err *err)
{
	struct frame_want want;
	struct answer *a;
	int rc = frame_parse_want(f->body, f->len, &want, err);

	if (rc == 0 && !was_asked(s))
		rc = channel_unexpected(f, err);
	if (rc != 0)
		return rc;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return err_nomem(err);
	a->n = want.n;
	memcpy(a->bits, want.bits, frame_want_bytes(want.n));
	pthread_mutex_lock(&s->mu);
	*s->answers_end = a;
	s->answers_end = &a->next;
	pthread_mutex_unlock(&s->mu);
	return 0;
}

/* It holds nothing up; but who sends it must know. Each is told of once. */
static int
on_key_refused(struct sender *s, const struct frame_nak *nak, struct err *err)
{
	int rc = name_set_add_object(&s->refused, nak->ref.name, err);

	if (rc > 0 && s->opt->on_problem != NULL)
		s->opt->on_problem(s->opt->arg, &nak->why);
	return rc < 0 ? rc : 0;
}

static int
on_nak(struct sender *s, const struct frame *f, struct err *err)
{
	char text[OBJECT_REF_TEXT];
	struct frame_nak nak;
	int rc = frame_parse_nak(f->body, f->len, &nak, err);

	if (rc != 0)
		return rc;
	object_ref_text(&nak.ref, text);
	(void)err_wrap(
	    &nak.why, "%s did not take '%s'", channel_peer(s->channel), text);
	if (nak.ref.cls == OBJECT_KEY)
		return on_key_refused(s, &nak, err);
	send_problem(s, nak.ref.dataset, &nak.why);
	return 0;
}

static int
on_frame(struct sender *s, const struct frame *f, struct err *err)
{
	uint64_t acknowledged;

	switch (f->type) {
	case FRAME_WANT:
		return on_want(s, f, err);
	case FRAME_ACK:
		return frame_parse_ack(f->body, f->len, &acknowledged, err);
	case FRAME_RECEIPT:
		return heads_receipt(s, f, err);
	case FRAME_GAP:
		return heads_gap(s, f, err);
	case FRAME_NAK:
		return on_nak(s, f, err);
	case FRAME_DONE:
		pthread_mutex_lock(&s->mu);
		s->done = true;
		pthread_mutex_unlock(&s->mu);
		return f->len == 0 ? 0 : channel_unexpected(f, err);
	default:
		return channel_unexpected(f, err);
	}
}

void *
answers_read(void *arg)
{
	struct sender *s = arg;
	struct frame f;
	struct err err;
	int rc;

	do {
		rc = channel_receive(s->channel, &f, &err);
		if (rc == 0 && f.type != FRAME_END)
			rc = on_frame(s, &f, &err);
		pthread_mutex_lock(&s->mu);
		s->ended = rc != 0 || f.type == FRAME_END;
		if (rc != 0)
			s->failure = err;
		pthread_cond_broadcast(&s->changed);
		pthread_mutex_unlock(&s->mu);
	} while (rc == 0 && f.type != FRAME_END);
	/* Whoever writes to who doesn't answer any more may stop. */
	if (rc != 0)
		channel_stop(s->channel);
	return NULL;
}

/* --- waiting for it ----------------------------------------------------- */

/* mu is held. What is waited for won't come any more. */
static int
no_more(const struct sender *s, struct err *err)
{
	return s->failure.code != 0
		   ? err_copy(err, &s->failure)
		   : err_set(err, ERR_IO, "%s closed the connection",
			 channel_peer(s->channel));
}

/* The other side must not think that nobody is here. mu is held. */
static int
wait_change(struct sender *s, int64_t *pinged, struct err *err)
{
	struct timespec until;
	int rc = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	if (until.tv_sec - *pinged >= PING_SECONDS) {
		*pinged = until.tv_sec;
		pthread_mutex_unlock(&s->mu);
		rc = channel_send(s->channel, FRAME_PING, NULL, err);
		pthread_mutex_lock(&s->mu);
		return rc;
	}
	until.tv_nsec += WAIT_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&s->changed, &s->mu, &until);
	return send_stopped(s) ? err_set(err, ERR_CANCELLED, "stopped") : 0;
}

int
answers_next(struct sender *s, struct answer **out, struct err *err)
{
	int64_t pinged = (int64_t)time(NULL);
	int rc = 0;

	pthread_mutex_lock(&s->mu);
	while (rc == 0 && s->answers == NULL && !s->ended)
		rc = wait_change(s, &pinged, err);
	*out = s->answers;
	if (*out == NULL) {
		rc = rc != 0 ? rc : no_more(s, err);
	} else {
		rc = 0;
		s->answers = (*out)->next;
		if (s->answers == NULL)
			s->answers_end = &s->answers;
	}
	pthread_mutex_unlock(&s->mu);
	return rc;
}

int
answers_done(struct sender *s, struct err *err)
{
	int64_t pinged = (int64_t)time(NULL);
	int rc = 0;

	pthread_mutex_lock(&s->mu);
	while (rc == 0 && !s->done && !s->ended)
		rc = wait_change(s, &pinged, err);
	if (rc == 0 && !s->done)
		rc = no_more(s, err);
	s->done = false;
	pthread_mutex_unlock(&s->mu);
	return rc;
}

void
answers_clear(struct sender *s)
{
	while (s->answers != NULL) {
		struct answer *a = s->answers;

		s->answers = a->next;
		free(a);
	}
	s->answers_end = &s->answers;
}
