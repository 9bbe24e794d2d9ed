#include "snapshot/replicate/party.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t
party_time(void)
{
	return (int64_t)time(NULL);
}

void
party_refused(const struct party *p, const char *client, bool known,
    const struct err *why)
{
	const struct sitedb_refusal r = {
	    .client = client,
	    .known = known,
	    .what = why->text,
	    .time = party_time(),
	};
	struct err ignored;

	/* Whether or not it could be noted, it was refused. */
	if (p->site != NULL)
		(void)!sitedb_refuse(sitedir_db(p->site), &r, &ignored);
}

int
party_hello(const struct party *p, enum hello_mode mode, bool follow,
    struct channel *c, struct err *err)
{
	struct hello h = {
	    .lowest = PROTOCOL_VERSION,
	    .highest = PROTOCOL_VERSION,
	    .mode = mode,
	    .follow = follow,
	};
	WR_AUTO struct wr w = {0};

	memcpy(h.fingerprint, p->fingerprint, sizeof(h.fingerprint));
	memcpy(h.name, p->key->pub.name, sizeof(h.name));
	frame_hello(&h, &w);
	return channel_send(c, FRAME_HELLO, &w, err);
}

/* Who asks is not known yet, and learns nothing about this store. */
int
party_check_store(const struct party *p, const struct hello *h, struct err *err)
{
	if (memcmp(h->fingerprint, p->fingerprint, sizeof(h->fingerprint)) == 0)
		return 0;
	return err_set(err, ERR_AUTH,
	    "it is another store: the fingerprint is not the same there and"
	    " here");
}

/* --- to introduce ------------------------------------------------------- */

static int
send_root(const struct party *p, struct channel *c, struct err *err)
{
	const struct object_ref ref = {.cls = OBJECT_ROOT};
	struct wr w = {0};
	uint8_t *buf;
	size_t len;
	int rc = store_get(
	    access_store(p->access), &ref, ROOT_OBJECT_MAX, &buf, &len, err);

	if (rc != 0)
		return rc;
	wr_bytes(&w, buf, len);
	free(buf);
	rc = channel_send(c, FRAME_ROOT, &w, err);
	wr_clear(&w);
	return rc;
}

static int
send_key(void *arg, const uint8_t *buf, size_t len, struct err *err)
{
	WR_AUTO struct wr w = {0};

	wr_bytes(&w, buf, len);
	return channel_send(arg, FRAME_KEY, &w, err);
}

int
party_introduce(
    const struct party *p, bool root, struct channel *c, struct err *err)
{
	int rc = 0;

	/* An empty replica has nothing to show. */
	if (p->access != NULL) {
		if (root)
			rc = send_root(p, c, err);
		if (rc == 0)
			rc = access_introduce(
			    p->access, &p->key->pub.sign, send_key, c, err);
	}
	return rc != 0 ? rc : channel_send(c, FRAME_KNOWN, NULL, err);
}

/* --- to be introduced --------------------------------------------------- */

/* The key objects that came, one after the other in one buffer. */
struct learned {
	struct wr bytes;
	size_t lens[INTRODUCTION_MAX];
	size_t n;
};

static int
take_root(struct party *p, const struct frame *f, struct err *err)
{
	struct store *store;
	struct err why;
	int rc;

	if (p->access != NULL || p->site == NULL)
		return channel_unexpected(f, err);
	rc = sitedir_adopt(p->site, f->body, f->len, &store, &why);
	if (rc == 0)
		store_close(store);
	/* Another connection may have brought it meanwhile. */
	if (rc != ERR_AUTH &&
	    access_open_keyless(p->address, &p->access, err) == 0)
		return 0;
	return rc != 0 ? err_copy(err, &why) : err != NULL ? err->code : ERR_IO;
}

static int
take_key(struct learned *l, const struct frame *f, struct err *err)
{
	if (l->n == INTRODUCTION_MAX ||
	    l->bytes.len + f->len > PARTY_KEYS_BYTES)
		return err_set(err, ERR_CORRUPT,
		    "too many key objects before the other side is known");
	wr_bytes(&l->bytes, f->body, f->len);
	l->lens[l->n++] = f->len;
	return l->bytes.failed ? err_nomem(err) : 0;
}

static int
receive_all(
    struct party *p, struct channel *c, struct learned *l, struct err *err)
{
	for (;;) {
		struct frame f;
		int rc = channel_receive(c, &f, err);

		if (rc != 0 || f.type == FRAME_KNOWN)
			return rc;
		if (f.type == FRAME_ROOT)
			rc = take_root(p, &f, err);
		else if (f.type == FRAME_KEY)
			rc = take_key(l, &f, err);
		else
			rc = channel_unexpected(&f, err);
		if (rc != 0)
			return rc;
	}
}

static int
offer_all(struct party *p, const struct learned *l,
    const struct ed25519_public *peer, char who[PEER_TEXT], struct err *err)
{
	struct key_offer *offers = calloc(l->n + 1, sizeof(*offers));
	const uint8_t *at = l->bytes.buf;
	int rc;

	if (offers == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < l->n; i++) {
		offers[i].buf = at;
		offers[i].len = l->lens[i];
		at += l->lens[i];
	}
	rc = access_meet(p->access, offers, l->n, peer, party_time(), who, err);
	free(offers);
	return rc;
}

int
party_learn(struct party *p, const struct meeting *m, char who[PEER_TEXT],
    struct err *err)
{
	struct learned *l = calloc(1, sizeof(*l));
	WR_AUTO struct wr w = {0};
	int rc;

	if (l == NULL)
		return err_nomem(err);
	frame_who(p->access == NULL, &w);
	rc = channel_send(m->channel, FRAME_WHO, &w, err);
	if (rc == 0)
		rc = receive_all(p, m->channel, l, err);
	if (rc == 0 && p->access == NULL)
		rc = err_set(err, ERR_DENIED,
		    "this replica is empty, and the other side did not send the"
		    " store's root object");
	if (rc == 0)
		rc = offer_all(p, l, &m->peer, who, err);
	wr_clear(&l->bytes);
	free(l);
	return rc;
}
