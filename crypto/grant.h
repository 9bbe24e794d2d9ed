#ifndef CRYPTO_GRANT_H
#define CRYPTO_GRANT_H

/*
 * Grants: the signed record that gives a person or host a role, with the keys
 * of that role sealed to it.
 * Source: KEYS.md 'Grants'. Thread: safe.
 */
#include "crypto/keyset.h"

#define GRANT_OBJECT_MAX 65536

enum role {
	ROLE_NONE = 0,
	ROLE_ADMIN = 1, /* of the store; holds the master key */
	ROLE_READER = 2,
	ROLE_WRITER = 3,
	ROLE_REPLICA = 4, /* holds objects, no key */
};

struct grant {
	uint8_t store[STORE_ID_LEN];
	enum role role;
	uint8_t dataset[DATASET_ID_LEN]; /* zero for ROLE_ADMIN */
	uint32_t epoch;                  /* of the key set; 0 for ADMIN */
	struct identity_public subject;
	int64_t from;  /* Unix seconds, inclusive */
	int64_t until; /* Unix seconds, exclusive; INT64_MAX: no end */
	uint8_t issuer[IDENTITY_ID_LEN]; /* zero: the master key */
};

/** role_name(role): "admin", "reader", "writer", "replica", "none". */
const char *role_name(enum role role);

/**
 * grant_make(g, keys, keyslen, issuer, master, w, err):
 * Seal ${keys} to the subject and sign: by ${issuer}, or by ${master} when it
 * is NULL. ${keys}: the master seed (ADMIN), keyset_encode() with or without
 * the private half (READER, WRITER), nothing (REPLICA). An admin needs no
 * second grant to read or write; a reader who writes needs one as writer:
 * KEYS.md section 1. ${g}'s issuer is not looked at: the grant names the one
 * who signs.
 * Errors: ERR_USAGE a grant that can't be, or keys that its role may not hold.
 */
NODISCARD int grant_make(const struct grant *g, const void *keys,
    size_t keyslen, const struct identity *issuer, const struct master *master,
    struct wr *w, struct err *err);

/**
 * grant_peek(buf, len, out, err): Parse; the signature is not checked.
 * Errors: ERR_CORRUPT; ERR_VERSION.
 */
NODISCARD int grant_peek(
    const uint8_t *buf, size_t len, struct grant *out, struct err *err);

/**
 * grant_check(buf, len, signer, err):
 * Errors: ERR_AUTH ${signer} did not sign it; those of grant_peek(). Whether
 * ${signer} is who it names, and may, is the caller's to find out.
 */
NODISCARD int grant_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err);

/**
 * grant_open(buf, len, subject, keys, err):
 * The keys inside, appended to ${keys}, which becomes a secret writer. They are
 * what the role may hold, of the dataset and epoch that the grant names. The
 * signature is not checked, nor are the dates: grant_check() first.
 * Errors: ERR_DENIED a grant to somebody else; ERR_AUTH tampered; ERR_CORRUPT.
 */
NODISCARD int grant_open(const uint8_t *buf, size_t len,
    const struct identity *subject, struct wr *keys, struct err *err);

/**
 * grant_claim(buf, len, subject, name, err):
 * What the keys inside a reader's or writer's grant call the dataset. Anybody
 * may have said so: nothing is checked. So it takes a fourth of the time of
 * grant_check() and grant_open(), and is good for choosing what to open.
 * Errors: those of grant_open(); ERR_CORRUPT another role's.
 */
NODISCARD int grant_claim(const uint8_t *buf, size_t len,
    const struct identity *subject, char name[DATASET_NAME_MAX + 1],
    struct err *err);

#endif
