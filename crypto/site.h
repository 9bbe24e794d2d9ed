#ifndef CRYPTO_SITE_H
#define CRYPTO_SITE_H

/*
 * Sites: what one says of itself, and what an admin has signed of it.
 *
 *	request    made by the site: its public half, where it stands, what it
 *	           is accredited for, and the store that it is to hold
 *	statement  a key object: the same, with an address, signed by an admin
 *
 * Nothing is sent to a site without a statement, and there its key must be the
 * statement's.
 * Source: KEYS.md 'Sites'. Thread: safe.
 */
#include "crypto/root.h"

#define COUNTRY_LEN 2 /* ISO 3166-1 alpha-2 */
#define SITE_NAME_MAX 63
#define ACCREDITATION_MAX 255
#define SITE_ADDRESS_MAX 255
#define SITE_OBJECT_MAX 4096
#define SITE_REQUEST_TEXT_MAX 65536

/** site_name_ok(name): Letters, digits, '.', '_', '-'; the first no sign. */
bool site_name_ok(const char *name);

/** country_ok(country): Two capital letters; that it exists isn't asked. */
bool country_ok(const char *country);

/* What a site says of itself. */
struct site {
	struct identity_public pub; /* of kind IDENTITY_SITE */
	char country[COUNTRY_LEN + 1];
	char accreditation[ACCREDITATION_MAX + 1]; /* UTF-8, not empty */
	int64_t until; /* Unix seconds, exclusive: it has to be renewed then */
};

struct site_request {
	uint8_t fingerprint[FINGERPRINT_LEN]; /* of the store's root */
	struct site site;
};

/**
 * site_request_make(r, key, w, err):
 * Sign a request, as bytes. ${r}'s public half is not looked at: it is
 * ${key}'s. Errors: ERR_USAGE what no site can be; ERR_NOMEM.
 */
NODISCARD int site_request_make(const struct site_request *r,
    const struct identity *key, struct wr *w, struct err *err);

/**
 * site_request_decode(buf, len, out, err):
 * Errors: ERR_CORRUPT; ERR_VERSION; ERR_AUTH not signed by the key in it. That
 * it is signed says that whoever made it has that key, and no more.
 */
NODISCARD int site_request_decode(
    const uint8_t *buf, size_t len, struct site_request *out, struct err *err);

/** site_request_text(buf, len, w): As lines of text, to be sent by mail. */
void site_request_text(const uint8_t *buf, size_t len, struct wr *w);

/**
 * site_request_parse(text, len, out, err):
 * From that text, whatever stands before and after it.
 * Errors: as site_request_decode().
 */
NODISCARD int site_request_parse(
    const char *text, size_t len, struct site_request *out, struct err *err);

/* What an admin has signed. */
struct statement {
	uint8_t store[STORE_ID_LEN];
	struct site site; /* until <= from: this one takes the site away */
	char
	    address[SITE_ADDRESS_MAX + 1]; /* where it is reached; "" removed */
	int64_t from; /* Unix seconds: the newest of a site's name counts */
	uint8_t issuer[IDENTITY_ID_LEN]; /* zero: the master key */
};

/**
 * statement_make(st, issuer, master, w, err):
 * Signed by ${issuer}, or by ${master} when that is NULL; ${st}'s issuer is not
 * looked at. Errors: ERR_USAGE what no statement can say; ERR_NOMEM.
 */
NODISCARD int statement_make(const struct statement *st,
    const struct identity *issuer, const struct master *master, struct wr *w,
    struct err *err);

/**
 * statement_peek(buf, len, out, err): Parse; the signature is not checked.
 * Errors: ERR_CORRUPT; ERR_VERSION.
 */
NODISCARD int statement_peek(
    const uint8_t *buf, size_t len, struct statement *out, struct err *err);

/**
 * statement_check(buf, len, signer, err):
 * Errors: ERR_AUTH ${signer} did not sign it; those of statement_peek().
 */
NODISCARD int statement_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err);

/** statement_ended(st): Whether it takes the site away. */
bool statement_ended(const struct statement *st);

#endif
