#ifndef CRYPTO_HPKE_INTERNAL_H
#define CRYPTO_HPKE_INTERNAL_H

/*
 * Private to this folder and its tests: the parts of HPKE, and the sender with
 * an ephemeral key that the caller chose, so that published vectors can be
 * reproduced. Nobody else may choose it: it must be fresh for every message.
 */
#include "crypto/aead_internal.h"
#include "crypto/bytes.h"
#include "crypto/hpke.h"

/* An X25519 pair that makes or opens one encapsulation. */
struct hpke_pair {
	struct x25519_private priv; /* first, for WIPE */
	struct x25519_public pub;
};

/* RFC 9180 5.1: what both sides hold after the key schedule. */
struct hpke_context {
	struct key32 key;
	struct key32 exporter;
	uint8_t nonce[AEAD_NONCE_LEN];
};

/* A suite id: RFC 9180 4.1 (the KEM's) or 5.1 (of the whole). */
struct hpke_suite {
	uint8_t b[10];
	size_t len;
};

/** hpke_labeled_extract(), hpke_labeled_expand(): RFC 9180 4. */
NODISCARD int hpke_labeled_extract(const struct hpke_suite *suite,
    const void *salt, size_t saltlen, const char *label, const void *ikm,
    size_t ikmlen, struct key32 *prk, struct err *err);
NODISCARD int hpke_labeled_expand(const struct hpke_suite *suite,
    const struct key32 *prk, const char *label, const void *info,
    size_t infolen, void *out, uint16_t outlen, struct err *err);

/** hpke_encap(), hpke_decap(): RFC 9180 4.1, DHKEM(X25519, HKDF-SHA256). */
NODISCARD int hpke_encap(const struct x25519_public *to,
    const struct hpke_pair *ephemeral, struct key32 *shared, struct err *err);
NODISCARD int hpke_decap(const struct x25519_private *priv,
    const struct x25519_public *pub, const uint8_t enc[HPKE_ENC_LEN],
    struct key32 *shared, struct err *err);

/** hpke_schedule(): RFC 9180 5.1, mode base. */
NODISCARD int hpke_schedule(const struct key32 *shared, const void *info,
    size_t infolen, struct hpke_context *out, struct err *err);

/** hpke_export(): RFC 9180 5.3, 32 bytes. */
NODISCARD int hpke_export(const struct hpke_context *ctx, const char *label,
    struct key32 *out, struct err *err);

/** hpke_seal_with(): hpke_seal() with the given ephemeral pair. */
NODISCARD int hpke_seal_with(const struct hpke_pair *ephemeral,
    const struct x25519_public *to, const void *info, size_t infolen,
    const void *ad, size_t adlen, const void *pt, size_t ptlen, uint8_t *out,
    struct err *err);

#endif
