#include "crypto/kdf.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <string.h>

/* What OpenSSL's HKDF accepts at least; nothing here needs more. */
#define INFO_MAX 1024
#define EXPAND_MAX (255 * HASH_LEN)
#define HKDF_INPUTS 3

/* OSSL_PARAM has no const variant for input. */
static OSSL_PARAM
octets(const char *name, const void *buf, size_t len)
{
	return OSSL_PARAM_construct_octet_string(
	    name, len > 0 ? (void *)buf : (void *)"", len);
}

static int
kdf_ctx(const char *name, EVP_KDF_CTX **out, struct err *err)
{
	AUTO(evp_kdf_st) EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);

	*out = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	return *out != NULL ? 0 : openssl_fail(err, name);
}

static int
hkdf_mode(int mode, const OSSL_PARAM *in, size_t n, void *out, size_t outlen,
    struct err *err)
{
	AUTO(evp_kdf_ctx_st) EVP_KDF_CTX *ctx = NULL;
	char digest[] = OSSL_DIGEST_NAME_SHA2_256;
	OSSL_PARAM params[HKDF_INPUTS + 3] = {
	    OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
	};
	int rc = kdf_ctx(OSSL_KDF_NAME_HKDF, &ctx, err);

	if (rc != 0)
		return rc;
	memcpy(params + 2, in, n * sizeof(*in));
	params[2 + n] = OSSL_PARAM_construct_end();
	if (EVP_KDF_derive(ctx, out, outlen, params) != 1)
		return openssl_fail(err, "HKDF");
	return 0;
}

int
hkdf_extract(const void *salt, size_t saltlen, const void *ikm, size_t ikmlen,
    struct key32 *prk, struct err *err)
{
	const OSSL_PARAM in[2] = {
	    octets(OSSL_KDF_PARAM_KEY, ikm, ikmlen),
	    octets(OSSL_KDF_PARAM_SALT, salt, saltlen),
	};

	return hkdf_mode(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, in, ARRAY_LEN(in),
	    prk->b, sizeof(prk->b), err);
}

static int
check_expand(size_t outlen, size_t infolen, struct err *err)
{
	if (outlen == 0 || outlen > EXPAND_MAX || infolen > INFO_MAX)
		return err_set(err, ERR_USAGE,
		    "HKDF of %zu bytes with %zu of info", outlen, infolen);
	return 0;
}

int
hkdf_expand(const struct key32 *prk, const void *info, size_t infolen,
    void *out, size_t outlen, struct err *err)
{
	const OSSL_PARAM in[2] = {
	    octets(OSSL_KDF_PARAM_KEY, prk->b, sizeof(prk->b)),
	    octets(OSSL_KDF_PARAM_INFO, info, infolen),
	};

	int rc = check_expand(outlen, infolen, err);

	if (rc != 0)
		return rc;
	return hkdf_mode(
	    EVP_KDF_HKDF_MODE_EXPAND_ONLY, in, ARRAY_LEN(in), out, outlen, err);
}

int
hkdf(const void *salt, size_t saltlen, const void *ikm, size_t ikmlen,
    const void *info, size_t infolen, void *out, size_t outlen, struct err *err)
{
	const OSSL_PARAM in[HKDF_INPUTS] = {
	    octets(OSSL_KDF_PARAM_KEY, ikm, ikmlen),
	    octets(OSSL_KDF_PARAM_SALT, salt, saltlen),
	    octets(OSSL_KDF_PARAM_INFO, info, infolen),
	};
	int rc = check_expand(outlen, infolen, err);

	if (rc != 0)
		return rc;
	/* In one go: setting up costs more than the hashing. */
	return hkdf_mode(EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, in, HKDF_INPUTS,
	    out, outlen, err);
}

int
scrypt_derive(const void *pass, size_t passlen, const void *salt,
    size_t saltlen, unsigned logn, uint32_t r, uint32_t p, void *out,
    size_t outlen, struct err *err)
{
	AUTO(evp_kdf_ctx_st) EVP_KDF_CTX *ctx = NULL;
	uint64_t n, max;
	int rc;

	if (logn < 1 || logn > 24 || r < 1 || r > 64 || p < 1 || p > 64)
		return err_set(err, ERR_USAGE,
		    "scrypt cost N=2^%u r=%u p=%u is out of range", logn, r, p);
	n = UINT64_C(1) << logn;
	/* The blocks, and OpenSSL's two spare ones. */
	max = 128 * (uint64_t)r * (n + p + 2);

	OSSL_PARAM params[] = {
	    octets(OSSL_KDF_PARAM_PASSWORD, pass, passlen),
	    octets(OSSL_KDF_PARAM_SALT, salt, saltlen),
	    OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
	    OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
	    OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
	    OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &max),
	    OSSL_PARAM_construct_end(),
	};

	rc = kdf_ctx(OSSL_KDF_NAME_SCRYPT, &ctx, err);
	if (rc != 0)
		return rc;
	if (EVP_KDF_derive(ctx, out, outlen, params) != 1)
		return openssl_fail(err, "scrypt");
	return 0;
}
