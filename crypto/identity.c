#include "crypto/identity.h"
#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "crypto/utf8.h"

#include <string.h>

static bool
name_ok(const char *name, size_t len)
{
	return len >= 1 && len <= IDENTITY_NAME_MAX &&
	       utf8_printable(name, len);
}

const char *
identity_kind_name(enum identity_kind kind)
{
	switch (kind) {
	case IDENTITY_PERSON:
		return "person";
	case IDENTITY_HOST:
		return "host";
	case IDENTITY_SITE:
		break;
	}
	return "site";
}

/* KEYS.md 'Identities': the id is the start of the public half's SHA-256. */
static int
set_id(struct identity_public *pub, const void *encoded, size_t len,
    struct err *err)
{
	uint8_t digest[HASH_LEN];
	int rc = sha256(encoded, len, digest, err);

	if (rc == 0)
		memcpy(pub->id, digest, IDENTITY_ID_LEN);
	return rc;
}

int
identity_new(enum identity_kind kind, const char *name, struct identity **out,
    struct err *err)
{
	AUTO(identity) struct identity *id = NULL;
	WR_AUTO struct wr w = {0};
	size_t len = strlen(name);
	int rc;

	*out = NULL;
	if (!name_ok(name, len) || !utf8_plain(name, len))
		return err_set(err, ERR_USAGE,
		    "a name is 1 to %d bytes of UTF-8 without control "
		    "characters, and without those that don't show",
		    IDENTITY_NAME_MAX);
	id = secret_alloc(sizeof(*id));
	if (id == NULL)
		return err_nomem(err);
	id->pub.kind = kind;
	memcpy(id->pub.name, name, len + 1);
	rc = hpke_keypair(&id->seal, &id->pub.seal, err);
	if (rc == 0)
		rc = sign_keypair(&id->sign, &id->pub.sign, err);
	if (rc != 0)
		return rc;
	identity_public_encode(&id->pub, &w);
	if (w.failed)
		return err_nomem(err);
	rc = set_id(&id->pub, w.buf, w.len, err);
	if (rc != 0)
		return rc;
	*out = STEAL(id);
	return 0;
}

void
identity_free(struct identity *id)
{
	secret_free(id);
}

/* KEYS.md 'Identities': the public half. */
void
identity_public_encode(const struct identity_public *pub, struct wr *w)
{
	wr_u8(w, (uint8_t)pub->kind);
	wr_string(w, pub->name, strlen(pub->name));
	wr_bytes(w, pub->seal.b, sizeof(pub->seal.b));
	wr_bytes(w, pub->sign.b, sizeof(pub->sign.b));
}

int
identity_public_decode(
    struct rd *r, struct identity_public *out, struct err *err)
{
	const uint8_t *start = r->p;
	uint8_t kind = rd_u8(r);
	size_t len;
	const char *name = (const char *)rd_string(r, &len);

	*out = (struct identity_public){0};
	rd_copy(r, out->seal.b, sizeof(out->seal.b));
	rd_copy(r, out->sign.b, sizeof(out->sign.b));
	if (r->failed || !name_ok(name, len) || kind < IDENTITY_PERSON ||
	    kind > IDENTITY_SITE)
		return err_set(
		    err, ERR_CORRUPT, "malformed public half of an identity");
	out->kind = kind;
	memcpy(out->name, name, len);
	return set_id(out, start, (size_t)(r->p - start), err);
}
