#ifndef CRYPTO_TLS_INTERNAL_H
#define CRYPTO_TLS_INTERNAL_H

/*
 * Private to the connection: what its files share.
 *
 *	tls.c     making it, freeing it, stopping it
 *	tls_io.c  the handshake, reading, writing
 */
#include "crypto/tls.h"

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/ssl.h>

enum direction { READING, WRITING, DIRECTIONS };

struct tls {
	int fd;
	/* Each has an eventfd, which is written to when it is to stop. */
	int wake[DIRECTIONS];
	enum tls_side side;
	SSL_CTX *ctx;
	pthread_mutex_t mu;
	SSL *ssl;                        /* guarded by mu */
	bool up;                         /* the handshake is done */
	atomic_uint timeout[DIRECTIONS]; /* ms */
	atomic_bool stopped[DIRECTIONS];
};

#endif
