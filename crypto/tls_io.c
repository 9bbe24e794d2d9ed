/*
 * The socket doesn't block, and OpenSSL is entered for moments only, under a
 * lock: so one thread reads while another writes. Who can't get on waits for
 * the socket outside of the lock.
 */
#include "crypto/tls_internal.h"

#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "crypto/tls_context.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509.h>

/* --- waiting ------------------------------------------------------------ */

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The moment at which to give up; INT64_MAX: never. */
static int64_t
deadline(const struct tls *t, enum direction dir)
{
	unsigned ms = atomic_load(&t->timeout[dir]);

	return ms == 0 ? INT64_MAX : now_ms() + ms;
}

/* How long poll() may wait for ${until}. */
static int
left_ms(int64_t until)
{
	int64_t left = until - now_ms();

	if (until == INT64_MAX)
		return -1;
	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static int
wait_socket(struct tls *t, enum direction dir, short events, int64_t until,
    struct err *err)
{
	struct pollfd fds[] = {
	    {.fd = t->fd, .events = events},
	    {.fd = t->wake[dir], .events = POLLIN},
	};
	int n;

	do
		n = poll(fds, ARRAY_LEN(fds), left_ms(until));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(err, "cannot wait for the other side");
	if (atomic_load(&t->stopped[dir]))
		return err_set(err, ERR_CANCELLED, "stopped");
	if (n == 0) {
		err_set(err, ERR_IO, "the other side does not answer");
		err->errnum = ETIMEDOUT;
		return ERR_IO;
	}
	return 0;
}

/* --- what OpenSSL says -------------------------------------------------- */

/* Called at once after the call that failed, by the same thread. */
static int
tls_fail(const struct tls *t, int errnum, struct err *err)
{
	unsigned long e = ERR_peek_error();
	int reason = ERR_GET_REASON(e);
	const char *text = ERR_reason_error_string(e);
	int rc;

	if (e == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		errno = errnum;
		rc = e == 0 && errnum != 0
			 ? err_errno(err, "the connection broke")
			 : err_set(err, ERR_IO, "the connection was cut");
	} else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED ||
		   reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ||
		   reason == SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS ||
		   reason == SSL_R_WRONG_SIGNATURE_TYPE) {
		rc = err_set(err, ERR_AUTH,
		    "the other side did not show an Ed25519 key (%s)", text);
	} else if (reason == SSL_R_UNSUPPORTED_PROTOCOL ||
		   reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION ||
		   reason == SSL_R_NO_APPLICATION_PROTOCOL ||
		   reason == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) {
		rc = err_set(err, ERR_VERSION,
		    "the other side does not speak Varve over TLS 1.3 (%s)",
		    text);
	} else if (t->up) {
		rc = err_set(err, ERR_CORRUPT,
		    "the connection was tampered with: %s",
		    text != NULL ? text : "unknown");
	} else {
		rc = err_set(err, ERR_CORRUPT,
		    "the other side does not speak TLS 1.3: %s",
		    text != NULL ? text : "unknown");
	}
	openssl_clear();
	return rc;
}

/*
 * After a call that returned ${ret}, what to wait for; 0 when it is of no use
 * to wait. The lock is held.
 */
static short
wanted(const struct tls *t, int ret)
{
	switch (SSL_get_error(t->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return POLLIN;
	case SSL_ERROR_WANT_WRITE:
		return POLLOUT;
	default:
		return 0;
	}
}

/* --- speaking ----------------------------------------------------------- */

static int
peer_key(struct tls *t, struct ed25519_public *out, struct err *err)
{
	const X509 *cert = SSL_get0_peer_certificate(t->ssl);
	EVP_PKEY *key = cert != NULL ? X509_get0_pubkey(cert) : NULL;
	const unsigned char *proto;
	unsigned n;
	size_t len = sizeof(out->b);

	SSL_get0_alpn_selected(t->ssl, &proto, &n);
	if (n != tls_alpn[0] || memcmp(proto, tls_alpn + 1, n) != 0)
		return err_set(err, ERR_VERSION,
		    "the other side speaks TLS, but not Varve");
	if (key == NULL || !EVP_PKEY_is_a(key, "ED25519") ||
	    EVP_PKEY_get_raw_public_key(key, out->b, &len) != 1 ||
	    len != sizeof(out->b)) {
		openssl_clear();
		return err_set(err, ERR_AUTH,
		    "the other side did not show an Ed25519 key");
	}
	return 0;
}

int
tls_handshake(struct tls *t, struct ed25519_public *peer, struct err *err)
{
	int64_t until = deadline(t, READING);

	for (;;) {
		int errnum, n, rc;
		short events;

		pthread_mutex_lock(&t->mu);
		ERR_clear_error();
		errno = 0;
		n = SSL_do_handshake(t->ssl);
		errnum = errno;
		events = n == 1 ? 0 : wanted(t, n);
		rc = n == 1 || events != 0 ? 0 : tls_fail(t, errnum, err);
		pthread_mutex_unlock(&t->mu);
		if (rc != 0)
			return rc;
		if (n == 1)
			break;
		rc = wait_socket(t, READING, events, until, err);
		if (rc != 0)
			return rc;
	}
	t->up = true;
	return peer_key(t, peer, err);
}

/* What one call moved: bytes, or else what to wait for, or neither: failed. */
struct moved {
	size_t n;
	short events;
	bool goodbye;
};

static int
read_some(
    struct tls *t, void *buf, size_t len, struct moved *m, struct err *err)
{
	int rc = 0;

	memset(m, 0, sizeof(*m));
	pthread_mutex_lock(&t->mu);
	ERR_clear_error();
	errno = 0;
	int ret = SSL_read_ex(t->ssl, buf, len, &m->n);
	int errnum = errno;
	if (ret != 1) {
		m->events = wanted(t, ret);
		m->goodbye =
		    SSL_get_error(t->ssl, ret) == SSL_ERROR_ZERO_RETURN;
		if (m->events == 0 && !m->goodbye)
			rc = tls_fail(t, errnum, err);
	}
	pthread_mutex_unlock(&t->mu);
	return rc;
}

static int
write_some(struct tls *t, const void *buf, size_t len, struct moved *m,
    struct err *err)
{
	int rc = 0;

	memset(m, 0, sizeof(*m));
	pthread_mutex_lock(&t->mu);
	ERR_clear_error();
	errno = 0;
	int ret = SSL_write_ex(t->ssl, buf, len, &m->n);
	int errnum = errno;
	if (ret != 1) {
		m->events = wanted(t, ret);
		if (m->events == 0)
			rc = tls_fail(t, errnum, err);
	}
	pthread_mutex_unlock(&t->mu);
	return rc;
}

int
tls_read(struct tls *t, void *buf, size_t len, struct err *err)
{
	int64_t until = deadline(t, READING);
	size_t done = 0;

	while (done < len) {
		struct moved m;
		int rc =
		    read_some(t, (uint8_t *)buf + done, len - done, &m, err);

		if (rc != 0)
			return rc;
		if (m.goodbye)
			return done == 0
				   ? err_set(err, ERR_NOT_FOUND,
					 "the other side closed the connection")
				   : err_set(
					 err, ERR_IO, "the connection was cut");
		done += m.n;
		if (m.n == 0)
			rc = wait_socket(t, READING, m.events, until, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
tls_write(struct tls *t, const void *buf, size_t len, struct err *err)
{
	int64_t until = deadline(t, WRITING);
	size_t done = 0;

	while (done < len) {
		struct moved m;
		int rc = write_some(
		    t, (const uint8_t *)buf + done, len - done, &m, err);

		if (rc == 0 && m.n == 0)
			rc = wait_socket(t, WRITING, m.events, until, err);
		if (rc != 0)
			return rc;
		if (m.n > 0)
			until = deadline(t, WRITING);
		done += m.n;
	}
	return 0;
}

void
tls_close(struct tls *t)
{
	pthread_mutex_lock(&t->mu);
	if (t->up)
		(void)SSL_shutdown(t->ssl);
	openssl_clear();
	pthread_mutex_unlock(&t->mu);
}
