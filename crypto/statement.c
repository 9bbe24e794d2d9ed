#include "crypto/issuer.h"
#include "crypto/object.h"
#include "crypto/site.h"
#include "crypto/site_internal.h"
#include "crypto/utf8.h"

#include <string.h>

#define LETTER 't'
#define WHAT "site statement"
#define SIGN_LABEL "varve/1/sign/statement"

bool
statement_ended(const struct statement *st)
{
	return st->site.until <= st->from;
}

/* An address goes to other programs: nothing that one takes for an option. */
static const char *
fault(const struct statement *st)
{
	size_t len = strlen(st->address);
	const char *why = site_fault(&st->site);

	if (why != NULL)
		return why;
	if (st->from > ISSUER_FROM_MAX)
		return "is stated from too late";
	if (!utf8_printable(st->address, len) || st->address[0] == '-')
		return "has no address that can be";
	if (len == 0 && !statement_ended(st))
		return "has no address";
	return NULL;
}

static void
put(struct wr *w, const struct statement *st,
    const uint8_t issuer[IDENTITY_ID_LEN])
{
	object_head_write(w, LETTER);
	wr_bytes(w, st->store, STORE_ID_LEN);
	site_encode(&st->site, w);
	wr_string(w, st->address, strlen(st->address));
	wr_u64(w, (uint64_t)st->from);
	wr_bytes(w, issuer, IDENTITY_ID_LEN);
}

int
statement_peek(
    const uint8_t *buf, size_t len, struct statement *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	const char *why;
	int rc = object_head_read(&r, LETTER, WHAT, err);

	*out = (struct statement){0};
	if (rc != 0)
		return rc;
	rd_copy(&r, out->store, STORE_ID_LEN);
	rc = site_decode(&r, &out->site, err);
	if (rc != 0)
		return err_wrap(err, WHAT);
	site_text_decode(&r, out->address, SITE_ADDRESS_MAX);
	out->from = (int64_t)rd_u64(&r);
	rd_copy(&r, out->issuer, IDENTITY_ID_LEN);
	(void)rd_bytes(&r, SIGNATURE_LEN);
	if (!rd_done(&r) || len > SITE_OBJECT_MAX)
		return err_set(err, ERR_CORRUPT, "malformed " WHAT);
	why = fault(out);
	if (why != NULL)
		return err_set(err, ERR_CORRUPT, WHAT ": site that %s", why);
	return 0;
}

int
statement_make(const struct statement *st, const struct identity *issuer,
    const struct master *master, struct wr *w, struct err *err)
{
	WR_AUTO struct wr o = {0};
	const char *why = fault(st);

	if (why != NULL)
		return err_set(err, ERR_USAGE, "a site that %s", why);
	put(&o, st, issuer_id(issuer));
	return issuer_sign(&o, SIGN_LABEL, WHAT, issuer, master, w, err);
}

int
statement_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err)
{
	struct statement st;
	int rc = statement_peek(buf, len, &st, err);

	if (rc != 0)
		return rc;
	rc = object_check(buf, len, SIGN_LABEL, signer, err);
	return rc != 0 ? err_wrap(err, WHAT) : 0;
}
