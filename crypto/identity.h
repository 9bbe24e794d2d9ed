#ifndef CRYPTO_IDENTITY_H
#define CRYPTO_IDENTITY_H

/*
 * Persons, hosts and sites: who holds a key. An identity is an X25519 pair (to
 * be given keys) and an Ed25519 pair (to sign). A person's private halves are
 * sealed under a passphrase and kept in the store; a host's or a site's lie in
 * a key file that only its owner may read.
 * Source: KEYS.md 'Identities'. Thread: safe (no shared state).
 */
#include "crypto/bytes.h"
#include "crypto/secret.h"
#include "crypto/sign.h"

#define IDENTITY_ID_LEN 16
#define IDENTITY_NAME_MAX 255

enum identity_kind {
	IDENTITY_PERSON = 1,
	IDENTITY_HOST = 2,
	IDENTITY_SITE = 3, /* its name is a site's: crypto/site.h */
};
/** identity_kind_name(kind): "person", "host", "site". */
const char *identity_kind_name(enum identity_kind kind);

/* The public half. Its id is the first 16 bytes of the SHA-256 of the rest. */
struct identity_public {
	uint8_t id[IDENTITY_ID_LEN];
	enum identity_kind kind;
	char name[IDENTITY_NAME_MAX + 1]; /* UTF-8, no control characters */
	struct x25519_public seal;
	struct ed25519_public sign;
};

/* Both halves; lives in secret memory: identity_new/_decode make it. */
struct identity {
	struct identity_public pub;
	struct x25519_private seal;
	struct ed25519_private sign;
};

/** identity_new(kind, name, out, err): ERR_USAGE for a name that can't be, or
 * that has characters that don't show (utf8_plain()). */
NODISCARD int identity_new(enum identity_kind kind, const char *name,
    struct identity **out, struct err *err);
void identity_free(struct identity *id);
DEFINE_AUTO(identity, identity_free)

/* The public half as bytes; the encoding is signed and hashed by others. */
void identity_public_encode(const struct identity_public *pub, struct wr *w);
NODISCARD int identity_public_decode(
    struct rd *r, struct identity_public *out, struct err *err);

/*
 * A person object (kept in the store) or a key file of a host or a site: the
 * public half in the clear and the private halves, sealed under the passphrase
 * by scrypt and a box. A key file has no passphrase: cost 0, and nothing but
 * the file's mode protects it.
 */
#define IDENTITY_LOGN 16 /* scrypt N = 2^16, r = 8 */
#define IDENTITY_OBJECT_MAX 4096

/**
 * identity_encode(id, pass, w, err):
 * ${pass} (UTF-8, taken as it is) is NULL for all but a person.
 * Errors: ERR_USAGE that is not so, or it is empty; ERR_NOMEM.
 * Cost: as identity_decode().
 */
NODISCARD int identity_encode(
    const struct identity *id, const char *pass, struct wr *w, struct err *err);

/**
 * identity_peek(buf, len, out, err):
 * The public half. Who made the object has its private half; whose that is,
 * others have to say. Errors: ERR_CORRUPT malformed; ERR_VERSION newer; ERR_AUTH
 * its signature isn't that half's.
 */
NODISCARD int identity_peek(const uint8_t *buf, size_t len,
    struct identity_public *out, struct err *err);

/**
 * identity_decode(buf, len, pass, out, err):
 * Parse and unlock. ${pass} is NULL for a key file.
 * Errors: those of identity_peek(); ERR_AUTH also wrong passphrase or tampered; ERR_NOMEM; ERR_USAGE a passphrase is needed or is not wanted.
 * Cost: 64 MiB of memory, about 0.2 s, for a person.
 */
NODISCARD int identity_decode(const uint8_t *buf, size_t len, const char *pass,
    struct identity **out, struct err *err);

#endif
