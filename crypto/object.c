#include "crypto/object.h"

#include <string.h>

#define MAGIC "VRV"
#define MAGIC_LEN 3

void
object_head_write(struct wr *w, char letter)
{
	wr_bytes(w, MAGIC, MAGIC_LEN);
	wr_u8(w, (uint8_t)letter);
	wr_u16(w, OBJECT_VERSION);
	wr_u16(w, 0);
}

int
object_head_read(struct rd *r, char letter, const char *what, struct err *err)
{
	const uint8_t *magic = rd_bytes(r, MAGIC_LEN);
	uint8_t type = rd_u8(r);
	uint16_t version = rd_u16(r);
	uint16_t zero = rd_u16(r);

	if (r->failed || memcmp(magic, MAGIC, MAGIC_LEN) != 0 ||
	    type != (uint8_t)letter)
		return err_set(err, ERR_CORRUPT, "not a %s", what);
	/* Before the rest: what follows is up to the version. */
	if (version != OBJECT_VERSION)
		return err_set(err, ERR_VERSION,
		    "%s of version %u, this program knows version %u", what,
		    version, OBJECT_VERSION);
	if (zero != 0)
		return err_set(err, ERR_CORRUPT, "malformed %s", what);
	return 0;
}

/*
 * What is signed, or bound to what is sealed. The label keeps it from passing
 * for another kind of object; its zero byte, from running into what follows.
 */
static void
put_labeled(struct wr *w, const char *label, const void *buf, size_t len)
{
	wr_bytes(w, label, strlen(label) + 1);
	wr_bytes(w, buf, len);
}

int
object_seal(struct wr *w, const char *label, const struct x25519_public *to,
    const void *keys, size_t len, struct err *err)
{
	WR_AUTO struct wr info = {0};
	uint8_t *sealed;

	put_labeled(&info, label, w->buf, w->len);
	wr_varint(w, len + HPKE_OVERHEAD);
	sealed = wr_space(w, len + HPKE_OVERHEAD);
	if (info.failed || sealed == NULL)
		return err_nomem(err);
	return hpke_seal(
	    to, info.buf, info.len, NULL, 0, keys, len, sealed, err);
}

int
object_unseal(const uint8_t *buf, size_t clear, const char *label,
    const struct x25519_private *priv, const struct x25519_public *pub,
    const uint8_t *sealed, size_t len, struct wr *keys, struct err *err)
{
	WR_AUTO struct wr info = {0};
	size_t start = keys->len;
	uint8_t *dst;
	int rc;

	if (len < HPKE_OVERHEAD)
		return err_set(err, ERR_CORRUPT,
		    "%zu bytes are too few to be sealed", len);
	put_labeled(&info, label, buf, clear);
	dst = wr_space(keys, len - HPKE_OVERHEAD);
	if (info.failed || dst == NULL)
		return err_nomem(err);
	rc = hpke_open(
	    priv, pub, info.buf, info.len, NULL, 0, sealed, len, dst, err);
	if (rc != 0)
		keys->len = start;
	return rc;
}

int
object_sign(struct wr *w, const char *label, const struct ed25519_private *priv,
    struct err *err)
{
	WR_AUTO struct wr msg = {0};
	uint8_t sig[SIGNATURE_LEN];
	int rc;

	put_labeled(&msg, label, w->buf, w->len);
	if (w->failed || msg.failed)
		return err_nomem(err);
	rc = sign_make(priv, msg.buf, msg.len, sig, err);
	if (rc != 0)
		return rc;
	wr_bytes(w, sig, sizeof(sig));
	return w->failed ? err_nomem(err) : 0;
}

int
object_check(const uint8_t *buf, size_t len, const char *label,
    const struct ed25519_public *pub, struct err *err)
{
	WR_AUTO struct wr msg = {0};

	if (len < SIGNATURE_LEN)
		return err_set(err, ERR_CORRUPT, "too short to be signed");
	put_labeled(&msg, label, buf, len - SIGNATURE_LEN);
	if (msg.failed)
		return err_nomem(err);
	return sign_check(
	    pub, msg.buf, msg.len, buf + len - SIGNATURE_LEN, err);
}
