#ifndef CRYPTO_HPKE_H
#define CRYPTO_HPKE_H

/*
 * HPKE (RFC 9180), base mode, suite DHKEM(X25519, HKDF-SHA256) 0x0020,
 * HKDF-SHA256 0x0001, AES-256-GCM 0x0002.
 * Errors of all that seal or open: ERR_AUTH a public key, or an encapsulation,
 * of low order; ERR_NOMEM; ERR_USAGE too long.
 * Thread: safe. Cost: a sealing takes two X25519 operations, an opening one, of
 * about 0.04 ms each.
 */
#include "crypto/secret.h"

#define HPKE_ENC_LEN 32
#define HPKE_OVERHEAD (HPKE_ENC_LEN + 16)

/** hpke_keypair(priv, pub, err): A new random pair. */
NODISCARD int hpke_keypair(
    struct x25519_private *priv, struct x25519_public *pub, struct err *err);

/** hpke_public(priv, pub, err): The public half of ${priv}. */
NODISCARD int hpke_public(const struct x25519_private *priv,
    struct x25519_public *pub, struct err *err);

/**
 * hpke_seal(to, info, infolen, ad, adlen, pt, ptlen, out, err):
 * Single-shot SealBase (RFC 9180 6.1): ${out} receives
 * enc (32 bytes), then ciphertext and tag: ${ptlen} + HPKE_OVERHEAD bytes.
 */
NODISCARD int hpke_seal(const struct x25519_public *to, const void *info,
    size_t infolen, const void *ad, size_t adlen, const void *pt, size_t ptlen,
    uint8_t *out, struct err *err);

/**
 * hpke_open(priv, pub, info, infolen, ad, adlen, box, boxlen, out, err):
 * OpenBase of what hpke_seal() made; ${pub} is the public half of ${priv}, and
 * nothing opens with another's. ${out} receives ${boxlen} - HPKE_OVERHEAD
 * bytes, which are zero on failure. Errors: ERR_AUTH not for this key, or
 * tampered; ERR_CORRUPT too short.
 */
NODISCARD int hpke_open(const struct x25519_private *priv,
    const struct x25519_public *pub, const void *info, size_t infolen,
    const void *ad, size_t adlen, const void *box, size_t boxlen, uint8_t *out,
    struct err *err);

/**
 * hpke_export_send(to, info, infolen, label, enc, secret, err):
 * SetupBaseS and one Export (RFC 9180 5.3) of 32 bytes under ${label}: a fresh
 * secret that only the holder of the private half can derive again, from
 * ${enc}.
 */
NODISCARD int hpke_export_send(const struct x25519_public *to, const void *info,
    size_t infolen, const char *label, uint8_t enc[HPKE_ENC_LEN],
    struct key32 *secret, struct err *err);

/**
 * hpke_export_receive(): SetupBaseR and the same Export. Another pair
 * yields another secret, and no error: what is sealed under it tells.
 */
NODISCARD int hpke_export_receive(const struct x25519_private *priv,
    const struct x25519_public *pub, const uint8_t enc[HPKE_ENC_LEN],
    const void *info, size_t infolen, const char *label, struct key32 *secret,
    struct err *err);

#endif
