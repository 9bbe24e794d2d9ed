#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

/*
 * Key derivation: HKDF-SHA256 (RFC 5869) and scrypt (RFC 7914).
 * Errors of all: ERR_NOMEM, ERR_USAGE for lengths out of range, ERR_BUG.
 * Thread: safe.
 */
#include "crypto/secret.h"

/** hkdf_extract(): RFC 5869 2.2; ${prk} receives 32 bytes. */
NODISCARD int hkdf_extract(const void *salt, size_t saltlen, const void *ikm,
    size_t ikmlen, struct key32 *prk, struct err *err);

/** hkdf_expand(): RFC 5869 2.3; up to 255 * 32 bytes. */
NODISCARD int hkdf_expand(const struct key32 *prk, const void *info,
    size_t infolen, void *out, size_t outlen, struct err *err);

/** hkdf(): Extract, then expand. */
NODISCARD int hkdf(const void *salt, size_t saltlen, const void *ikm,
    size_t ikmlen, const void *info, size_t infolen, void *out, size_t outlen,
    struct err *err);

/**
 * scrypt_derive(): N = 2^${logn}.
 * Cost: 128 * r * 2^logn bytes of memory, for a time in proportion to p.
 */
NODISCARD int scrypt_derive(const void *pass, size_t passlen, const void *salt,
    size_t saltlen, unsigned logn, uint32_t r, uint32_t p, void *out,
    size_t outlen, struct err *err);

#endif
