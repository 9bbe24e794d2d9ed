#ifndef TESTS_UNIT_CHANNEL_FIXTURE_H
#define TESTS_UNIT_CHANNEL_FIXTURE_H

/* Two sides of a connection in one process, which have shaken hands. */
#include "snapshot/replicate/channel.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct pair {
	struct channel *a, *b;
};

struct end {
	struct tls *tls;
	struct err err;
	int rc;
};

static inline UNUSED void *
shake(void *arg)
{
	struct end *e = arg;
	struct ed25519_public peer;

	e->rc = tls_handshake(e->tls, &peer, &e->err);
	return NULL;
}

static inline UNUSED void
end_setup(struct end *e, enum tls_side side, int fd)
{
	struct ed25519_private priv;
	struct ed25519_public pub;

	assert_int_equal(sign_keypair(&priv, &pub, &e->err), 0);
	assert_int_equal(tls_new(fd, side, &priv, &e->tls, &e->err), 0);
	tls_read_timeout(e->tls, 5000);
	tls_write_timeout(e->tls, 5000);
}

/* A client and a server; returns the client's socket, which is its 'tls'. */
static inline UNUSED int
ends_setup(struct end *a, struct end *b)
{
	pthread_t thread;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	end_setup(a, TLS_CLIENT, fds[0]);
	end_setup(b, TLS_SERVER, fds[1]);
	assert_int_equal(pthread_create(&thread, NULL, shake, a), 0);
	(void)shake(b);
	(void)pthread_join(thread, NULL);
	assert_int_equal(a->rc, 0);
	assert_int_equal(b->rc, 0);
	return fds[0];
}

static inline UNUSED void
pair_setup(struct pair *p)
{
	struct end a, b;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)ends_setup(&a, &b);
	assert_int_equal(channel_new(a.tls, "b", &p->a, &a.err), 0);
	assert_int_equal(channel_new(b.tls, "a", &p->b, &b.err), 0);
}

static inline UNUSED void
pair_clear(struct pair *p)
{
	channel_free(p->a);
	channel_free(p->b);
}

#endif
