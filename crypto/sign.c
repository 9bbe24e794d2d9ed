#include "crypto/sign.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"

static EVP_PKEY *
load_private(const struct ed25519_private *priv)
{
	return EVP_PKEY_new_raw_private_key_ex(
	    NULL, "ED25519", NULL, priv->b, sizeof(priv->b));
}

int
sign_keypair(
    struct ed25519_private *priv, struct ed25519_public *pub, struct err *err)
{
	int rc = random_bytes(priv->b, sizeof(priv->b), err);

	return rc != 0 ? rc : sign_public(priv, pub, err);
}

int
sign_public(const struct ed25519_private *priv, struct ed25519_public *pub,
    struct err *err)
{
	AUTO(evp_pkey_st) EVP_PKEY *key = load_private(priv);
	size_t len = sizeof(pub->b);

	if (key == NULL || EVP_PKEY_get_raw_public_key(key, pub->b, &len) != 1)
		return openssl_fail(err, "Ed25519");
	return 0;
}

int
sign_make(const struct ed25519_private *priv, const void *msg, size_t len,
    uint8_t sig[SIGNATURE_LEN], struct err *err)
{
	AUTO(evp_pkey_st) EVP_PKEY *key = load_private(priv);
	AUTO(evp_md_ctx_st) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t siglen = SIGNATURE_LEN;

	if (key == NULL || ctx == NULL ||
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(ctx, sig, &siglen, msg, len) != 1)
		return openssl_fail(err, "Ed25519");
	return 0;
}

int
sign_check(const struct ed25519_public *pub, const void *msg, size_t len,
    const uint8_t sig[SIGNATURE_LEN], struct err *err)
{
	AUTO(evp_pkey_st)
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(
	    NULL, "ED25519", NULL, pub->b, sizeof(pub->b));
	AUTO(evp_md_ctx_st) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (key == NULL || ctx == NULL ||
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1)
		return openssl_fail(err, "Ed25519");
	if (EVP_DigestVerify(ctx, sig, SIGNATURE_LEN, msg, len) != 1) {
		openssl_clear();
		return err_set(err, ERR_AUTH, "the signature does not hold");
	}
	return 0;
}
