#ifndef SNAPSHOT_REPLICATE_SERVER_INTERNAL_H
#define SNAPSHOT_REPLICATE_SERVER_INTERNAL_H

/* Private to this folder: the listener and its connections. */
#include "snapshot/replicate/party.h"
#include "snapshot/replicate/server.h"

#include <pthread.h>

struct receive_room;
struct conn;

/* Who listens, and all its connections. */
struct server {
	const struct server_options *opt;
	pthread_mutex_t mu;
	pthread_cond_t changed;
	struct conn **conns; /* guarded by mu; as many as may be */
	size_t n;            /* guarded by mu */
	uint64_t came;
	bool closing; /* guarded by mu */
	pthread_mutex_t telling;
	struct receive_room *room;
};

#define SERVER_FROM 128

/* A connection. Those of --stdio have no server. */
struct conn {
	const struct server_options *opt;
	struct server *server; /* NULL: there is no other connection */
	int fd;                /* the connection's, which is taken over */
	int control;           /* the same, by which others may end it */
	char from[SERVER_FROM];
	pthread_t thread;
	uint64_t number; /* in order of coming */
	/* Guarded by the server's mu. */
	struct channel *channel;   /* once the client is known */
	struct ed25519_public key; /* its, then */
	bool displaced;            /* another of its key has its place */
	bool brings;               /* what came of it is made durable */
	bool met;                  /* it is known, or over: no stranger */
	bool over;
};

/** conn_run(c, fd, err): Serve it, to its end; closes ${fd}. */
NODISCARD int conn_run(struct conn *c, int fd, struct err *err);

/**
 * server_known(s, c, m, err):
 * It is known who it is. Of a key that has its share of the places already, the
 * connection that has been silent the longest has to go; if none is silent, it
 * is ERR_FULL.
 */
NODISCARD int server_known(
    struct server *s, struct conn *c, const struct meeting *m, struct err *err);
/** server_over(s, c): Its channel is to be closed. */
void server_over(struct server *s, struct conn *c);
/** server_displaced(s, c): Whether it ends because another took its place. */
bool server_displaced(struct server *s, const struct conn *c);

/**
 * server_reap_thread(server):
 * A thread's main: removes what was pruned, every minute until the server is
 * closing. What fails is told, and tried again.
 */
void *server_reap_thread(void *server);

/** server_room(s): Of all its connections; NULL for no server. */
struct receive_room *server_room(const struct server *s);

/** server_event(opt, server, client, why): Tell who wants to know. */
void server_event(const struct server_options *opt, struct server *s,
    const char *client, const struct err *why);

#endif
