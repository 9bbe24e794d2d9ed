#include "snapshot/replicate/party.h"

#include <stdio.h>
#include <string.h>

static int
shake_hands(const struct party *p, int fd, const char *from, struct meeting *m,
    struct err *err)
{
	int64_t until = channel_clock() + PARTY_MEET_MS;
	struct tls *tls;
	int rc = tls_new(fd, TLS_SERVER, &p->key->sign, &tls, err);

	if (rc != 0)
		return rc;
	tls_read_timeout(tls, PARTY_MEET_MS);
	rc = tls_handshake(tls, &m->peer, err);
	if (rc != 0) {
		tls_free(tls);
		return rc;
	}
	rc = channel_new(tls, from, &m->channel, err);
	if (rc == 0)
		channel_meet(m->channel, until);
	return rc;
}

static int
exchange_hello(const struct party *p, struct meeting *m, struct err *err)
{
	struct frame f;
	struct hello h;
	int rc = channel_expect(m->channel, FRAME_HELLO, &f, err);

	if (rc == 0)
		rc = frame_parse_hello(f.body, f.len, &h, err);
	if (rc == 0 && h.mode == HELLO_SERVER)
		rc = channel_unexpected(&f, err);
	if (rc == 0)
		rc = party_check_store(p, &h, err);
	if (rc != 0)
		return rc;
	m->mode = h.mode;
	m->follow = h.follow;
	return party_hello(p, HELLO_SERVER, false, m->channel, err);
}

static int
know(struct party *p, const struct meeting *m, char who[PEER_TEXT],
    struct err *err)
{
	int rc = ERR_DENIED;

	if (p->access != NULL)
		rc = access_peer(p->access, &m->peer, party_time(), who, err);
	/* An empty replica doesn't know anybody. */
	if (rc != ERR_DENIED)
		return rc;
	return party_learn(p, m, who, err);
}

/* Objects go only to a site whose statement allows it. */
static int
check_receiver(const struct party *p, const struct meeting *m, struct err *err)
{
	struct statement st;
	int rc = site_find_key(p->access, &m->peer, &st, err);

	if (rc != 0)
		return rc;
	return site_allowed(p->access, &st, party_time(), err);
}

static int
meet(struct party *p, struct meeting *m, char who[PEER_TEXT], struct err *err)
{
	int rc = exchange_hello(p, m, err);

	if (rc == 0)
		rc = know(p, m, who, err);
	if (rc == 0 && m->mode == HELLO_PULL)
		rc = check_receiver(p, m, err);
	if (rc == 0 && m->mode == HELLO_FETCH)
		rc = access_peer_fetch(p->access, &m->peer, party_time(), err);
	return rc != 0 ? rc : channel_send(m->channel, FRAME_READY, NULL, err);
}

int
party_accept(struct party *p, int fd, const char *from, struct meeting *out,
    struct err *err)
{
	char who[PEER_TEXT], peer[CHANNEL_PEER];
	int rc;

	memset(out, 0, sizeof(*out));
	rc = shake_hands(p, fd, from, out, err);
	if (rc != 0)
		return rc;
	channel_times(out->channel, PARTY_MEET_MS, PARTY_MEET_MS);
	rc = meet(p, out, who, err);
	if (rc == 0) {
		(void)snprintf(peer, sizeof(peer), "%.280s (%.30s)", who, from);
		channel_call(out->channel, peer);
		channel_meet(out->channel, 0);
		return 0;
	}
	if (rc == ERR_DENIED || rc == ERR_AUTH || rc == ERR_VERSION ||
	    rc == ERR_CORRUPT)
		party_refused(p, from, false, err);
	channel_send_error(out->channel, err);
	channel_free(STEAL(out->channel));
	return rc;
}
