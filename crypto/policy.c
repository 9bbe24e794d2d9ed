#include "crypto/policy.h"
#include "crypto/issuer.h"
#include "crypto/object.h"

#include <string.h>

#define LETTER 'c'
#define WHAT "location policy"
#define SIGN_LABEL "varve/1/sign/policy"

static const char *
fault(const struct policy *p)
{
	if (p->from > ISSUER_FROM_MAX)
		return "begins too late";
	if (p->n < 1 || p->n > POLICY_COUNTRIES_MAX)
		return "names no country, or too many";
	for (size_t i = 0; i < p->n; i++) {
		if (!country_ok(p->countries[i]))
			return "names what is no country";
		if (i > 0 && strcmp(p->countries[i - 1], p->countries[i]) >= 0)
			return "names countries twice or out of order";
	}
	return NULL;
}

static void
put(struct wr *w, const struct policy *p, const uint8_t issuer[IDENTITY_ID_LEN])
{
	object_head_write(w, LETTER);
	wr_bytes(w, p->store, STORE_ID_LEN);
	wr_u64(w, (uint64_t)p->from);
	wr_varint(w, p->n);
	for (size_t i = 0; i < p->n; i++)
		wr_bytes(w, p->countries[i], COUNTRY_LEN);
	wr_bytes(w, issuer, IDENTITY_ID_LEN);
}

static void
get(struct rd *r, struct policy *p)
{
	rd_copy(r, p->store, STORE_ID_LEN);
	p->from = (int64_t)rd_u64(r);
	p->n = rd_count(r, COUNTRY_LEN);
	if (p->n > POLICY_COUNTRIES_MAX)
		r->failed = true;
	for (size_t i = 0; i < p->n && !r->failed; i++)
		rd_copy(r, p->countries[i], COUNTRY_LEN);
	rd_copy(r, p->issuer, IDENTITY_ID_LEN);
	(void)rd_bytes(r, SIGNATURE_LEN);
}

int
policy_peek(const uint8_t *buf, size_t len, struct policy *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	const char *why;
	int rc = object_head_read(&r, LETTER, WHAT, err);

	*out = (struct policy){0};
	if (rc != 0)
		return rc;
	get(&r, out);
	if (!rd_done(&r) || len > POLICY_OBJECT_MAX)
		return err_set(err, ERR_CORRUPT, "malformed " WHAT);
	why = fault(out);
	if (why != NULL)
		return err_set(err, ERR_CORRUPT, WHAT " that %s", why);
	return 0;
}

int
policy_make(const struct policy *p, const struct identity *issuer,
    const struct master *master, struct wr *w, struct err *err)
{
	WR_AUTO struct wr o = {0};
	const char *why = fault(p);

	if (why != NULL)
		return err_set(err, ERR_USAGE, "a " WHAT " that %s", why);
	put(&o, p, issuer_id(issuer));
	return issuer_sign(&o, SIGN_LABEL, WHAT, issuer, master, w, err);
}

int
policy_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err)
{
	struct policy p;
	int rc = policy_peek(buf, len, &p, err);

	if (rc != 0)
		return rc;
	rc = object_check(buf, len, SIGN_LABEL, signer, err);
	return rc != 0 ? err_wrap(err, WHAT) : 0;
}

bool
policy_names(const struct policy *p, const char *country)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->countries[i], country) == 0)
			return true;
	return false;
}
