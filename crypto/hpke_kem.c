#include "crypto/hash.h"
#include "crypto/hpke_internal.h"
#include "crypto/kdf.h"
#include "crypto/openssl.h"

#include <openssl/core_names.h>
#include <string.h>

static const struct hpke_suite KEM_SUITE = {.b = "KEM\x00\x20", .len = 5};

/* RFC 9180 4: "HPKE-v1", the suite and the label go in front of all input. */
static void
put_label(struct wr *w, const struct hpke_suite *suite, const char *label)
{
	static const char version[] = "HPKE-v1";

	wr_bytes(w, version, strlen(version));
	wr_bytes(w, suite->b, suite->len);
	wr_bytes(w, label, strlen(label));
}

int
hpke_labeled_extract(const struct hpke_suite *suite, const void *salt,
    size_t saltlen, const char *label, const void *ikm, size_t ikmlen,
    struct key32 *prk, struct err *err)
{
	WR_AUTO struct wr labeled = {.secret = true};

	put_label(&labeled, suite, label);
	wr_bytes(&labeled, ikm, ikmlen);
	if (labeled.failed)
		return err_nomem(err);
	return hkdf_extract(salt, saltlen, labeled.buf, labeled.len, prk, err);
}

int
hpke_labeled_expand(const struct hpke_suite *suite, const struct key32 *prk,
    const char *label, const void *info, size_t infolen, void *out,
    uint16_t outlen, struct err *err)
{
	WR_AUTO struct wr labeled = {0};

	/* RFC 9180 writes its integers in big-endian order. */
	wr_u8(&labeled, (uint8_t)(outlen >> 8));
	wr_u8(&labeled, (uint8_t)outlen);
	put_label(&labeled, suite, label);
	wr_bytes(&labeled, info, infolen);
	if (labeled.failed)
		return err_nomem(err);
	return hkdf_expand(prk, labeled.buf, labeled.len, out, outlen, err);
}

static EVP_PKEY *
load_private(const struct x25519_private *priv)
{
	return EVP_PKEY_new_raw_private_key_ex(
	    NULL, "X25519", NULL, priv->b, sizeof(priv->b));
}

/* Unlike load_private(), this doesn't compute the public half. */
static EVP_PKEY *
load_pair(const struct x25519_private *priv, const struct x25519_public *pub)
{
	AUTO(evp_pkey_ctx_st)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
	WIPE struct x25519_private s = *priv;
	struct x25519_public p = *pub;
	OSSL_PARAM params[] = {
	    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, s.b, sizeof(s.b)),
	    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, p.b, sizeof(p.b)),
	    OSSL_PARAM_END,
	};
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		return NULL;
	return key;
}

int
hpke_keypair(
    struct x25519_private *priv, struct x25519_public *pub, struct err *err)
{
	int rc = random_bytes(priv->b, sizeof(priv->b), err);

	return rc != 0 ? rc : hpke_public(priv, pub, err);
}

int
hpke_public(const struct x25519_private *priv, struct x25519_public *pub,
    struct err *err)
{
	AUTO(evp_pkey_st) EVP_PKEY *key = load_private(priv);
	size_t len = sizeof(pub->b);

	if (key == NULL || EVP_PKEY_get_raw_public_key(key, pub->b, &len) != 1)
		return openssl_fail(err, "X25519");
	return 0;
}

/*
 * X25519. Fails with ERR_AUTH for the few public keys that make the result
 * zero whatever the private key is, as RFC 9180 7.1.4 wants.
 */
static int
dh(EVP_PKEY *key, const uint8_t pub[KEY_LEN], struct key32 *out,
    struct err *err)
{
	AUTO(evp_pkey_st)
	EVP_PKEY *peer =
	    EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, pub, KEY_LEN);
	AUTO(evp_pkey_ctx_st) EVP_PKEY_CTX *ctx = NULL;
	size_t len = sizeof(out->b);

	if (key != NULL && peer != NULL)
		ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer) != 1)
		return openssl_fail(err, "X25519");
	if (EVP_PKEY_derive(ctx, out->b, &len) != 1) {
		openssl_clear();
		return err_set(err, ERR_AUTH, "public key of low order");
	}
	return 0;
}

/* RFC 9180 4.1 ExtractAndExpand, with kem_context = enc || pkRm. */
static int
extract_and_expand(const struct key32 *secret, const uint8_t enc[HPKE_ENC_LEN],
    const struct x25519_public *to, struct key32 *shared, struct err *err)
{
	WIPE struct key32 prk = {0};
	uint8_t context[HPKE_ENC_LEN + KEY_LEN];
	int rc;

	memcpy(context, enc, HPKE_ENC_LEN);
	memcpy(context + HPKE_ENC_LEN, to->b, KEY_LEN);
	rc = hpke_labeled_extract(&KEM_SUITE, NULL, 0, "eae_prk", secret->b,
	    sizeof(secret->b), &prk, err);
	if (rc != 0)
		return rc;
	return hpke_labeled_expand(&KEM_SUITE, &prk, "shared_secret", context,
	    sizeof(context), shared->b, sizeof(shared->b), err);
}

int
hpke_encap(const struct x25519_public *to, const struct hpke_pair *ephemeral,
    struct key32 *shared, struct err *err)
{
	AUTO(evp_pkey_st)
	EVP_PKEY *key = load_pair(&ephemeral->priv, &ephemeral->pub);
	WIPE struct key32 secret = {0};
	int rc = dh(key, to->b, &secret, err);

	if (rc != 0)
		return rc;
	return extract_and_expand(&secret, ephemeral->pub.b, to, shared, err);
}

int
hpke_decap(const struct x25519_private *priv, const struct x25519_public *pub,
    const uint8_t enc[HPKE_ENC_LEN], struct key32 *shared, struct err *err)
{
	AUTO(evp_pkey_st) EVP_PKEY *key = load_pair(priv, pub);
	WIPE struct key32 secret = {0};
	int rc = dh(key, enc, &secret, err);

	if (rc != 0)
		return rc;
	return extract_and_expand(&secret, enc, pub, shared, err);
}
