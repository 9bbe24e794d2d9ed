#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

/*
 * SHA-256 (FIPS 180-4), HMAC-SHA256 (RFC 2104), random bytes, and comparison
 * in constant time.
 * Errors of all: ERR_NOMEM; ERR_BUG where OpenSSL fails without a reason.
 * Thread: safe, but for a running hash.
 */
#include "crypto/err.h"

#include <stdbool.h>
#include <stdint.h>

#define HASH_LEN 32

/** sha256(buf, len, out, err): One-shot. */
NODISCARD int sha256(
    const void *buf, size_t len, uint8_t out[HASH_LEN], struct err *err);

/* A running SHA-256: the caller's (sha256_free); belongs to one thread. */
struct sha256_ctx;
NODISCARD int sha256_new(struct sha256_ctx **out, struct err *err);
NODISCARD int sha256_update(
    struct sha256_ctx *ctx, const void *buf, size_t len, struct err *err);
/** sha256_final(): The digest; ${ctx} then starts over. */
NODISCARD int sha256_final(
    struct sha256_ctx *ctx, uint8_t out[HASH_LEN], struct err *err);
void sha256_free(struct sha256_ctx *ctx);
DEFINE_AUTO(sha256_ctx, sha256_free)

/** hmac_sha256(key, keylen, buf, len, out, err): One-shot. */
NODISCARD int hmac_sha256(const void *key, size_t keylen, const void *buf,
    size_t len, uint8_t out[HASH_LEN], struct err *err);

/** random_bytes(buf, len, err): From the system's generator, or ERR_IO. */
NODISCARD int random_bytes(void *buf, size_t len, struct err *err);

/** ct_equal(a, b, len): Whether equal, in time that depends on ${len} alone. */
bool ct_equal(const void *a, const void *b, size_t len);

#endif
