#include "crypto/aead_internal.h"
#include "crypto/openssl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct aead {
	/* Keyed once; each call gives it a nonce and a direction. */
	EVP_CIPHER_CTX *ctx;
};

int
aead_new(const struct key32 *key, struct aead **out, struct err *err)
{
	AUTO(aead) struct aead *a = calloc(1, sizeof(*a));

	*out = NULL;
	if (a == NULL)
		return err_nomem(err);
	a->ctx = EVP_CIPHER_CTX_new();
	if (a->ctx == NULL)
		return err_nomem(err);
	if (EVP_EncryptInit_ex2(
		a->ctx, EVP_aes_256_gcm(), key->b, NULL, NULL) != 1)
		return openssl_fail(err, "AES-256-GCM");
	*out = STEAL(a);
	return 0;
}

void
aead_free(struct aead *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->ctx);
	free(a);
}

static void
counter_nonce(uint64_t counter, uint8_t nonce[AEAD_NONCE_LEN])
{
	for (size_t i = 0; i < AEAD_NONCE_LEN; i++) {
		nonce[AEAD_NONCE_LEN - 1 - i] = (uint8_t)counter;
		counter >>= 8;
	}
}

/* OpenSSL counts in int. */
static int
check_lengths(size_t adlen, size_t len, struct err *err)
{
	if (adlen > INT_MAX || len > INT_MAX - AEAD_TAG_LEN)
		return err_set(err, ERR_USAGE,
		    "%zu bytes are too many to seal at once", len);
	return 0;
}

/* Feed the associated data and the text; an empty part is left out. */
static bool
update(EVP_CIPHER_CTX *ctx, const void *ad, size_t adlen, const uint8_t *in,
    size_t len, uint8_t *out)
{
	int n;

	if (adlen > 0 && EVP_CipherUpdate(ctx, NULL, &n, ad, (int)adlen) != 1)
		return false;
	return len == 0 || EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1;
}

int
aead_seal_nonce(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN],
    const void *ad, size_t adlen, const uint8_t *pt, size_t len, uint8_t *out,
    struct err *err)
{
	int rc = check_lengths(adlen, len, err);
	int n;

	if (rc != 0)
		return rc;
	if (EVP_EncryptInit_ex2(a->ctx, NULL, NULL, nonce, NULL) != 1 ||
	    !update(a->ctx, ad, adlen, pt, len, out) ||
	    EVP_EncryptFinal_ex(a->ctx, out + len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(
		a->ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, out + len) != 1)
		return openssl_fail(err, "AES-256-GCM");
	return 0;
}

int
aead_open_nonce(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN],
    const void *ad, size_t adlen, const uint8_t *ct, size_t len, uint8_t *out,
    struct err *err)
{
	uint8_t tag[AEAD_TAG_LEN];
	size_t ptlen;
	int n, rc;

	if (len < AEAD_TAG_LEN)
		return err_set(err, ERR_CORRUPT,
		    "%zu bytes are too few to be sealed", len);
	ptlen = len - AEAD_TAG_LEN;
	rc = check_lengths(adlen, ptlen, err);
	if (rc != 0)
		return rc;
	/* Copied, since ${out} may be ${ct}, and OpenSSL wants no const. */
	memcpy(tag, ct + ptlen, sizeof(tag));
	if (EVP_DecryptInit_ex2(a->ctx, NULL, NULL, nonce, NULL) != 1 ||
	    EVP_CIPHER_CTX_ctrl(
		a->ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, tag) != 1)
		return openssl_fail(err, "AES-256-GCM");
	if (!update(a->ctx, ad, adlen, ct, ptlen, out) ||
	    EVP_DecryptFinal_ex(a->ctx, tag, &n) != 1) {
		secret_wipe(out, ptlen);
		openssl_clear();
		return err_set(err, ERR_AUTH, "wrong key, or tampered bytes");
	}
	return 0;
}

int
aead_seal(struct aead *a, uint64_t counter, const void *ad, size_t adlen,
    const uint8_t *pt, size_t len, uint8_t *out, struct err *err)
{
	uint8_t nonce[AEAD_NONCE_LEN];

	counter_nonce(counter, nonce);
	return aead_seal_nonce(a, nonce, ad, adlen, pt, len, out, err);
}

int
aead_open(struct aead *a, uint64_t counter, const void *ad, size_t adlen,
    const uint8_t *ct, size_t len, uint8_t *out, struct err *err)
{
	uint8_t nonce[AEAD_NONCE_LEN];

	counter_nonce(counter, nonce);
	return aead_open_nonce(a, nonce, ad, adlen, ct, len, out, err);
}
