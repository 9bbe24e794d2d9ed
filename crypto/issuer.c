#include "crypto/issuer.h"
#include "crypto/object.h"

const uint8_t *
issuer_id(const struct identity *issuer)
{
	static const uint8_t by_master[IDENTITY_ID_LEN];

	return issuer != NULL ? issuer->pub.id : by_master;
}

int
issuer_sign(struct wr *o, const char *label, const char *what,
    const struct identity *issuer, const struct master *master, struct wr *w,
    struct err *err)
{
	int rc;

	if (issuer == NULL && master == NULL)
		return err_set(err, ERR_USAGE, "a %s without an issuer", what);
	rc = object_sign(
	    o, label, issuer != NULL ? &issuer->sign : &master->sign, err);
	if (rc != 0)
		return rc;
	wr_bytes(w, o->buf, o->len);
	return w->failed ? err_nomem(err) : 0;
}
