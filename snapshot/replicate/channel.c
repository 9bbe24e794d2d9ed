#include "snapshot/replicate/channel.h"

#include "snapshot/replicate/pace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As far as others' patience goes; both sides may set other times. */
#define IDLE_MS 60000
#define WITHIN_MS 60000

struct channel {
	struct tls *tls;
	char peer[CHANNEL_PEER];
	atomic_uint idle, within;
	atomic_int_fast64_t until;  /* 0: they know each other */
	atomic_int_fast64_t active; /* when something was last said */
	struct pace pace;
	pthread_mutex_t sending;
	struct wr out; /* guarded by sending: a frame, to go in one piece */
	uint8_t *in;   /* FRAME_MAX bytes; the receiving thread's */
};

int
channel_new(
    struct tls *tls, const char *peer, struct channel **out, struct err *err)
{
	struct channel *c = calloc(1, sizeof(*c));
	uint8_t *in = malloc(FRAME_MAX);

	*out = NULL;
	if (c == NULL || in == NULL) {
		free(c);
		free(in);
		tls_free(tls);
		return err_nomem(err);
	}
	c->tls = tls;
	c->in = in;
	(void)snprintf(c->peer, sizeof(c->peer), "%s", peer);
	(void)pthread_mutex_init(&c->sending, NULL);
	pace_init(&c->pace);
	atomic_init(&c->active, channel_clock());
	channel_times(c, IDLE_MS, WITHIN_MS);
	*out = c;
	return 0;
}

void
channel_free(struct channel *c)
{
	if (c == NULL)
		return;
	tls_close(c->tls);
	tls_free(c->tls);
	wr_clear(&c->out);
	(void)pthread_mutex_destroy(&c->sending);
	pace_clear(&c->pace);
	free(c->in);
	free(c);
}

const char *
channel_peer(const struct channel *c)
{
	return c->peer;
}

void
channel_call(struct channel *c, const char *peer)
{
	(void)snprintf(c->peer, sizeof(c->peer), "%s", peer);
}

void
channel_times(struct channel *c, unsigned idle, unsigned within)
{
	atomic_store(&c->idle, idle);
	atomic_store(&c->within, within);
	tls_write_timeout(c->tls, within);
}

int64_t
channel_clock(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* PING and PONG say that somebody is there, and nothing else. */
static void
note_activity(struct channel *c, enum frame_type type)
{
	if (type != FRAME_PING && type != FRAME_PONG)
		atomic_store(&c->active, channel_clock());
}

int64_t
channel_silent(const struct channel *c)
{
	return channel_clock() - atomic_load(&c->active);
}

void
channel_meet(struct channel *c, int64_t until)
{
	atomic_store(&c->until, until);
	if (until == 0)
		tls_write_timeout(c->tls, atomic_load(&c->within));
}

/* How long something may take that else might take ${ms} (0: for ever). */
static unsigned
time_left(const struct channel *c, unsigned ms)
{
	int64_t until = atomic_load(&c->until);
	int64_t left = until - channel_clock();

	if (until == 0 || (ms != 0 && left > ms))
		return ms;
	/* What is too late fails at once. */
	return left > 0 ? (unsigned)left : 1;
}

void
channel_limit(struct channel *c, uint64_t rate)
{
	pace_set(&c->pace, rate);
}

void
channel_stop_reading(struct channel *c)
{
	tls_stop_reading(c->tls);
}

void
channel_stop(struct channel *c)
{
	tls_stop(c->tls);
	pace_stop(&c->pace);
}

/* --- sending ------------------------------------------------------------ */

int
channel_send(struct channel *c, enum frame_type type, const struct wr *body,
    struct err *err)
{
	size_t len = body != NULL ? body->len : 0;
	uint8_t head[FRAME_HEAD];
	int rc;

	if (body != NULL && body->failed)
		return err_nomem(err);
	if (len > FRAME_MAX)
		return err_set(err, ERR_BUG, "a %s frame of %zu bytes",
		    frame_type_name(type), len);
	frame_head(type, len, head);
	note_activity(c, type);
	pthread_mutex_lock(&c->sending);
	if (atomic_load(&c->until) != 0)
		tls_write_timeout(
		    c->tls, time_left(c, atomic_load(&c->within)));
	wr_reset(&c->out);
	wr_bytes(&c->out, head, sizeof(head));
	if (len > 0)
		wr_bytes(&c->out, body->buf, len);
	rc = c->out.failed ? err_nomem(err)
			   : tls_write(c->tls, c->out.buf, c->out.len, err);
	pthread_mutex_unlock(&c->sending);
	return rc;
}

int
channel_send_data(struct channel *c, uint8_t *buf, size_t len, struct err *err)
{
	int rc;

	frame_head(FRAME_DATA, len, buf);
	pace_wait(&c->pace, len);
	note_activity(c, FRAME_DATA);
	pthread_mutex_lock(&c->sending);
	rc = tls_write(c->tls, buf, FRAME_HEAD + len, err);
	pthread_mutex_unlock(&c->sending);
	return rc;
}

void
channel_send_error(struct channel *c, const struct err *why)
{
	WR_AUTO struct wr w = {0};
	struct err ignored;

	/* It goes because something failed: that is what its caller reports. */
	frame_error(why, &w);
	(void)!channel_send(c, FRAME_ERROR, &w, &ignored);
}

/* --- receiving ---------------------------------------------------------- */

/* However little at a time keeps coming. */
static int
check_late(const struct channel *c, struct err *err)
{
	int64_t until = atomic_load(&c->until);

	return until == 0 || channel_clock() < until
		   ? 0
		   : err_set(err, ERR_IO,
			 "the other side took too long to say who it is");
}

static int
receive(struct channel *c, struct frame *out, struct err *err)
{
	uint8_t head[FRAME_HEAD];
	int rc = check_late(c, err);

	if (rc != 0)
		return rc;
	tls_read_timeout(c->tls, time_left(c, atomic_load(&c->idle)));
	rc = tls_read(c->tls, head, sizeof(head), err);
	if (rc == ERR_NOT_FOUND) {
		*out = (struct frame){.type = FRAME_END};
		return 0;
	}
	if (rc == 0)
		rc = frame_parse_head(head, &out->type, &out->len, err);
	if (rc != 0)
		return rc;
	note_activity(c, out->type);
	out->body = c->in;
	tls_read_timeout(c->tls, time_left(c, atomic_load(&c->within)));
	if (out->type == FRAME_DATA)
		pace_wait(&c->pace, out->len);
	rc = tls_read(c->tls, c->in, out->len, err);
	/* A goodbye in the middle of a frame is a cut like any other. */
	return rc == ERR_NOT_FOUND
		   ? err_set(err, ERR_IO, "the connection was cut")
		   : rc;
}

static int
told(const struct channel *c, const struct frame *f, struct err *err)
{
	struct err why;
	int rc = frame_parse_error(f->body, f->len, &why, err);

	return rc != 0 ? rc
		       : err_set(err, (enum err_code)why.code, "%s says: %s",
			     c->peer, why.text);
}

int
channel_receive(struct channel *c, struct frame *out, struct err *err)
{
	int rc;

	do {
		rc = receive(c, out, err);
		if (rc == 0 && out->type == FRAME_ERROR)
			return told(c, out, err);
		if (rc == 0 && atomic_load(&c->until) != 0 &&
		    (out->type == FRAME_PING || out->type == FRAME_PONG))
			return channel_unexpected(out, err);
		if (rc == 0 && out->type == FRAME_PING)
			rc = channel_send(c, FRAME_PONG, NULL, err);
	} while (
	    rc == 0 && (out->type == FRAME_PING || out->type == FRAME_PONG));
	return rc;
}

int
channel_unexpected(const struct frame *f, struct err *err)
{
	if (f->type == FRAME_END)
		return err_set(
		    err, ERR_IO, "the other side closed the connection");
	return err_set(err, ERR_CORRUPT, "an unexpected %s frame came",
	    frame_type_name(f->type));
}

int
channel_expect(
    struct channel *c, enum frame_type type, struct frame *out, struct err *err)
{
	int rc = channel_receive(c, out, err);

	if (rc != 0)
		return rc;
	return out->type == type ? 0 : channel_unexpected(out, err);
}
