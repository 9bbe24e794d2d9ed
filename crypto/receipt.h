#ifndef CRYPTO_RECEIPT_H
#define CRYPTO_RECEIPT_H

/*
 * Receipts: a site's signed word that it holds a dataset's log through a
 * record, with all that the log needs there, durable.
 * Source: KEYS.md 'Sites'. Thread: safe.
 */
#include "crypto/site.h"

#define RECEIPT_LEN 168
#define RECEIPT_DATASET_LEN 16
#define RECEIPT_NAME_LEN 32

struct receipt {
	uint8_t store[STORE_ID_LEN];
	uint8_t site[IDENTITY_ID_LEN];
	uint8_t dataset[RECEIPT_DATASET_LEN];
	uint64_t seq;                   /* of the newest record it holds */
	uint8_t head[RECEIPT_NAME_LEN]; /* that record's object name */
	int64_t time;                   /* Unix seconds, by the site's clock */
};

/**
 * receipt_make(r, key, out, err):
 * Signed by the site's ${key}; ${r}'s site is not looked at. Errors: ERR_NOMEM.
 */
NODISCARD int receipt_make(const struct receipt *r, const struct identity *key,
    uint8_t out[RECEIPT_LEN], struct err *err);

/**
 * receipt_peek(buf, len, out, err): Parse; the signature is not checked.
 * Errors: ERR_CORRUPT; ERR_VERSION.
 */
NODISCARD int receipt_peek(
    const uint8_t *buf, size_t len, struct receipt *out, struct err *err);

/**
 * receipt_decode(buf, len, site, out, err):
 * Errors: ERR_CORRUPT; ERR_VERSION; ERR_AUTH not by ${site}.
 */
NODISCARD int receipt_decode(const uint8_t *buf, size_t len,
    const struct identity_public *site, struct receipt *out, struct err *err);

#endif
