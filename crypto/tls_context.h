#ifndef CRYPTO_TLS_CONTEXT_H
#define CRYPTO_TLS_CONTEXT_H

/*
 * Private to this folder: what is spoken, and the certificate that an end
 * shows.
 * Thread: safe.
 */
#include "crypto/sign.h"

#include <openssl/types.h>

/* What both sides say they speak (ALPN): its length, then its name. */
#define TLS_ALPN_LEN 6
extern const unsigned char tls_alpn[TLS_ALPN_LEN];

/**
 * tls_context_new(priv, out, err):
 * TLS 1.3 alone, a certificate made from ${priv}, and any other end let in that
 * shows one of an Ed25519 key. *${out}: SSL_CTX_free().
 */
NODISCARD int tls_context_new(
    const struct ed25519_private *priv, SSL_CTX **out, struct err *err);

#endif
