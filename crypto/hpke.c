#include "crypto/hash.h"
#include "crypto/hpke_internal.h"

#include <string.h>

#define MODE_BASE 0

/* KEM 0x0020, KDF 0x0001, AEAD 0x0002. */
static const struct hpke_suite SUITE = {
    .b = "HPKE\x00\x20\x00\x01\x00\x02", .len = 10};

/* What the key schedule binds: the mode, no PSK, and ${info}. */
struct schedule_input {
	uint8_t b[1 + 2 * HASH_LEN];
};

static int
schedule_input(const void *info, size_t infolen, struct schedule_input *out,
    struct err *err)
{
	struct key32 psk_id_hash, info_hash;
	int rc = hpke_labeled_extract(
	    &SUITE, NULL, 0, "psk_id_hash", NULL, 0, &psk_id_hash, err);

	if (rc == 0)
		rc = hpke_labeled_extract(&SUITE, NULL, 0, "info_hash", info,
		    infolen, &info_hash, err);
	if (rc != 0)
		return rc;
	out->b[0] = MODE_BASE;
	memcpy(out->b + 1, psk_id_hash.b, HASH_LEN);
	memcpy(out->b + 1 + HASH_LEN, info_hash.b, HASH_LEN);
	return 0;
}

int
hpke_schedule(const struct key32 *shared, const void *info, size_t infolen,
    struct hpke_context *out, struct err *err)
{
	WIPE struct key32 secret = {0};
	struct schedule_input in;
	int rc = schedule_input(info, infolen, &in, err);

	if (rc == 0)
		rc = hpke_labeled_extract(&SUITE, shared->b, sizeof(shared->b),
		    "secret", NULL, 0, &secret, err);
	if (rc == 0)
		rc = hpke_labeled_expand(&SUITE, &secret, "key", in.b,
		    sizeof(in.b), out->key.b, sizeof(out->key.b), err);
	if (rc == 0)
		rc = hpke_labeled_expand(&SUITE, &secret, "base_nonce", in.b,
		    sizeof(in.b), out->nonce, sizeof(out->nonce), err);
	if (rc == 0)
		rc = hpke_labeled_expand(&SUITE, &secret, "exp", in.b,
		    sizeof(in.b), out->exporter.b, sizeof(out->exporter.b),
		    err);
	return rc;
}

int
hpke_export(const struct hpke_context *ctx, const char *label,
    struct key32 *out, struct err *err)
{
	return hpke_labeled_expand(&SUITE, &ctx->exporter, "sec", label,
	    strlen(label), out->b, sizeof(out->b), err);
}

static void
wipe_context(struct hpke_context *ctx)
{
	secret_wipe(ctx, sizeof(*ctx));
}
#define WIPE_CONTEXT __attribute__((cleanup(wipe_context)))

/* SetupBaseS, with the given ephemeral pair: its public half is enc. */
static int
setup_send(const struct hpke_pair *ephemeral, const struct x25519_public *to,
    const void *info, size_t infolen, struct hpke_context *out, struct err *err)
{
	WIPE struct key32 shared = {0};
	int rc = hpke_encap(to, ephemeral, &shared, err);

	return rc != 0 ? rc : hpke_schedule(&shared, info, infolen, out, err);
}

/* SetupBaseR. */
static int
setup_receive(const struct x25519_private *priv,
    const struct x25519_public *pub, const uint8_t enc[HPKE_ENC_LEN],
    const void *info, size_t infolen, struct hpke_context *out, struct err *err)
{
	WIPE struct key32 shared = {0};
	int rc = hpke_decap(priv, pub, enc, &shared, err);

	return rc != 0 ? rc : hpke_schedule(&shared, info, infolen, out, err);
}

int
hpke_seal_with(const struct hpke_pair *ephemeral,
    const struct x25519_public *to, const void *info, size_t infolen,
    const void *ad, size_t adlen, const void *pt, size_t ptlen, uint8_t *out,
    struct err *err)
{
	WIPE_CONTEXT struct hpke_context ctx = {0};
	AUTO(aead) struct aead *a = NULL;
	int rc = setup_send(ephemeral, to, info, infolen, &ctx, err);

	if (rc == 0)
		rc = aead_new(&ctx.key, &a, err);
	if (rc != 0)
		return rc;
	memcpy(out, ephemeral->pub.b, HPKE_ENC_LEN);
	/* One message, so sequence number 0: the nonce is base_nonce. */
	return aead_seal_nonce(
	    a, ctx.nonce, ad, adlen, pt, ptlen, out + HPKE_ENC_LEN, err);
}

int
hpke_seal(const struct x25519_public *to, const void *info, size_t infolen,
    const void *ad, size_t adlen, const void *pt, size_t ptlen, uint8_t *out,
    struct err *err)
{
	WIPE struct hpke_pair ephemeral = {0};
	int rc = hpke_keypair(&ephemeral.priv, &ephemeral.pub, err);

	if (rc != 0)
		return rc;
	return hpke_seal_with(
	    &ephemeral, to, info, infolen, ad, adlen, pt, ptlen, out, err);
}

int
hpke_open(const struct x25519_private *priv, const struct x25519_public *pub,
    const void *info, size_t infolen, const void *ad, size_t adlen,
    const void *box, size_t boxlen, uint8_t *out, struct err *err)
{
	WIPE_CONTEXT struct hpke_context ctx = {0};
	AUTO(aead) struct aead *a = NULL;
	const uint8_t *enc = box;
	int rc;

	if (boxlen < HPKE_OVERHEAD)
		return err_set(err, ERR_CORRUPT,
		    "%zu bytes are too few to be sealed", boxlen);
	memset(out, 0, boxlen - HPKE_OVERHEAD);
	rc = setup_receive(priv, pub, enc, info, infolen, &ctx, err);
	if (rc == 0)
		rc = aead_new(&ctx.key, &a, err);
	if (rc != 0)
		return rc;
	return aead_open_nonce(a, ctx.nonce, ad, adlen, enc + HPKE_ENC_LEN,
	    boxlen - HPKE_ENC_LEN, out, err);
}

int
hpke_export_send(const struct x25519_public *to, const void *info,
    size_t infolen, const char *label, uint8_t enc[HPKE_ENC_LEN],
    struct key32 *secret, struct err *err)
{
	WIPE_CONTEXT struct hpke_context ctx = {0};
	WIPE struct hpke_pair ephemeral = {0};
	int rc = hpke_keypair(&ephemeral.priv, &ephemeral.pub, err);

	if (rc == 0)
		rc = setup_send(&ephemeral, to, info, infolen, &ctx, err);
	if (rc != 0)
		return rc;
	memcpy(enc, ephemeral.pub.b, HPKE_ENC_LEN);
	return hpke_export(&ctx, label, secret, err);
}

int
hpke_export_receive(const struct x25519_private *priv,
    const struct x25519_public *pub, const uint8_t enc[HPKE_ENC_LEN],
    const void *info, size_t infolen, const char *label, struct key32 *secret,
    struct err *err)
{
	WIPE_CONTEXT struct hpke_context ctx = {0};
	int rc = setup_receive(priv, pub, enc, info, infolen, &ctx, err);

	return rc != 0 ? rc : hpke_export(&ctx, label, secret, err);
}
