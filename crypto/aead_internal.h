#ifndef CRYPTO_AEAD_INTERNAL_H
#define CRYPTO_AEAD_INTERNAL_H

/* Private to this folder and its tests: AEAD under a nonce of one's own. */
#include "crypto/aead.h"

#define AEAD_NONCE_LEN 12

/** aead_seal_nonce(), aead_open_nonce(): As aead_seal() and aead_open(). */
NODISCARD int aead_seal_nonce(struct aead *a,
    const uint8_t nonce[AEAD_NONCE_LEN], const void *ad, size_t adlen,
    const uint8_t *pt, size_t len, uint8_t *out, struct err *err);
NODISCARD int aead_open_nonce(struct aead *a,
    const uint8_t nonce[AEAD_NONCE_LEN], const void *ad, size_t adlen,
    const uint8_t *ct, size_t len, uint8_t *out, struct err *err);

#endif
