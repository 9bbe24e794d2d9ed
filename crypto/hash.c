#include "crypto/hash.h"
#include "crypto/hash_internal.h"
#include "crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

int
sha256(const void *buf, size_t len, uint8_t out[HASH_LEN], struct err *err)
{
	if (EVP_Digest(buf, len, out, NULL, EVP_sha256(), NULL) != 1)
		return openssl_fail(err, "SHA-256");
	return 0;
}

struct sha256_ctx {
	EVP_MD_CTX *md;
};

int
sha256_new(struct sha256_ctx **out, struct err *err)
{
	AUTO(sha256_ctx) struct sha256_ctx *ctx = calloc(1, sizeof(*ctx));

	*out = NULL;
	if (ctx == NULL)
		return err_nomem(err);
	ctx->md = EVP_MD_CTX_new();
	if (ctx->md == NULL)
		return err_nomem(err);
	if (EVP_DigestInit_ex2(ctx->md, EVP_sha256(), NULL) != 1)
		return openssl_fail(err, "SHA-256");
	*out = STEAL(ctx);
	return 0;
}

int
sha256_update(
    struct sha256_ctx *ctx, const void *buf, size_t len, struct err *err)
{
	const uint8_t *p = buf;

	for (size_t n; len > 0; p += n, len -= n) {
		n = hash_piece(p, len);
		if (EVP_DigestUpdate(ctx->md, p, n) != 1)
			return openssl_fail(err, "SHA-256");
	}
	return 0;
}

int
sha256_final(struct sha256_ctx *ctx, uint8_t out[HASH_LEN], struct err *err)
{
	if (EVP_DigestFinal_ex(ctx->md, out, NULL) != 1 ||
	    EVP_DigestInit_ex2(ctx->md, NULL, NULL) != 1)
		return openssl_fail(err, "SHA-256");
	return 0;
}

void
sha256_free(struct sha256_ctx *ctx)
{
	if (ctx == NULL)
		return;
	EVP_MD_CTX_free(ctx->md);
	free(ctx);
}

int
hmac_sha256(const void *key, size_t keylen, const void *buf, size_t len,
    uint8_t out[HASH_LEN], struct err *err)
{
	/* OpenSSL takes a null pointer for 'no key', not for an empty one. */
	const void *k = keylen > 0 ? key : "";

	if (EVP_Q_mac(NULL, OSSL_MAC_NAME_HMAC, NULL, OSSL_DIGEST_NAME_SHA2_256,
		NULL, k, keylen, buf, len, out, HASH_LEN, NULL) == NULL)
		return openssl_fail(err, "HMAC-SHA256");
	return 0;
}

int
random_bytes(void *buf, size_t len, struct err *err)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "cannot get random bytes");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

bool
ct_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
