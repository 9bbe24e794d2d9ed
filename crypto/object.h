#ifndef CRYPTO_OBJECT_H
#define CRYPTO_OBJECT_H

/*
 * What the stored objects of this folder have in common: a head; keys sealed
 * to somebody, bound to all bytes before them; and a signature at the very end,
 * over all bytes before it.
 * Source: KEYS.md 'Conventions'. Thread: safe.
 */
#include "crypto/bytes.h"
#include "crypto/hpke.h"
#include "crypto/sign.h"

#define OBJECT_VERSION 1

/** object_head_write(w, letter): "VRV", ${letter}, the version, two zeros. */
void object_head_write(struct wr *w, char letter);

/**
 * object_head_read(r, letter, what, err):
 * Errors: ERR_CORRUPT not a ${what}; ERR_VERSION one of another version.
 */
NODISCARD int object_head_read(
    struct rd *r, char letter, const char *what, struct err *err);

/**
 * object_seal(w, label, to, keys, len, err):
 * Append a string with the ${len} bytes at ${keys}, sealed to ${to}. HPKE's
 * info is ${label}, a zero byte, and all that ${w} holds.
 */
NODISCARD int object_seal(struct wr *w, const char *label,
    const struct x25519_public *to, const void *keys, size_t len,
    struct err *err);

/**
 * object_unseal(buf, clear, label, priv, pub, sealed, len, keys, err):
 * Open the contents of such a string, which follows ${clear} bytes of ${buf},
 * and append them to ${keys}, a secret writer.
 * Errors: ERR_AUTH not for this key, or tampered; ERR_CORRUPT too short.
 */
NODISCARD int object_unseal(const uint8_t *buf, size_t clear, const char *label,
    const struct x25519_private *priv, const struct x25519_public *pub,
    const uint8_t *sealed, size_t len, struct wr *keys, struct err *err);

/**
 * object_sign(w, label, priv, err):
 * Append the signature over ${label}, a zero byte, and all that ${w} holds.
 */
NODISCARD int object_sign(struct wr *w, const char *label,
    const struct ed25519_private *priv, struct err *err);

/**
 * object_check(buf, len, label, pub, err):
 * Whether the last SIGNATURE_LEN bytes are ${pub}'s signature under ${label}
 * over the rest. Errors: ERR_AUTH; ERR_CORRUPT too short.
 */
NODISCARD int object_check(const uint8_t *buf, size_t len, const char *label,
    const struct ed25519_public *pub, struct err *err);

#endif
