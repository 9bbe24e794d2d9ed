#ifndef CRYPTO_TLS_H
#define CRYPTO_TLS_H

/*
 * TLS 1.3 between two who know each other by their Ed25519 keys: each side
 * shows a certificate that it made for itself, in which nothing but the key
 * counts, and proves that it holds the private half. There is no authority to
 * run: whether the key is the right one, the caller decides.
 * Nothing else is spoken: X25519 for the exchange; AES-256-GCM or
 * ChaCha20-Poly1305; no older version, no resumption, no early data.
 *
 * Thread: one thread may read while another writes; all else is the caller's
 * to keep apart. tls_stop_reading() and tls_stop() may be called by any.
 * Signals: SIGPIPE must be ignored, or a connection that breaks ends the
 * process.
 * Source: RFC 8446, RFC 8410; PROTOCOL.md section 2.
 */
#include "crypto/sign.h"

#include <stdbool.h>
#include <stdint.h>

enum tls_side { TLS_CLIENT, TLS_SERVER };

struct tls;

/**
 * tls_new(fd, side, key, out, err):
 * Speak over ${fd}, a stream socket, which becomes the tls's also when it
 * fails. Nothing is sent before tls_handshake().
 */
NODISCARD int tls_new(int fd, enum tls_side side,
    const struct ed25519_private *key, struct tls **out, struct err *err);

/** tls_free(t): Closes the socket; says no goodbye: tls_close() does. */
void tls_free(struct tls *t);
DEFINE_AUTO(tls, tls_free)

/**
 * tls_read_timeout(t, ms), tls_write_timeout(t, ms):
 * How long one call may take to read what it is asked for, or a handshake in
 * all; and how long writing may wait for the other side to take something. 0:
 * for ever. Takes effect with the next call.
 */
void tls_read_timeout(struct tls *t, unsigned ms);
void tls_write_timeout(struct tls *t, unsigned ms);

/**
 * tls_handshake(t, peer, err):
 * ${peer}: the key that the other side has proved to hold. A client may have
 * finished when the server doesn't accept its key: it learns that when it
 * reads.
 * Errors: ERR_VERSION it speaks no such TLS; ERR_AUTH it showed no Ed25519 key;
 * ERR_CORRUPT it doesn't speak TLS at all; ERR_IO the connection broke, or
 * timed out; ERR_CANCELLED it was stopped.
 */
NODISCARD int tls_handshake(
    struct tls *t, struct ed25519_public *peer, struct err *err);

/**
 * tls_read(t, buf, len, err):
 * Exactly ${len} bytes. Errors: ERR_NOT_FOUND the other side said goodbye
 * before the first of them; ERR_IO the connection was cut, or nothing came in
 * time; ERR_CORRUPT somebody changed bytes on the way; ERR_CANCELLED it was
 * stopped.
 */
NODISCARD int tls_read(struct tls *t, void *buf, size_t len, struct err *err);

/** tls_write(t, buf, len, err): All of it. Errors: as tls_read(). */
NODISCARD int tls_write(
    struct tls *t, const void *buf, size_t len, struct err *err);

/** tls_close(t): Say goodbye, without waiting for an answer. */
void tls_close(struct tls *t);

/**
 * tls_stop_reading(t): Who waits to read, now or later, gives up: it has
 * ERR_CANCELLED. What is to be written still can be.
 */
void tls_stop_reading(struct tls *t);
/** tls_stop(t): The same for both directions. */
void tls_stop(struct tls *t);

#endif
