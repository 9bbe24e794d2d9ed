#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

/*
 * Ed25519 signatures (RFC 8032, the pure variant).
 * Errors of all: ERR_NOMEM; ERR_BUG where OpenSSL fails without a reason.
 * Thread: safe. Cost: some 50 us to sign, 110 us to check.
 */
#include "crypto/secret.h"

#define SIGNATURE_LEN 64

/** sign_keypair(priv, pub, err): A new random pair. */
NODISCARD int sign_keypair(
    struct ed25519_private *priv, struct ed25519_public *pub, struct err *err);

/** sign_public(priv, pub, err): The public half of ${priv}. */
NODISCARD int sign_public(const struct ed25519_private *priv,
    struct ed25519_public *pub, struct err *err);

/** sign_make(priv, msg, len, sig, err): The same bytes for the same message. */
NODISCARD int sign_make(const struct ed25519_private *priv, const void *msg,
    size_t len, uint8_t sig[SIGNATURE_LEN], struct err *err);

/** sign_check(): 0, or ERR_AUTH when ${sig} is not ${pub}'s on ${msg}. */
NODISCARD int sign_check(const struct ed25519_public *pub, const void *msg,
    size_t len, const uint8_t sig[SIGNATURE_LEN], struct err *err);

#endif
