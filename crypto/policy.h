#ifndef CRYPTO_POLICY_H
#define CRYPTO_POLICY_H

/*
 * The location policy: in which countries a store's objects may lie, signed by
 * an admin.
 * Source: KEYS.md 'Sites'. Thread: safe.
 */
#include "crypto/site.h"

#define POLICY_COUNTRIES_MAX 256
#define POLICY_OBJECT_MAX 1024

struct policy {
	uint8_t store[STORE_ID_LEN];
	int64_t from; /* Unix seconds: the newest policy counts */
	size_t n;     /* at least 1 */
	char countries[POLICY_COUNTRIES_MAX][COUNTRY_LEN + 1]; /* ascending */
	uint8_t issuer[IDENTITY_ID_LEN]; /* zero: the master key */
};

/**
 * policy_make(p, issuer, master, w, err):
 * Signed by ${issuer}, or by ${master} when that is NULL; ${p}'s issuer is not
 * looked at. Errors: ERR_USAGE no country, one twice, or not in order, or
 * nobody to sign; ERR_NOMEM. ${w} gets the object, or nothing.
 */
NODISCARD int policy_make(const struct policy *p, const struct identity *issuer,
    const struct master *master, struct wr *w, struct err *err);

/**
 * policy_peek(buf, len, out, err): Parse; the signature is not checked.
 * Errors: ERR_CORRUPT; ERR_VERSION.
 */
NODISCARD int policy_peek(
    const uint8_t *buf, size_t len, struct policy *out, struct err *err);

/**
 * policy_check(buf, len, signer, err):
 * Errors: ERR_AUTH ${signer} did not sign it; those of policy_peek().
 */
NODISCARD int policy_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err);

/** policy_names(p, country): Whether the country is one of them. */
bool policy_names(const struct policy *p, const char *country);

#endif
