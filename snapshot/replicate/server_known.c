/* A server's clients, once it is known who they are: each key has its share. */
#include "snapshot/replicate/server_internal.h"

#include <string.h>

/* Who has said nothing but PING for so long is not at work. */
#define SILENT_MS 20000

/*
 * How many may be of one key: so that no key that was granted something keeps
 * all others out.
 */
static size_t
share(const struct server *s)
{
	size_t quarter = (s->opt->clients + 3) / 4;

	return quarter < SERVER_SHARE ? quarter : SERVER_SHARE;
}

/*
 * mu is held. Whether there is a place for one more of ${key}. A client that
 * crashed, and comes back, finds its own dead connections in its way, which are
 * silent: the one that has been so the longest has to go. What has come over it
 * is still made durable.
 */
static bool
make_share(struct server *s, const struct ed25519_public *key)
{
	struct conn *silent = NULL;
	int64_t longest = SILENT_MS;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct conn *c = s->conns[i];
		int64_t for_ms;

		if (c->channel == NULL || c->displaced ||
		    memcmp(c->key.b, key->b, sizeof(key->b)) != 0)
			continue;
		n++;
		for_ms = channel_silent(c->channel);
		if (for_ms >= longest) {
			longest = for_ms;
			silent = c;
		}
	}
	if (n < share(s))
		return true;
	if (silent == NULL)
		return false;
	silent->displaced = true;
	/* One that is being sent something would go on taking it, frame by frame. */
	if (silent->brings)
		channel_stop_reading(silent->channel);
	else
		channel_stop(silent->channel);
	return true;
}

/* One that came while the server is closing learns it at once. */
int
server_known(
    struct server *s, struct conn *c, const struct meeting *m, struct err *err)
{
	bool place;

	if (s == NULL)
		return 0;
	pthread_mutex_lock(&s->mu);
	place = make_share(s, &m->peer);
	c->met = true;
	if (place) {
		c->key = m->peer;
		c->brings = m->mode == HELLO_PUSH;
		c->channel = m->channel;
		if (s->closing)
			channel_stop_reading(c->channel);
	}
	pthread_mutex_unlock(&s->mu);
	if (place)
		return 0;
	return err_set(err, ERR_FULL,
	    "turned away: %zu connections of this key are being served, and all"
	    " of them are at work",
	    share(s));
}

void
server_over(struct server *s, struct conn *c)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->mu);
	c->channel = NULL;
	c->met = true;
	pthread_mutex_unlock(&s->mu);
}

bool
server_displaced(struct server *s, const struct conn *c)
{
	bool displaced;

	if (s == NULL)
		return false;
	pthread_mutex_lock(&s->mu);
	displaced = c->displaced;
	pthread_mutex_unlock(&s->mu);
	return displaced;
}
