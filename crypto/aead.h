#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

/*
 * AES-256-GCM under a key that is used for one object alone, with counter
 * nonces: 4 zero bytes and a 64-bit big-endian counter. The caller never seals
 * twice under one counter.
 * Errors of all: ERR_NOMEM; ERR_USAGE more than OpenSSL takes at once (2 GiB).
 * Thread: a context belongs to one thread at a time.
 * Cost: a context keeps the key's schedule; 3 GB/s and more with AES-NI.
 * Source: NIST SP 800-38D; KEYS.md 'Conventions'.
 */
#include "crypto/secret.h"

#define AEAD_TAG_LEN 16

struct aead;

/** aead_new(key, out, err): Keeps no reference to ${key}; aead_free() wipes. */
NODISCARD int aead_new(
    const struct key32 *key, struct aead **out, struct err *err);
void aead_free(struct aead *a);
DEFINE_AUTO(aead, aead_free)

/** aead_seal(): ${out} receives ${len} + AEAD_TAG_LEN bytes; may be ${pt}. */
NODISCARD int aead_seal(struct aead *a, uint64_t counter, const void *ad,
    size_t adlen, const uint8_t *pt, size_t len, uint8_t *out, struct err *err);

/**
 * aead_open(): ${len} counts ciphertext and tag; ${out} receives ${len} -
 * AEAD_TAG_LEN bytes, may be ${ct}, and is wiped when the tag does not hold.
 * Errors: ERR_AUTH; ERR_CORRUPT too short.
 */
NODISCARD int aead_open(struct aead *a, uint64_t counter, const void *ad,
    size_t adlen, const uint8_t *ct, size_t len, uint8_t *out, struct err *err);

#endif
