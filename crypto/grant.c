#include "crypto/grant.h"
#include "crypto/hash.h"
#include "crypto/issuer.h"
#include "crypto/object.h"

#include <string.h>

#define LETTER 'g'
#define SEAL_LABEL "varve/1/grant"
#define SIGN_LABEL "varve/1/sign/grant"

/* A grant, its keys still sealed. */
struct parsed {
	struct grant g;
	size_t
	    clear; /* bytes in the clear; the sealed ones are bound to them */
	const uint8_t *sealed;
	size_t sealedlen; /* 0: no keys */
};

const char *
role_name(enum role role)
{
	switch (role) {
	case ROLE_ADMIN:
		return "admin";
	case ROLE_READER:
		return "reader";
	case ROLE_WRITER:
		return "writer";
	case ROLE_REPLICA:
		return "replica";
	case ROLE_NONE:
		break;
	}
	return "none";
}

/* What every grant keeps to, when it is made and when it is read. */
static const char *
fault(const struct grant *g)
{
	static const uint8_t none[DATASET_ID_LEN];
	bool dataset = memcmp(g->dataset, none, DATASET_ID_LEN) != 0;

	if (g->from >= g->until)
		return "ends before it begins";
	switch (g->role) {
	case ROLE_ADMIN:
		if (dataset || g->epoch != 0)
			return "makes an admin of one dataset";
		return NULL;
	case ROLE_READER:
	case ROLE_WRITER:
		if (!dataset || g->epoch == 0)
			return "names no dataset or epoch";
		return NULL;
	case ROLE_REPLICA:
		return NULL;
	case ROLE_NONE:
		break;
	}
	return "gives no role";
}

/*
 * Whether ${keys} are what the role may hold, of the dataset and epoch that the
 * grant names: a writer must never be handed a private half.
 */
static int
check_keys(const struct grant *g, const void *keys, size_t len, struct err *err)
{
	AUTO(keyset) struct keyset *ks = NULL;
	struct rd r = rd_init(keys, len);
	int rc;

	if (g->role == ROLE_REPLICA || g->role == ROLE_ADMIN) {
		if (len != (g->role == ROLE_ADMIN ? KEY_LEN : 0))
			return err_set(err, ERR_CORRUPT,
			    "grant whose keys are not those of its role");
		return 0;
	}
	rc = keyset_decode(&r, &ks, err);
	if (rc != 0)
		return err_wrap(err, "grant");
	if (ks->has_private != (g->role == ROLE_READER) ||
	    ks->epoch != g->epoch ||
	    memcmp(ks->dataset, g->dataset, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_CORRUPT,
		    "grant whose keys are not those of its role");
	return 0;
}

/* KEYS.md 'Grants': the object, up to what is sealed. */
static void
put_clear(
    struct wr *w, const struct grant *g, const uint8_t issuer[IDENTITY_ID_LEN])
{
	object_head_write(w, LETTER);
	wr_bytes(w, g->store, STORE_ID_LEN);
	wr_u8(w, (uint8_t)g->role);
	wr_bytes(w, g->dataset, DATASET_ID_LEN);
	wr_u32(w, g->epoch);
	identity_public_encode(&g->subject, w);
	wr_u64(w, (uint64_t)g->from);
	wr_u64(w, (uint64_t)g->until);
	wr_bytes(w, issuer, IDENTITY_ID_LEN);
}

static int
get_clear(struct rd *r, struct grant *g, struct err *err)
{
	int rc = object_head_read(r, LETTER, "grant", err);

	if (rc != 0)
		return rc;
	rd_copy(r, g->store, STORE_ID_LEN);
	g->role = rd_u8(r);
	rd_copy(r, g->dataset, DATASET_ID_LEN);
	g->epoch = rd_u32(r);
	rc = identity_public_decode(r, &g->subject, err);
	if (rc != 0)
		return err_wrap(err, "grant");
	g->from = (int64_t)rd_u64(r);
	g->until = (int64_t)rd_u64(r);
	rd_copy(r, g->issuer, IDENTITY_ID_LEN);
	return 0;
}

static int
parse(const uint8_t *buf, size_t len, struct parsed *p, struct err *err)
{
	struct rd r = rd_init(buf, len);
	const char *why;
	int rc;

	*p = (struct parsed){0};
	rc = get_clear(&r, &p->g, err);
	if (rc != 0)
		return rc;
	p->clear = len - rd_left(&r);
	p->sealed = rd_string(&r, &p->sealedlen);
	(void)rd_bytes(&r, SIGNATURE_LEN);
	if (!rd_done(&r) || len > GRANT_OBJECT_MAX ||
	    (p->sealedlen > 0) != (p->g.role != ROLE_REPLICA) ||
	    (p->sealedlen > 0 && p->sealedlen < HPKE_OVERHEAD))
		return err_set(err, ERR_CORRUPT, "malformed grant");
	why = fault(&p->g);
	if (why != NULL)
		return err_set(err, ERR_CORRUPT, "grant that %s", why);
	return 0;
}

int
grant_make(const struct grant *g, const void *keys, size_t keyslen,
    const struct identity *issuer, const struct master *master, struct wr *w,
    struct err *err)
{
	WR_AUTO struct wr o = {0};
	const char *why = fault(g);
	int rc;

	if (why != NULL)
		return err_set(err, ERR_USAGE, "a grant that %s", why);
	rc = check_keys(g, keys, keyslen, err);
	if (rc == ERR_CORRUPT)
		return err_set(err, ERR_USAGE,
		    "a grant with keys that are not those of its role");
	if (rc != 0)
		return rc;
	put_clear(&o, g, issuer_id(issuer));
	if (keyslen > 0)
		rc = object_seal(
		    &o, SEAL_LABEL, &g->subject.seal, keys, keyslen, err);
	else
		wr_varint(&o, 0);
	if (rc != 0)
		return rc;
	return issuer_sign(&o, SIGN_LABEL, "grant", issuer, master, w, err);
}

int
grant_peek(const uint8_t *buf, size_t len, struct grant *out, struct err *err)
{
	struct parsed p;
	int rc = parse(buf, len, &p, err);

	*out = p.g;
	return rc;
}

int
grant_check(const uint8_t *buf, size_t len, const struct ed25519_public *signer,
    struct err *err)
{
	struct parsed p;
	int rc = parse(buf, len, &p, err);

	if (rc != 0)
		return rc;
	rc = object_check(buf, len, SIGN_LABEL, signer, err);
	return rc != 0 ? err_wrap(err, "grant") : 0;
}

/* The whole public half, not the id alone. */
static bool
is_for(const struct grant *g, const struct identity_public *who)
{
	return ct_equal(g->subject.id, who->id, IDENTITY_ID_LEN) &&
	       ct_equal(g->subject.seal.b, who->seal.b, KEY_LEN) &&
	       ct_equal(g->subject.sign.b, who->sign.b, KEY_LEN);
}

static int
unseal(const uint8_t *buf, size_t len, const struct identity *subject,
    struct parsed *p, struct wr *inside, struct err *err)
{
	int rc = parse(buf, len, p, err);

	if (rc != 0)
		return rc;
	if (!is_for(&p->g, &subject->pub))
		return err_set(err, ERR_DENIED, "grant to somebody else");
	if (p->sealedlen == 0)
		return 0;
	rc = object_unseal(buf, p->clear, SEAL_LABEL, &subject->seal,
	    &subject->pub.seal, p->sealed, p->sealedlen, inside, err);
	return rc != 0 ? err_wrap(err, "grant") : 0;
}

int
grant_open(const uint8_t *buf, size_t len, const struct identity *subject,
    struct wr *keys, struct err *err)
{
	WR_AUTO struct wr inside = {.secret = true};
	struct parsed p;
	int rc = unseal(buf, len, subject, &p, &inside, err);

	if (rc == 0)
		rc = check_keys(&p.g, inside.buf, inside.len, err);
	if (rc != 0)
		return rc;
	keys->secret = true;
	wr_bytes(keys, inside.buf, inside.len);
	return keys->failed ? err_nomem(err) : 0;
}

int
grant_claim(const uint8_t *buf, size_t len, const struct identity *subject,
    char name[DATASET_NAME_MAX + 1], struct err *err)
{
	WR_AUTO struct wr inside = {.secret = true};
	struct parsed p;
	struct rd r;
	int rc = unseal(buf, len, subject, &p, &inside, err);

	if (rc != 0)
		return rc;
	if (p.g.role != ROLE_READER && p.g.role != ROLE_WRITER)
		return err_set(err, ERR_CORRUPT, "grant of no dataset's keys");
	r = rd_init(inside.buf, inside.len);
	return keyset_decode_name(&r, name, err);
}
