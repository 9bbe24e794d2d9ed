#include "crypto/tls.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* One end, in a thread of its own while it shakes hands. */
struct end {
	struct ed25519_private priv;
	struct ed25519_public pub, peer;
	struct tls *tls;
	enum tls_side side;
	int rc;
	struct err err;
};

struct pair {
	struct end client, server;
};

static struct err err;

static void
end_setup(struct end *e, enum tls_side side, int fd)
{
	e->side = side;
	assert_int_equal(sign_keypair(&e->priv, &e->pub, &err), 0);
	assert_int_equal(tls_new(fd, side, &e->priv, &e->tls, &err), 0);
	tls_read_timeout(e->tls, 5000);
	tls_write_timeout(e->tls, 5000);
}

static int
pair_setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	int fds[2];

	assert_non_null(p);
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	end_setup(&p->client, TLS_CLIENT, fds[0]);
	end_setup(&p->server, TLS_SERVER, fds[1]);
	*state = p;
	return 0;
}

static int
pair_teardown(void **state)
{
	struct pair *p = *state;

	tls_free(p->client.tls);
	tls_free(p->server.tls);
	free(p);
	return 0;
}

static void *
shake(void *arg)
{
	struct end *e = arg;

	e->rc = tls_handshake(e->tls, &e->peer, &e->err);
	return NULL;
}

static void
shake_hands(struct pair *p)
{
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, shake, &p->server), 0);
	shake(&p->client);
	assert_int_equal(pthread_join(t, NULL), 0);
}

static void
connect_pair(struct pair *p)
{
	shake_hands(p);
	assert_int_equal(p->client.rc, 0);
	assert_int_equal(p->server.rc, 0);
}

static void
tls_handshake__each_learns_the_others_key(void **state)
{
	struct pair *p = *state;

	connect_pair(p);
	assert_memory_equal(&p->client.peer, &p->server.pub, KEY_LEN);
	assert_memory_equal(&p->server.peer, &p->client.pub, KEY_LEN);
}

/* What does not speak TLS, and each beginning of what does. */
static void
tls_handshake__refuses_garbage(void **state)
{
	struct pair *p = *state;
	static const char text[] = "GET / HTTP/1.1\r\nHost: dr\r\n\r\n";
	struct ed25519_private priv;
	struct ed25519_public peer;
	struct tls *t;
	int fds[2];

	(void)p;
	memset(&priv, 7, sizeof(priv));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(tls_new(fds[0], TLS_SERVER, &priv, &t, &err), 0);
	assert_int_equal(
	    write(fds[1], text, sizeof(text)), (ssize_t)sizeof(text));
	assert_int_equal(tls_handshake(t, &peer, &err), ERR_CORRUPT);
	tls_free(t);
	(void)close(fds[1]);
}

static void
tls_handshake__tells_a_cut(void **state)
{
	struct pair *p = *state;
	struct ed25519_public peer;

	tls_free(p->client.tls);
	p->client.tls = NULL;
	assert_int_equal(tls_handshake(p->server.tls, &peer, &err), ERR_IO);
}

static void
tls_handshake__gives_up_on_the_silent(void **state)
{
	struct pair *p = *state;
	struct ed25519_public peer;

	tls_read_timeout(p->server.tls, 20);
	assert_int_equal(tls_handshake(p->server.tls, &peer, &err), ERR_IO);
	assert_string_equal(err.text, "the other side does not answer");
}

/* --- reading and writing ------------------------------------------------ */

#define MUCH ((size_t)8 << 20)

struct pump {
	struct tls *tls;
	uint8_t seed;
	int rc;
};

static void *
write_much(void *arg)
{
	struct pump *p = arg;
	uint8_t *buf = malloc(MUCH);
	struct err e;

	for (size_t i = 0; i < MUCH; i++)
		buf[i] = (uint8_t)(i * 31 + p->seed);
	p->rc = tls_write(p->tls, buf, MUCH, &e);
	free(buf);
	return NULL;
}

static void
read_much(struct tls *t, uint8_t seed)
{
	uint8_t *buf = malloc(MUCH);

	assert_int_equal(tls_read(t, buf, MUCH, &err), 0);
	for (size_t i = 0; i < MUCH; i++) {
		if (buf[i] != (uint8_t)(i * 31 + seed))
			fail_msg("byte %zu", i);
	}
	free(buf);
}

static void *
read_much_thread(void *arg)
{
	struct pump *p = arg;

	read_much(p->tls, p->seed);
	return NULL;
}

/* All four at once: one thread reads from an end while another writes to it. */
static void
tls_write__both_ways_at_once(void **state)
{
	struct pair *p = *state;
	struct pump to = {p->client.tls, 1, -1};
	struct pump back = {p->server.tls, 2, -1};
	struct pump got = {p->client.tls, 2, 0};
	pthread_t t[3];

	connect_pair(p);
	assert_int_equal(pthread_create(&t[0], NULL, write_much, &to), 0);
	assert_int_equal(pthread_create(&t[1], NULL, write_much, &back), 0);
	assert_int_equal(
	    pthread_create(&t[2], NULL, read_much_thread, &got), 0);
	read_much(p->server.tls, 1);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(to.rc, 0);
	assert_int_equal(back.rc, 0);
}

static void
tls_read__tells_goodbye_from_a_cut(void **state)
{
	struct pair *p = *state;
	uint8_t buf[4];

	connect_pair(p);
	assert_int_equal(tls_write(p->client.tls, "abcdef", 6, &err), 0);
	tls_close(p->client.tls);
	assert_int_equal(tls_read(p->server.tls, buf, 4, &err), 0);
	assert_int_equal(tls_read(p->server.tls, buf, 4, &err), ERR_IO);
	assert_int_equal(tls_read(p->server.tls, buf, 4, &err), ERR_NOT_FOUND);
	assert_int_equal(tls_write(p->server.tls, "xy", 2, &err), 0);
	tls_free(p->server.tls);
	p->server.tls = NULL;
	assert_int_equal(tls_read(p->client.tls, buf, 2, &err), 0);
	assert_int_equal(tls_read(p->client.tls, buf, 2, &err), ERR_IO);
}

static void *
stop_reading(void *arg)
{
	(void)usleep(20000);
	tls_stop_reading(arg);
	return NULL;
}

static void
tls_stop_reading__leaves_writing(void **state)
{
	struct pair *p = *state;
	pthread_t t;
	uint8_t buf[4];

	connect_pair(p);
	tls_read_timeout(p->server.tls, 0);
	assert_int_equal(
	    pthread_create(&t, NULL, stop_reading, p->server.tls), 0);
	assert_int_equal(tls_read(p->server.tls, buf, 4, &err), ERR_CANCELLED);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(tls_write(p->server.tls, "done", 4, &err), 0);
	assert_int_equal(tls_read(p->client.tls, buf, 4, &err), 0);
	assert_memory_equal(buf, "done", 4);
	tls_stop(p->client.tls);
	assert_int_equal(tls_read(p->client.tls, buf, 4, &err), ERR_CANCELLED);
}

int
main(void)
{
#define tls_test(name)                                                         \
	cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)
	const struct CMUnitTest tests[] = {
	    tls_test(tls_handshake__each_learns_the_others_key),
	    tls_test(tls_handshake__refuses_garbage),
	    tls_test(tls_handshake__tells_a_cut),
	    tls_test(tls_handshake__gives_up_on_the_silent),
	    tls_test(tls_write__both_ways_at_once),
	    tls_test(tls_read__tells_goodbye_from_a_cut),
	    tls_test(tls_stop_reading__leaves_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
