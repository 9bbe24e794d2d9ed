#include "crypto/tls_context.h"

#include "crypto/openssl.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

const unsigned char tls_alpn[TLS_ALPN_LEN] = {5, 'v', 'a', 'r', 'v', 'e'};

/* Fewer system calls: a record has at most 16 KiB. */
#define READ_AHEAD ((size_t)128 * 1024)

#define GROUPS "X25519"
#define CIPHERS "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

DEFINE_AUTO(x509_st, X509_free)
DEFINE_AUTO(ssl_ctx_st, SSL_CTX_free)

/*
 * Its dates say nothing: how long a key counts, its grant or statement says.
 * 9999-12-31 means 'no end' (RFC 5280 section 4.1.2.5).
 */
static int
fill_certificate(X509 *cert, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_set_version(cert, X509_VERSION_3) == 1 &&
	       ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
	       ASN1_TIME_set_string(
		   X509_getm_notBefore(cert), "19700101000000Z") == 1 &&
	       ASN1_TIME_set_string(
		   X509_getm_notAfter(cert), "99991231235959Z") == 1 &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		   (const unsigned char *)"varve", -1, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, name) == 1 &&
	       X509_set_pubkey(cert, key) == 1 &&
	       X509_sign(cert, key, NULL) != 0;
}

/* In place of a search for an authority: only the kind of key matters here. */
static int
accept_certificate(X509_STORE_CTX *store, UNUSED void *arg)
{
	const X509 *cert = X509_STORE_CTX_get0_cert(store);
	EVP_PKEY *key = cert != NULL ? X509_get0_pubkey(cert) : NULL;

	if (key != NULL && EVP_PKEY_is_a(key, "ED25519"))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_PURPOSE);
	return 0;
}

static int
select_alpn(UNUSED SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned inlen, UNUSED void *arg)
{
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, outlen, tls_alpn, sizeof(tls_alpn),
		in, inlen) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int
set_rules(SSL_CTX *ctx)
{
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, accept_certificate, NULL);
	SSL_CTX_set_alpn_select_cb(ctx, select_alpn, NULL);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
	       SSL_CTX_set_ciphersuites(ctx, CIPHERS) == 1 &&
	       SSL_CTX_set1_groups_list(ctx, GROUPS) == 1 &&
	       SSL_CTX_set1_sigalgs_list(ctx, "ed25519") == 1 &&
	       SSL_CTX_set_alpn_protos(ctx, tls_alpn, sizeof(tls_alpn)) == 0;
}

int
tls_context_new(
    const struct ed25519_private *priv, SSL_CTX **out, struct err *err)
{
	AUTO(evp_pkey_st)
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(
	    NULL, "ED25519", NULL, priv->b, sizeof(priv->b));
	AUTO(x509_st) X509 *cert = X509_new();
	AUTO(ssl_ctx_st) SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	if (key == NULL || cert == NULL || ctx == NULL ||
	    !fill_certificate(cert, key) || !set_rules(ctx) ||
	    SSL_CTX_use_certificate(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, key) != 1)
		return openssl_fail(err, "making a TLS certificate");
	*out = STEAL(ctx);
	return 0;
}
