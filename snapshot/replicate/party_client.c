#include "snapshot/replicate/party.h"

#include <string.h>

/* Over TLS, with whoever it is, but the site's key where that is known. */
static int
shake_hands(const struct party *p, int fd, const struct wish *wish,
    struct meeting *m, struct err *err)
{
	int64_t until = channel_clock() + PARTY_MEET_MS;
	struct tls *tls;
	int rc = tls_new(fd, TLS_CLIENT, &p->key->sign, &tls, err);

	if (rc != 0)
		return rc;
	tls_read_timeout(tls, PARTY_MEET_MS);
	rc = tls_handshake(tls, &m->peer, err);
	if (rc == 0 && wish->site != NULL)
		rc = site_check_key(wish->site, &m->peer, err);
	if (rc != 0) {
		tls_free(tls);
		return err_wrap(err, "%s", wish->text);
	}
	rc = channel_new(tls, wish->text, &m->channel, err);
	if (rc == 0)
		channel_meet(m->channel, until);
	return rc;
}

static int
exchange_hello(const struct party *p, const struct wish *wish,
    struct meeting *m, struct err *err)
{
	struct frame f;
	struct hello h;
	int rc = party_hello(p, wish->mode, wish->follow, m->channel, err);

	if (rc == 0)
		rc = channel_expect(m->channel, FRAME_HELLO, &f, err);
	if (rc == 0)
		rc = frame_parse_hello(f.body, f.len, &h, err);
	if (rc == 0 && h.mode != HELLO_SERVER)
		rc = channel_unexpected(&f, err);
	return rc != 0 ? rc : party_check_store(p, &h, err);
}

/* Until the server is satisfied. */
static int
be_known(const struct party *p, struct channel *c, struct err *err)
{
	bool root;
	struct frame f;
	int rc = channel_receive(c, &f, err);

	if (rc == 0 && f.type == FRAME_WHO) {
		rc = frame_parse_who(f.body, f.len, &root, err);
		if (rc == 0)
			rc = party_introduce(p, root, c, err);
		if (rc == 0)
			rc = channel_receive(c, &f, err);
	}
	if (rc == 0 && f.type != FRAME_READY)
		rc = channel_unexpected(&f, err);
	return rc;
}

/* Until the client is: it may know the server by what it has already. */
static int
know(struct party *p, const struct meeting *m, struct err *err)
{
	char text[PEER_TEXT];

	if (p->access != NULL &&
	    access_peer(p->access, &m->peer, party_time(), text, err) == 0)
		return 0;
	return party_learn(p, m, text, err);
}

int
party_connect(struct party *p, int fd, const struct wish *wish,
    struct meeting *out, struct err *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	out->mode = wish->mode;
	out->follow = wish->follow;
	rc = shake_hands(p, fd, wish, out, err);
	if (rc != 0)
		return rc;
	channel_times(out->channel, PARTY_MEET_MS, PARTY_MEET_MS);
	rc = exchange_hello(p, wish, out, err);
	if (rc == 0)
		rc = be_known(p, out->channel, err);
	if (rc == 0 && wish->site == NULL &&
	    (rc = know(p, out, err)) == ERR_DENIED)
		rc = err_wrap(err, "%s", wish->text);
	if (rc == 0) {
		channel_meet(out->channel, 0);
		return 0;
	}
	channel_send_error(out->channel, err);
	channel_free(STEAL(out->channel));
	return rc;
}
