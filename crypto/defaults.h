#ifndef CRYPTO_DEFAULTS_H
#define CRYPTO_DEFAULTS_H

/*
 * The default rules of a store: what is to be kept of the datasets that will be
 * made in it, signed by an admin. What the rules say is not known here.
 * Source: KEYS.md 'Default rules'. Thread: safe.
 */
#include "crypto/grant.h"
#include "crypto/identity.h"
#include "crypto/root.h"

#define DEFAULTS_RULES_MAX 255
#define DEFAULTS_OBJECT_MAX 512

struct defaults {
	uint8_t store[STORE_ID_LEN];
	int64_t from; /* Unix seconds: the newest counts */
	uint8_t rules[DEFAULTS_RULES_MAX];
	size_t len;
	uint8_t issuer[IDENTITY_ID_LEN]; /* zero: the master key */
};

/**
 * defaults_make(d, issuer, master, w, err):
 * Signed by ${issuer}, or by ${master} when that is NULL; ${d}'s issuer is not
 * looked at. Errors: ERR_USAGE too long, or nobody to sign.
 */
NODISCARD int defaults_make(const struct defaults *d,
    const struct identity *issuer, const struct master *master, struct wr *w,
    struct err *err);

/**
 * defaults_peek(buf, len, out, err): Parse; the signature is not checked.
 * Errors: ERR_CORRUPT; ERR_VERSION.
 */
NODISCARD int defaults_peek(
    const uint8_t *buf, size_t len, struct defaults *out, struct err *err);

/**
 * defaults_check(buf, len, signer, err):
 * Errors: ERR_AUTH ${signer} did not sign it; those of defaults_peek().
 */
NODISCARD int defaults_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err);

#endif
