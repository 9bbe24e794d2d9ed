#ifndef CRYPTO_COMMIT_H
#define CRYPTO_COMMIT_H

/*
 * Private to this folder. A one-time key together with its commitment: 64
 * bytes of HKDF. AES-GCM alone doesn't commit to its key (one ciphertext can
 * be made to open under two), so what is sealed under such a key has the
 * commitment beside it, and openers compare it first.
 * Source: KEYS.md 'Commitment'. Thread: safe.
 */
#include "crypto/bytes.h"
#include "crypto/secret.h"

#define COMMIT_SALT_LEN 32
#define COMMIT_LEN 32

struct commit_keys {
	struct key32 key; /* first, for WIPE */
	uint8_t commit[COMMIT_LEN];
};

/** commit_derive(): ${info} says what for; a failed writer is ERR_NOMEM. */
NODISCARD int commit_derive(const struct key32 *secret,
    const uint8_t salt[COMMIT_SALT_LEN], const struct wr *info,
    struct commit_keys *out, struct err *err);

/** commit_check(): ERR_AUTH when ${commit} is not that of ${keys}. */
NODISCARD int commit_check(const struct commit_keys *keys,
    const uint8_t commit[COMMIT_LEN], struct err *err);

#endif
