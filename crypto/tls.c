#include "crypto/tls_internal.h"

#include "crypto/openssl.h"
#include "crypto/tls_context.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int
make_session(struct tls *t, struct err *err)
{
	t->ssl = SSL_new(t->ctx);
	if (t->ssl == NULL || SSL_set_fd(t->ssl, t->fd) != 1)
		return openssl_fail(err, "TLS");
	if (t->side == TLS_SERVER)
		SSL_set_accept_state(t->ssl);
	else
		SSL_set_connect_state(t->ssl);
	return 0;
}

static int
dont_block(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return err_errno(err, "cannot use the connection");
	return 0;
}

int
tls_new(int fd, enum tls_side side, const struct ed25519_private *key,
    struct tls **out, struct err *err)
{
	AUTO(tls) struct tls *t = calloc(1, sizeof(*t));
	int rc;

	*out = NULL;
	if (t == NULL) {
		(void)close(fd);
		return err_nomem(err);
	}
	t->fd = fd;
	t->side = side;
	(void)pthread_mutex_init(&t->mu, NULL);
	for (int i = 0; i < DIRECTIONS; i++)
		t->wake[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->wake[READING] < 0 || t->wake[WRITING] < 0)
		return err_errno(err, "cannot make an eventfd");
	rc = dont_block(fd, err);
	if (rc == 0)
		rc = tls_context_new(key, &t->ctx, err);
	if (rc == 0)
		rc = make_session(t, err);
	if (rc != 0)
		return rc;
	*out = STEAL(t);
	return 0;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	for (int i = 0; i < DIRECTIONS; i++) {
		if (t->wake[i] >= 0)
			(void)close(t->wake[i]);
	}
	(void)close(t->fd);
	(void)pthread_mutex_destroy(&t->mu);
	free(t);
}

void
tls_read_timeout(struct tls *t, unsigned ms)
{
	atomic_store(&t->timeout[READING], ms);
}

void
tls_write_timeout(struct tls *t, unsigned ms)
{
	atomic_store(&t->timeout[WRITING], ms);
}

static void
stop(struct tls *t, enum direction dir)
{
	const uint64_t one = 1;

	atomic_store(&t->stopped[dir], true);
	/* It can't be full: a second write changes nothing that matters. */
	(void)!write(t->wake[dir], &one, sizeof(one));
}

void
tls_stop_reading(struct tls *t)
{
	stop(t, READING);
}

void
tls_stop(struct tls *t)
{
	stop(t, READING);
	stop(t, WRITING);
}
