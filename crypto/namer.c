#include "crypto/namer.h"
#include "crypto/bytes.h"
#include "crypto/hash_internal.h"
#include "crypto/kdf.h"
#include "crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <stdlib.h>
#include <string.h>

#define BLOCK 16
#define KEY_PREFIX "varve/1/"

struct namer {
	EVP_MAC_CTX *mac[CHUNK_KINDS]; /* keyed once, restarted per chunk */
	EVP_CIPHER_CTX *cut;
	uint8_t chain[BLOCK]; /* the last block that cut gave out */
};

/* KEYS.md 'Names and cuts': each use of the id key has a key of its own. */
static int
subkey(const struct id_key *key, const char *label, struct key32 *out,
    struct err *err)
{
	return hkdf(NULL, 0, key->b, sizeof(key->b), label, strlen(label),
	    out->b, sizeof(out->b), err);
}

static int
new_mac(const struct id_key *key, const char *label, EVP_MAC_CTX **out,
    struct err *err)
{
	AUTO(evp_mac_st) EVP_MAC *mac = NULL;
	WIPE struct key32 k = {0};
	char digest[] = OSSL_DIGEST_NAME_SHA2_256;
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end(),
	};
	int rc = subkey(key, label, &k, err);

	if (rc != 0)
		return rc;
	mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	*out = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	if (*out == NULL || EVP_MAC_init(*out, k.b, sizeof(k.b), params) != 1)
		return openssl_fail(err, "HMAC-SHA256");
	return 0;
}

static int
new_cut(const struct id_key *key, EVP_CIPHER_CTX **out, struct err *err)
{
	static const uint8_t zero[BLOCK];
	WIPE struct key32 k = {0};
	int rc = subkey(key, KEY_PREFIX "cut", &k, err);

	if (rc != 0)
		return rc;
	*out = EVP_CIPHER_CTX_new();
	if (*out == NULL ||
	    EVP_EncryptInit_ex2(*out, EVP_aes_256_cbc(), k.b, zero, NULL) !=
		1 ||
	    EVP_CIPHER_CTX_set_padding(*out, 0) != 1)
		return openssl_fail(err, "AES-256-CBC");
	return 0;
}

int
namer_new(const struct id_key *key, struct namer **out, struct err *err)
{
	static const char *const labels[CHUNK_KINDS] = {
	    [CHUNK_DATA] = KEY_PREFIX "name/data",
	    [CHUNK_LIST] = KEY_PREFIX "name/list",
	    [CHUNK_TREE] = KEY_PREFIX "name/tree",
	};
	AUTO(namer) struct namer *n = calloc(1, sizeof(*n));
	int rc;

	*out = NULL;
	if (n == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < CHUNK_KINDS; i++) {
		rc = new_mac(key, labels[i], &n->mac[i], err);
		if (rc != 0)
			return rc;
	}
	rc = new_cut(key, &n->cut, err);
	if (rc != 0)
		return rc;
	*out = STEAL(n);
	return 0;
}

void
namer_free(struct namer *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < CHUNK_KINDS; i++)
		EVP_MAC_CTX_free(n->mac[i]);
	EVP_CIPHER_CTX_free(n->cut);
	free(n);
}

int
namer_name(struct namer *n, enum chunk_kind kind, const void *buf, size_t len,
    struct chunk_name *out, struct err *err)
{
	EVP_MAC_CTX *mac = n->mac[kind];
	const uint8_t *p = buf;
	size_t piece, outlen;
	/* No key: start over under the one it has. */
	bool ok = EVP_MAC_init(mac, NULL, 0, NULL) == 1;

	for (; ok && len > 0; p += piece, len -= piece) {
		piece = hash_piece(p, len);
		ok = EVP_MAC_update(mac, p, piece) == 1;
	}
	if (!ok || EVP_MAC_final(mac, out->b, &outlen, sizeof(out->b)) != 1)
		return openssl_fail(err, "HMAC-SHA256");
	return 0;
}

/*
 * CBC-MAC starts from a zero vector. Setting it anew costs more than the four
 * blocks, so the chain runs on, and what it would mix into the first block is
 * taken out beforehand.
 */
int
namer_cut(struct namer *n, const uint8_t window[CUT_WINDOW], uint64_t *out,
    struct err *err)
{
	uint8_t buf[CUT_WINDOW];
	uint64_t v = 0;
	int len;

	memcpy(buf, window, CUT_WINDOW);
	for (size_t i = 0; i < BLOCK; i++)
		buf[i] ^= n->chain[i];
	if (EVP_EncryptUpdate(n->cut, buf, &len, buf, CUT_WINDOW) != 1)
		return openssl_fail(err, "AES-256-CBC");
	memcpy(n->chain, buf + CUT_WINDOW - BLOCK, BLOCK);
	for (size_t i = 0; i < sizeof(v); i++)
		v |= (uint64_t)n->chain[i] << (8 * i);
	*out = v;
	return 0;
}

int
namer_local_key(const struct id_key *key, const char *label, struct key32 *out,
    struct err *err)
{
	WR_AUTO struct wr info = {0};

	wr_bytes(&info, KEY_PREFIX "local/", strlen(KEY_PREFIX "local/"));
	wr_bytes(&info, label, strlen(label));
	if (info.failed)
		return err_nomem(err);
	return hkdf(NULL, 0, key->b, sizeof(key->b), info.buf, info.len, out->b,
	    sizeof(out->b), err);
}
