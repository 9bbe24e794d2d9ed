/* One client of a server, from its handshake to its goodbye. */
#include "snapshot/replicate/fetch.h"
#include "snapshot/replicate/receive.h"
#include "snapshot/replicate/send.h"
#include "snapshot/replicate/server_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IDLE_MS 120000
#define WITHIN_MS 60000

static void
on_refused(
    void *arg, UNUSED const struct object_ref *ref, const struct err *why)
{
	const struct conn *c = arg;

	server_event(c->opt, c->server, c->from, why);
}

static void
say(const struct conn *c, const char *client, const char *verb, uint64_t n)
{
	struct err note = {0};

	(void)snprintf(
	    note.text, sizeof(note.text), "%s %ju records", verb, (uintmax_t)n);
	server_event(c->opt, c->server, client, &note);
}

static int
take(struct conn *c, struct party *p, const struct meeting *m, struct err *err)
{
	struct receive_progress progress = {0};
	const struct receive_options opt = {.room = server_room(c->server),
	    .peer = &m->peer,
	    .progress = &progress,
	    .on_refused = on_refused,
	    .arg = c};
	AUTO(reaper) struct reaper *reaper = NULL;
	struct reap_result reaped;
	struct err why;
	int rc = receive_run(p, m->channel, &opt, err);
	uint64_t records = atomic_load(&progress.records);

	if (records > 0)
		say(c, channel_peer(m->channel), "took", records);
	else if (c->server != NULL)
		return rc; /* which looks each minute */
	/* It failed, or not: what has come, or time, may let something go. */
	if (reaper_new(&reaper, &why) != 0 ||
	    reaper_run(reaper, p, &reaped, &why) != 0)
		server_event(c->opt, c->server, NULL, &why);
	else if (reaped.kept > 0)
		reaper_note(p, channel_peer(m->channel), &reaped);
	return rc;
}

static int
give(struct conn *c, struct party *p, const struct meeting *m, struct err *err)
{
	const struct send_options opt = {.follow = m->follow,
	    .stop = c->opt->stop,
	    .on_receipt = c->opt->on_receipt,
	    .arg = c->opt->arg};
	struct send_result result;
	int rc = send_run(p, m, &opt, &result, err);

	if (result.records > 0)
		say(c, channel_peer(m->channel), "sent", result.records);
	return rc;
}

static int
serve(struct conn *c, struct party *p, const struct meeting *m, struct err *err)
{
	struct err bye;
	int rc;

	channel_times(m->channel, IDLE_MS, WITHIN_MS);
	switch (m->mode) {
	case HELLO_PUSH:
		rc = take(c, p, m, err);
		break;
	case HELLO_PULL:
		rc = give(c, p, m, err);
		break;
	default:
		rc = fetch_serve(p, m, err);
		break;
	}
	if (rc == ERR_CANCELLED) {
		(void)err_set(&bye, ERR_CANCELLED,
		    "%s; what it acknowledged is safe",
		    server_displaced(c->server, c)
			? "the site serves another connection of this key"
			  " instead of this one"
			: "the site is shutting down");
		channel_send_error(m->channel, &bye);
	}
	return rc;
}

/* Of one key there may be only so many. */
static int
admit(struct conn *c, const struct party *p, const struct meeting *m,
    struct err *err)
{
	int rc = server_known(c->server, c, m, err);

	if (rc == ERR_FULL) {
		party_refused(p, channel_peer(m->channel), true, err);
		channel_send_error(m->channel, err);
	}
	return rc;
}

/* An empty replica has no root object, and so no access, yet. */
static int
open_party(const struct conn *c, struct party *p, struct err *err)
{
	struct err why;
	int rc = access_open_keyless(c->opt->address, &p->access, &why);

	p->address = c->opt->address;
	p->site = c->opt->site;
	p->key = sitedir_key(p->site);
	p->fingerprint = sitedir_request(p->site)->fingerprint;
	return rc == 0 || rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
}

int
conn_run(struct conn *c, int fd, struct err *err)
{
	struct party p = {0};
	struct meeting m = {0};
	int rc = open_party(c, &p, err);

	if (rc == 0)
		rc = party_accept(&p, fd, c->from, &m, err);
	else
		(void)close(fd);
	if (rc == 0)
		rc = admit(c, &p, &m, err);
	if (rc == 0)
		rc = serve(c, &p, &m, err);
	server_over(c->server, c);
	channel_free(m.channel);
	access_close(p.access);
	return rc;
}
