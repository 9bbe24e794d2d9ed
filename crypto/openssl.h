#ifndef CRYPTO_OPENSSL_H
#define CRYPTO_OPENSSL_H

/* Private to this folder: what its files share in dealing with OpenSSL. */
#include "crypto/err.h"

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/kdf.h>

DEFINE_AUTO(evp_pkey_st, EVP_PKEY_free)
DEFINE_AUTO(evp_pkey_ctx_st, EVP_PKEY_CTX_free)
DEFINE_AUTO(evp_kdf_st, EVP_KDF_free)
DEFINE_AUTO(evp_kdf_ctx_st, EVP_KDF_CTX_free)
DEFINE_AUTO(evp_mac_st, EVP_MAC_free)
DEFINE_AUTO(evp_md_ctx_st, EVP_MD_CTX_free)

/**
 * openssl_fail(err, what):
 * Record that OpenSSL failed at ${what}, where no input can make it fail:
 * ERR_NOMEM or ERR_BUG. Empties this thread's OpenSSL error queue.
 */
int openssl_fail(struct err *err, const char *what);

/** openssl_clear(): Empty this thread's OpenSSL error queue. */
void openssl_clear(void);

#endif
