#ifndef CRYPTO_ROOT_H
#define CRYPTO_ROOT_H

/*
 * The root of a store: its id, its first admin and the public halves of its
 * master key, signed by that admin. The SHA-256 of these bytes is the store's
 * fingerprint: whoever knows it can't be shown another store.
 * The master key opens every dataset's key set. Its private half is given to
 * admins by grants, and sealed under the recovery key.
 * Source: KEYS.md 'The root'. Thread: safe.
 */
#include "crypto/identity.h"

#define STORE_ID_LEN 16
#define ROOT_OBJECT_MAX 4096
#define RECOVERY_OBJECT_MAX 4096
#define FINGERPRINT_LEN 32
#define FINGERPRINT_TEXT 80 /* enough for the printed form and its NUL */
#define RECOVERY_TEXT 96
#define RECOVERY_CHECK_LEN 3

struct root {
	uint8_t store[STORE_ID_LEN];
	int64_t created; /* Unix seconds */
	struct identity_public admin;
	struct x25519_public master_seal;
	struct ed25519_public master_sign;
	uint8_t fingerprint[FINGERPRINT_LEN];
};

/* The master key: a seed and what follows from it; in secret memory. */
struct master {
	struct key32 seed;
	struct x25519_private seal;
	struct ed25519_private sign;
	struct x25519_public seal_pub;
	struct ed25519_public sign_pub;
};

/* A recovery key: 256 random bits for a safe; in secret memory. */
struct recovery {
	struct key32 key;
	uint8_t check[RECOVERY_CHECK_LEN]; /* follows from the key */
};

/** master_new(out, err): A random one; the caller's, in secret memory. */
NODISCARD int master_new(struct master **out, struct err *err);
/** master_from_seed(): Both pairs follow from the seed by HKDF. */
NODISCARD int master_from_seed(
    const struct key32 *seed, struct master **out, struct err *err);
void master_free(struct master *m);
DEFINE_AUTO(master, master_free)

/**
 * root_create(admin, master, created, w, out, err):
 * Make a store's id and its root, signed by ${admin}; append it to ${w}, and
 * fill ${out} as root_decode() does. ${created}: Unix seconds.
 */
NODISCARD int root_create(const struct identity *admin,
    const struct master *master, int64_t created, struct wr *w,
    struct root *out, struct err *err);

/**
 * root_decode(buf, len, out, err):
 * Parse and check the signature (by the admin it names, so that only the
 * fingerprint says whether it is the right one).
 * Errors: ERR_CORRUPT, ERR_VERSION, ERR_AUTH.
 */
NODISCARD int root_decode(
    const uint8_t *buf, size_t len, struct root *out, struct err *err);

/** root_fingerprint_text(): 13 groups of 4 base32 characters, by '-'. */
void root_fingerprint_text(
    const uint8_t fp[FINGERPRINT_LEN], char out[FINGERPRINT_TEXT]);

/** root_fingerprint_parse(): Case, blanks and '-' don't matter. ERR_USAGE. */
NODISCARD int root_fingerprint_parse(
    const char *text, uint8_t fp[FINGERPRINT_LEN], struct err *err);

/** recovery_new(out, err): A random one; the caller's, in secret memory. */
NODISCARD int recovery_new(struct recovery **out, struct err *err);
void recovery_free(struct recovery *r);
DEFINE_AUTO(recovery, recovery_free)

/** recovery_text(): What is printed: base32 in groups, with a checksum. */
void recovery_text(const struct recovery *r, char out[RECOVERY_TEXT]);

/**
 * recovery_parse(text, out, err): Case, blanks and '-' don't matter.
 * Errors: ERR_USAGE not a recovery key, or mistyped (the checksum tells).
 */
NODISCARD int recovery_parse(
    const char *text, struct recovery **out, struct err *err);

#define RECOVERY_OBJECT_LEN 200
/** recovery_seal(r, root, m, w, err): Append the recovery object. */
NODISCARD int recovery_seal(const struct recovery *r, const struct root *root,
    const struct master *m, struct wr *w, struct err *err);

/**
 * recovery_check(buf, len, root, err):
 * Whether whoever made it had the store's master key. Errors: ERR_CORRUPT
 * malformed; ERR_VERSION newer; ERR_AUTH another store's, or not signed by it.
 */
NODISCARD int recovery_check(
    const uint8_t *buf, size_t len, const struct root *root, struct err *err);

/**
 * recovery_open(r, root, buf, len, out, err):
 * The master key inside; the caller's. Errors: those of recovery_check();
 * ERR_AUTH also a wrong recovery key; ERR_NOMEM.
 */
NODISCARD int recovery_open(const struct recovery *r, const struct root *root,
    const uint8_t *buf, size_t len, struct master **out, struct err *err);

#endif
