#include "crypto/settlement.h"
#include "crypto/issuer.h"
#include "crypto/object.h"

#include <string.h>

#define LETTER 'h'
#define WHAT "settlement"
#define SIGN_LABEL "varve/1/sign/settlement"

static bool
is_sound(const struct settlement *s)
{
	static const uint8_t none[SETTLEMENT_NAME_LEN];

	return s->from >= 1 && s->from <= ISSUER_FROM_MAX && s->seq >= 1 &&
	       s->seq <= INT64_MAX &&
	       (s->seq == 1) == (memcmp(s->prev, none, sizeof(none)) == 0);
}

/* KEYS.md section 15: the object. */
static void
put(struct wr *w, const struct settlement *s,
    const uint8_t issuer[IDENTITY_ID_LEN])
{
	object_head_write(w, LETTER);
	wr_bytes(w, s->store, STORE_ID_LEN);
	wr_u64(w, (uint64_t)s->from);
	wr_bytes(w, s->dataset, DATASET_ID_LEN);
	wr_u64(w, s->seq);
	wr_bytes(w, s->prev, SETTLEMENT_NAME_LEN);
	wr_bytes(w, s->name, SETTLEMENT_NAME_LEN);
	wr_bytes(w, issuer, IDENTITY_ID_LEN);
}

static void
get(struct rd *r, struct settlement *s)
{
	rd_copy(r, s->store, STORE_ID_LEN);
	s->from = (int64_t)rd_u64(r);
	rd_copy(r, s->dataset, DATASET_ID_LEN);
	s->seq = rd_u64(r);
	rd_copy(r, s->prev, SETTLEMENT_NAME_LEN);
	rd_copy(r, s->name, SETTLEMENT_NAME_LEN);
	rd_copy(r, s->issuer, IDENTITY_ID_LEN);
	(void)rd_bytes(r, SIGNATURE_LEN);
}

int
settlement_peek(
    const uint8_t *buf, size_t len, struct settlement *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	int rc = object_head_read(&r, LETTER, WHAT, err);

	memset(out, 0, sizeof(*out));
	if (rc != 0)
		return rc;
	get(&r, out);
	if (!rd_done(&r) || !is_sound(out))
		return err_set(err, ERR_CORRUPT, "malformed " WHAT);
	return 0;
}

int
settlement_make(const struct settlement *s, const struct identity *issuer,
    const struct master *master, struct wr *w, struct err *err)
{
	WR_AUTO struct wr o = {0};

	if (!is_sound(s))
		return err_set(err, ERR_USAGE, "malformed " WHAT);
	put(&o, s, issuer_id(issuer));
	return issuer_sign(&o, SIGN_LABEL, WHAT, issuer, master, w, err);
}

int
settlement_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err)
{
	struct settlement s;
	int rc = settlement_peek(buf, len, &s, err);

	if (rc != 0)
		return rc;
	rc = object_check(buf, len, SIGN_LABEL, signer, err);
	return rc != 0 ? err_wrap(err, WHAT) : 0;
}
