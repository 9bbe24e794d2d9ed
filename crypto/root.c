#include "crypto/root.h"
#include "crypto/base32.h"
#include "crypto/hash.h"
#include "crypto/object.h"

#include <string.h>

#define LETTER 's'
#define SIGN_LABEL "varve/1/sign/root"

_Static_assert(BASE32_TEXT(FINGERPRINT_LEN) <= FINGERPRINT_TEXT,
    "a fingerprint fits its text");

int
root_create(const struct identity *admin, const struct master *master,
    int64_t created, struct wr *w, struct root *out, struct err *err)
{
	WR_AUTO struct wr o = {0};
	uint8_t store[STORE_ID_LEN];
	int rc = random_bytes(store, sizeof(store), err);

	if (rc != 0)
		return rc;
	object_head_write(&o, LETTER);
	wr_bytes(&o, store, sizeof(store));
	wr_u64(&o, (uint64_t)created);
	identity_public_encode(&admin->pub, &o);
	wr_bytes(&o, master->seal_pub.b, sizeof(master->seal_pub.b));
	wr_bytes(&o, master->sign_pub.b, sizeof(master->sign_pub.b));
	rc = object_sign(&o, SIGN_LABEL, &admin->sign, err);
	if (rc != 0)
		return rc;
	wr_bytes(w, o.buf, o.len);
	if (w->failed)
		return err_nomem(err);
	return root_decode(o.buf, o.len, out, err);
}

int
root_decode(const uint8_t *buf, size_t len, struct root *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	int rc = object_head_read(&r, LETTER, "root of a store", err);

	*out = (struct root){0};
	if (rc != 0)
		return rc;
	rd_copy(&r, out->store, sizeof(out->store));
	out->created = (int64_t)rd_u64(&r);
	rc = identity_public_decode(&r, &out->admin, err);
	if (rc != 0)
		return err_wrap(err, "root of a store");
	rd_copy(&r, out->master_seal.b, sizeof(out->master_seal.b));
	rd_copy(&r, out->master_sign.b, sizeof(out->master_sign.b));
	(void)rd_bytes(&r, SIGNATURE_LEN);
	if (!rd_done(&r) || len > ROOT_OBJECT_MAX)
		return err_set(err, ERR_CORRUPT, "malformed root of a store");
	rc = object_check(buf, len, SIGN_LABEL, &out->admin.sign, err);
	if (rc != 0)
		return err_wrap(err, "root of a store");
	return sha256(buf, len, out->fingerprint, err);
}

void
root_fingerprint_text(
    const uint8_t fp[FINGERPRINT_LEN], char out[FINGERPRINT_TEXT])
{
	base32_encode(fp, FINGERPRINT_LEN, out);
}

int
root_fingerprint_parse(
    const char *text, uint8_t fp[FINGERPRINT_LEN], struct err *err)
{
	if (base32_decode(text, fp, FINGERPRINT_LEN))
		return 0;
	return err_set(err, ERR_USAGE,
	    "'%s' is not a fingerprint: 13 groups of 4 characters, as"
	    " 'varve init' printed it",
	    text);
}
