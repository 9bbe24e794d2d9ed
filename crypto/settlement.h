#ifndef CRYPTO_SETTLEMENT_H
#define CRYPTO_SETTLEMENT_H

/*
 * Where a dataset's log was continued in two ways: an admin's word for which one
 * counts. It names the first record that only one of the two has.
 * Source: KEYS.md section 15. Thread: safe.
 */
#include "crypto/identity.h"
#include "crypto/keyring.h"
#include "crypto/root.h"

#define SETTLEMENT_OBJECT_LEN 200
#define SETTLEMENT_NAME_LEN 32 /* a record's object name */

struct settlement {
	uint8_t store[STORE_ID_LEN];
	int64_t from; /* Unix seconds, at least 1: the newest counts */
	uint8_t dataset[DATASET_ID_LEN];
	uint64_t seq;                      /* from 1 */
	uint8_t prev[SETTLEMENT_NAME_LEN]; /* of seq - 1; zero for seq 1 */
	uint8_t name[SETTLEMENT_NAME_LEN]; /* of seq, in the one that counts */
	uint8_t issuer[IDENTITY_ID_LEN];   /* zero: the master key */
};

/**
 * settlement_make(s, issuer, master, w, err):
 * Signed by ${issuer}, or by ${master} when that is NULL; ${s}'s issuer is not
 * looked at. Errors: ERR_USAGE malformed, or nobody to sign.
 */
NODISCARD int settlement_make(const struct settlement *s,
    const struct identity *issuer, const struct master *master, struct wr *w,
    struct err *err);

/** settlement_peek(buf, len, out, err): Parse; the signature is not checked. */
NODISCARD int settlement_peek(
    const uint8_t *buf, size_t len, struct settlement *out, struct err *err);

/** settlement_check(): ERR_AUTH when ${signer} did not sign it. */
NODISCARD int settlement_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err);

#endif
