#ifndef CRYPTO_KEYSET_H
#define CRYPTO_KEYSET_H

/*
 * A dataset's key set for one epoch, and the record that keeps it for admins.
 * Source: KEYS.md 'Key sets'. Thread: safe.
 */
#include "crypto/packkey.h"
#include "crypto/root.h"

#define DATASET_NAME_MAX 255
#define KEYSET_OBJECT_MAX 4096

/* Lives in secret memory. Without has_private only writing is possible. */
struct keyset {
	uint8_t dataset[DATASET_ID_LEN];
	char name[DATASET_NAME_MAX + 1];
	uint32_t epoch; /* from 1 */
	bool has_private;
	struct x25519_public seal_pub;
	struct x25519_private seal; /* zero unless has_private */
	struct id_key id;           /* the same in every epoch */
	struct index_key index;
};

/**
 * keyset_new(name, out, err): A new dataset's first epoch; the caller's.
 * Errors: those of keyset_name_check(); ERR_NOMEM.
 */
NODISCARD int keyset_new(
    const char *name, struct keyset **out, struct err *err);

/**
 * keyset_next(prev, out, err): The next epoch: new seal and index keys; the
 * caller's.
 */
NODISCARD int keyset_next(
    const struct keyset *prev, struct keyset **out, struct err *err);
void keyset_free(struct keyset *ks);
DEFINE_AUTO(keyset, keyset_free)

/**
 * keyset_name_check(name, err):
 * Whether ${name} can name a dataset: 1 to 255 bytes of UTF-8, folders
 * separated by single '/', no folder empty, '.', '..', 'latest', starting with
 * '@' or '-', or looking like a date (YYYY-MM-DD); no control characters, no
 * '@' and no ':'. Errors: ERR_USAGE, saying which rule.
 */
NODISCARD int keyset_name_check(const char *name, struct err *err);
/**
 * keyset_name_check_new(name, err):
 * The same, of a dataset that is to be made: nor has it characters that don't
 * show (utf8_plain()), or a folder that starts or ends with a blank.
 */
NODISCARD int keyset_name_check_new(const char *name, struct err *err);

/*
 * What a role is given: the bytes inside a grant (never stored as they are).
 * Encode into a secret writer; asking for a private half that isn't there makes
 * it fail. Decoding takes all that ${r} has left, and refuses leftovers.
 */
void keyset_encode(const struct keyset *ks, bool with_private, struct wr *w);
NODISCARD int keyset_decode(struct rd *r, struct keyset **out, struct err *err);
/** keyset_decode_name(r, name, err): The dataset's name alone. ERR_CORRUPT. */
NODISCARD int keyset_decode_name(
    struct rd *r, char name[DATASET_NAME_MAX + 1], struct err *err);

/**
 * keyset_seal(ks, root, admin, master, w, err):
 * Append the key set object: the whole key set sealed to the master key, signed
 * by the admin (or, after a recovery, by the master key: ${admin} NULL).
 * Errors: ERR_USAGE without the private half, or nobody to sign; ERR_NOMEM.
 */
NODISCARD int keyset_seal(const struct keyset *ks, const struct root *root,
    const struct identity *admin, const struct master *master, struct wr *w,
    struct err *err);

/* The part of a key set object that is in the clear. */
struct keyset_head {
	uint8_t dataset[DATASET_ID_LEN];
	uint32_t epoch;
	uint8_t signer[IDENTITY_ID_LEN]; /* zero: the master key */
};
/** keyset_peek(): Parse; nothing is checked. ERR_CORRUPT; ERR_VERSION. */
NODISCARD int keyset_peek(
    const uint8_t *buf, size_t len, struct keyset_head *out, struct err *err);

/**
 * keyset_check(buf, len, root, signer, err):
 * What of it can be checked without the master key: that ${signer} (an admin;
 * NULL: the master key) signed it, and for this store. Errors: keyset_open()'s.
 */
NODISCARD int keyset_check(const uint8_t *buf, size_t len,
    const struct root *root, const struct ed25519_public *signer,
    struct err *err);

/**
 * keyset_open(buf, len, root, signer, master, out, err):
 * Check the signature by ${signer} (the caller has found that it is an admin;
 * NULL: the master key) and unseal.
 * Errors: ERR_AUTH not signed so, tampered, or of another store; ERR_CORRUPT;
 * ERR_VERSION.
 */
NODISCARD int keyset_open(const uint8_t *buf, size_t len,
    const struct root *root, const struct ed25519_public *signer,
    const struct master *master, struct keyset **out, struct err *err);

/**
 * keyset_claim(buf, len, master, name, err):
 * What the key set calls its dataset. Anybody may have said so: neither the
 * signature is checked nor what the head says. So it takes a third of
 * keyset_open()'s time, and is good for choosing what to open.
 * Errors: ERR_AUTH; ERR_CORRUPT; ERR_VERSION.
 */
NODISCARD int keyset_claim(const uint8_t *buf, size_t len,
    const struct master *master, char name[DATASET_NAME_MAX + 1],
    struct err *err);

#endif
