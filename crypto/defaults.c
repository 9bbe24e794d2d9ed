#include "crypto/defaults.h"
#include "crypto/issuer.h"
#include "crypto/object.h"

#include <string.h>

#define LETTER 'd'
#define WHAT "default rules"
#define SIGN_LABEL "varve/1/sign/defaults"

int
defaults_peek(
    const uint8_t *buf, size_t len, struct defaults *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	const uint8_t *rules;
	int rc = object_head_read(&r, LETTER, WHAT, err);

	memset(out, 0, sizeof(*out));
	if (rc != 0)
		return rc;
	rd_copy(&r, out->store, STORE_ID_LEN);
	out->from = (int64_t)rd_u64(&r);
	rules = rd_string(&r, &out->len);
	if (rules == NULL || out->len > DEFAULTS_RULES_MAX)
		r.failed = true;
	else
		memcpy(out->rules, rules, out->len);
	rd_copy(&r, out->issuer, IDENTITY_ID_LEN);
	(void)rd_bytes(&r, SIGNATURE_LEN);
	if (!rd_done(&r) || len > DEFAULTS_OBJECT_MAX ||
	    out->from > ISSUER_FROM_MAX)
		return err_set(err, ERR_CORRUPT, "malformed " WHAT);
	return 0;
}

int
defaults_make(const struct defaults *d, const struct identity *issuer,
    const struct master *master, struct wr *w, struct err *err)
{
	WR_AUTO struct wr o = {0};

	if (d->len > DEFAULTS_RULES_MAX)
		return err_set(err, ERR_USAGE, WHAT " too long");
	if (d->from > ISSUER_FROM_MAX)
		return err_set(err, ERR_USAGE, WHAT " that begin too late");
	object_head_write(&o, LETTER);
	wr_bytes(&o, d->store, STORE_ID_LEN);
	wr_u64(&o, (uint64_t)d->from);
	wr_string(&o, d->rules, d->len);
	wr_bytes(&o, issuer_id(issuer), IDENTITY_ID_LEN);
	return issuer_sign(
	    &o, SIGN_LABEL, "set of " WHAT, issuer, master, w, err);
}

int
defaults_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err)
{
	struct defaults d;
	int rc = defaults_peek(buf, len, &d, err);

	if (rc != 0)
		return rc;
	rc = object_check(buf, len, SIGN_LABEL, signer, err);
	return rc != 0 ? err_wrap(err, WHAT) : 0;
}
