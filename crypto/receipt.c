#include "crypto/receipt.h"
#include "crypto/object.h"

#include <string.h>

#define LETTER 'e'
#define SIGN_LABEL "varve/1/sign/receipt"

int
receipt_make(const struct receipt *r, const struct identity *key,
    uint8_t out[RECEIPT_LEN], struct err *err)
{
	WR_AUTO struct wr w = {0};
	int rc;

	object_head_write(&w, LETTER);
	wr_bytes(&w, r->store, STORE_ID_LEN);
	wr_bytes(&w, key->pub.id, IDENTITY_ID_LEN);
	wr_bytes(&w, r->dataset, RECEIPT_DATASET_LEN);
	wr_u64(&w, r->seq);
	wr_bytes(&w, r->head, RECEIPT_NAME_LEN);
	wr_u64(&w, (uint64_t)r->time);
	rc = object_sign(&w, SIGN_LABEL, &key->sign, err);
	if (rc != 0)
		return rc;
	if (w.len != RECEIPT_LEN)
		return err_set(err, ERR_BUG, "a receipt of %zu bytes", w.len);
	memcpy(out, w.buf, RECEIPT_LEN);
	return 0;
}

int
receipt_peek(
    const uint8_t *buf, size_t len, struct receipt *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	int rc = object_head_read(&r, LETTER, "receipt", err);

	*out = (struct receipt){0};
	if (rc != 0)
		return rc;
	rd_copy(&r, out->store, STORE_ID_LEN);
	rd_copy(&r, out->site, IDENTITY_ID_LEN);
	rd_copy(&r, out->dataset, RECEIPT_DATASET_LEN);
	out->seq = rd_u64(&r);
	rd_copy(&r, out->head, RECEIPT_NAME_LEN);
	out->time = (int64_t)rd_u64(&r);
	(void)rd_bytes(&r, SIGNATURE_LEN);
	if (!rd_done(&r) || out->seq == 0 || out->seq > INT64_MAX)
		return err_set(err, ERR_CORRUPT, "malformed receipt");
	return 0;
}

int
receipt_decode(const uint8_t *buf, size_t len,
    const struct identity_public *site, struct receipt *out, struct err *err)
{
	int rc = receipt_peek(buf, len, out, err);

	if (rc != 0)
		return rc;
	if (memcmp(out->site, site->id, IDENTITY_ID_LEN) != 0)
		return err_set(err, ERR_AUTH,
		    "receipt of another site than '%s'", site->name);
	rc = object_check(buf, len, SIGN_LABEL, &site->sign, err);
	return rc != 0 ? err_wrap(err, "receipt of site '%s'", site->name) : 0;
}
