#ifndef CRYPTO_BOX_H
#define CRYPTO_BOX_H

/*
 * A box: bytes sealed under a symmetric key with commitment. Each box has a
 * fresh 32-byte salt; HKDF turns key and salt into a one-time key and a 32-byte
 * commitment, which is compared in constant time before anything is decrypted,
 * so that a box opens under one key only.
 * Source: KEYS.md 'Boxes'. Thread: safe.
 */
#include "crypto/aead.h"
#include "crypto/bytes.h"

#define BOX_SALT_LEN 32
#define BOX_COMMIT_LEN 32
#define BOX_HEAD_LEN (BOX_SALT_LEN + BOX_COMMIT_LEN)
#define BOX_OVERHEAD (BOX_HEAD_LEN + AEAD_TAG_LEN)

/**
 * box_seal(key, label, ad, adlen, pt, len, out, err):
 * Append salt, commitment, ciphertext and tag to ${out}: ${len} + BOX_OVERHEAD
 * bytes. ${label} names the purpose and goes into the derivation.
 */
NODISCARD int box_seal(const struct key32 *key, const char *label,
    const void *ad, size_t adlen, const void *pt, size_t len, struct wr *out,
    struct err *err);

/**
 * box_open(key, label, ad, adlen, box, len, out, err):
 * Append the plaintext, ${len} - BOX_OVERHEAD bytes, to ${out}; nothing on
 * failure. Errors: ERR_AUTH wrong key or tampered; ERR_CORRUPT too short.
 */
NODISCARD int box_open(const struct key32 *key, const char *label,
    const void *ad, size_t adlen, const uint8_t *box, size_t len,
    struct wr *out, struct err *err);

/**
 * box_head_new(key, label, head, out, err), box_head_open():
 * For objects sealed in pages: the head (salt and commitment) alone, and the
 * one-time context under which the caller seals, or opens, page i with counter
 * i. *${out} is the caller's (aead_free), NULL on failure.
 * Errors: ERR_AUTH ${head} was not made under ${key} and ${label}; ERR_NOMEM.
 */
NODISCARD int box_head_new(const struct key32 *key, const char *label,
    uint8_t head[BOX_HEAD_LEN], struct aead **out, struct err *err);
NODISCARD int box_head_open(const struct key32 *key, const char *label,
    const uint8_t head[BOX_HEAD_LEN], struct aead **out, struct err *err);

#endif
