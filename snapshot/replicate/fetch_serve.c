#include "snapshot/replicate/fetch.h"
#include "snapshot/replicate/receive_internal.h"
#include "snapshot/store/object_ref.h"

#include <stdlib.h>
#include <string.h>

/* How long what was found of a client's rights is believed. */
#define LOOK_MS 60000

/* A client that fetches. */
struct client {
	struct party *party;
	const struct meeting *met;
	struct channel *channel; /* its */
	bool looked;             /* whether it may fetch, at ${when} */
	int64_t when;            /* by channel_clock() */
};

/*
 * A grant may have ended since it was let in, or an admin have taken its site
 * out of the countries that are allowed.
 */
static int
look_anew(struct client *cl, struct err *err)
{
	struct access *a = cl->party->access;
	int64_t now = channel_clock();
	bool changed;
	int rc;

	if (cl->looked && now - cl->when < LOOK_MS)
		return 0;
	rc = access_refresh(a, &changed, err);
	if (rc == 0)
		rc = access_peer_fetch(a, &cl->met->peer, party_time(), err);
	cl->looked = rc == 0;
	cl->when = now;
	if (rc == ERR_DENIED)
		party_refused(cl->party, channel_peer(cl->channel), true, err);
	return rc;
}

static int
send_nak(struct channel *c, const struct object_ref *ref, const struct err *why,
    struct err *err)
{
	const struct frame_nak nak = {.ref = *ref, .why = *why};
	WR_AUTO struct wr w = {0};

	frame_nak(&nak, &w);
	return channel_send(c, FRAME_NAK, &w, err);
}

/* What can't be read to its end is given up, and then refused. */
static int
send_bytes(struct client *cl, const struct frame_object *o, uint8_t *buf,
    struct err *err)
{
	struct store *s = access_store(cl->party->access);
	struct channel *c = cl->channel;

	for (uint64_t off = 0; off < o->size;) {
		size_t n = o->size - off < FRAME_MAX ? (size_t)(o->size - off)
						     : FRAME_MAX;
		struct err why;
		int rc = look_anew(cl, err);

		if (rc != 0)
			return rc;
		rc = store_read_at(s, &o->ref, off, buf + FRAME_HEAD, n, &why);
		if (rc != 0) {
			rc = channel_send(c, FRAME_ABORT, NULL, err);
			return rc != 0 ? rc : send_nak(c, &o->ref, &why, err);
		}
		rc = channel_send_data(c, buf, n, err);
		if (rc != 0)
			return rc;
		off += n;
	}
	return 0;
}

static int
on_get(struct client *cl, const struct frame *f, struct err *err)
{
	struct store *s = access_store(cl->party->access);
	struct channel *c = cl->channel;
	struct frame_object o = {.size = 0};
	WR_AUTO struct wr w = {0};
	struct err why;
	uint8_t *buf;
	int rc = frame_parse_get(f->body, f->len, &o.ref, err);

	if (rc != 0)
		return rc;
	rc = store_size(s, &o.ref, &o.size, &why);
	if (rc == 0 && (o.size == 0 || o.size > object_size_max(o.ref.cls)))
		rc = err_set(&why, ERR_CORRUPT, "damaged here, too");
	if (rc != 0)
		return send_nak(c, &o.ref, &why, err);
	buf = malloc(FRAME_HEAD + FRAME_MAX);
	if (buf == NULL)
		return err_nomem(err);
	frame_put(&o, &w);
	rc = channel_send(c, FRAME_PUT, &w, err);
	if (rc == 0)
		rc = send_bytes(cl, &o, buf, err);
	free(buf);
	return rc;
}

/* --- LIST --------------------------------------------------------------- */

struct listing {
	struct channel *channel;
	uint8_t (*names)[OBJECT_NAME_LEN];
	size_t n;
};

static int
flush(struct listing *l, bool more, struct err *err)
{
	const struct frame_names names = {
	    .more = more,
	    .names = (const uint8_t(*)[OBJECT_NAME_LEN])l->names,
	    .n = l->n,
	};
	WR_AUTO struct wr w = {0};

	frame_names(&names, &w);
	l->n = 0;
	return channel_send(l->channel, FRAME_NAMES, &w, err);
}

static int
list_name(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct listing *l = arg;
	int rc = l->n == FRAME_NAMES_MAX ? flush(l, true, err) : 0;

	memcpy(l->names[l->n++], ref->name, OBJECT_NAME_LEN);
	return rc;
}

static int
on_list(
    struct store *s, struct channel *c, const struct frame *f, struct err *err)
{
	struct listing l = {.channel = c};
	int rc;

	if (f->len != 0)
		return channel_unexpected(f, err);
	l.names = calloc(FRAME_NAMES_MAX, OBJECT_NAME_LEN);
	if (l.names == NULL)
		return err_nomem(err);
	rc = store_list(s, OBJECT_KEY, NULL, list_name, &l, err);
	if (rc == 0)
		rc = flush(&l, false, err);
	free(l.names);
	return rc;
}

/* --- the whole ---------------------------------------------------------- */

static int
on_who(const struct party *p, struct channel *c, const struct frame *f,
    struct err *err)
{
	bool root;
	int rc = frame_parse_who(f->body, f->len, &root, err);

	return rc != 0 ? rc : party_introduce(p, root, c, err);
}

static int
on_frame(struct client *cl, const struct frame *f, struct err *err)
{
	struct party *p = cl->party;
	struct channel *c = cl->channel;
	int rc = look_anew(cl, err);

	if (rc != 0)
		return rc;
	switch (f->type) {
	case FRAME_GET:
		return on_get(cl, f, err);
	case FRAME_LIST:
		return on_list(access_store(p->access), c, f, err);
	case FRAME_READY:
		return receive_send_state(p, c, NULL, err);
	case FRAME_WHO:
		return on_who(p, c, f, err);
	default:
		return channel_unexpected(f, err);
	}
}

int
fetch_serve(struct party *p, const struct meeting *m, struct err *err)
{
	struct client cl = {.party = p, .met = m, .channel = m->channel};
	int rc = 0;

	while (rc == 0) {
		struct frame f;

		rc = channel_receive(cl.channel, &f, err);
		if (rc == 0 && f.type == FRAME_END)
			return 0;
		if (rc == 0)
			rc = on_frame(&cl, &f, err);
	}
	channel_send_error(cl.channel, err);
	return rc;
}
