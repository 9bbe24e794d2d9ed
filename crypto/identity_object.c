#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "crypto/identity.h"
#include "crypto/kdf.h"
#include "crypto/object.h"

#include <string.h>

#define LETTER 'n'
#define BOX_LABEL "identity"
#define SIGN_LABEL "varve/1/sign/identity"
#define SALT_LEN 32
#define PRIVATE_LEN (2 * KEY_LEN)
#define BOX_LEN (PRIVATE_LEN + BOX_OVERHEAD)

/* What a hostile object can make a reader spend: 1 GiB, some seconds. */
#define LOGN_MIN 10
#define LOGN_MAX 20
#define BLOCKS 8 /* scrypt's r */
#define P_MAX 4

/* All but the public half; a key file's is zero throughout. */
struct cost {
	uint8_t logn, r, p;
	uint8_t salt[SALT_LEN];
};

static const char *
what(enum identity_kind kind)
{
	switch (kind) {
	case IDENTITY_PERSON:
		return "person object";
	case IDENTITY_HOST:
		return "host key file";
	case IDENTITY_SITE:
		break;
	}
	return "site key file";
}

/* A person needs a passphrase, a key file can't have one. */
static int
check_pass(enum identity_kind kind, const char *pass, struct err *err)
{
	if (kind != IDENTITY_PERSON && pass != NULL)
		return err_set(
		    err, ERR_USAGE, "a %s has no passphrase", what(kind));
	if (kind == IDENTITY_PERSON && pass == NULL)
		return err_set(
		    err, ERR_USAGE, "a person object needs a passphrase");
	return 0;
}

static int
derive_kek(const struct cost *cost, const char *pass, struct key32 *kek,
    struct err *err)
{
	*kek = (struct key32){0};
	if (cost->logn == 0)
		return 0;
	return scrypt_derive(pass, strlen(pass), cost->salt, SALT_LEN,
	    cost->logn, cost->r, cost->p, kek->b, sizeof(kek->b), err);
}

/* KEYS.md 'Identities': the object, up to the box, which it is bound to. */
static void
put_clear(const struct identity *id, const struct cost *cost, struct wr *w)
{
	object_head_write(w, LETTER);
	identity_public_encode(&id->pub, w);
	wr_u8(w, cost->logn);
	wr_u8(w, cost->r);
	wr_u8(w, cost->p);
	wr_bytes(w, cost->salt, SALT_LEN);
}

static int
get_clear(struct rd *r, struct identity_public *pub, struct cost *cost,
    struct err *err)
{
	static const struct cost none;
	bool ok;
	int rc = object_head_read(r, LETTER, "person object or key file", err);

	if (rc == 0)
		rc = identity_public_decode(r, pub, err);
	if (rc != 0)
		return rc;
	cost->logn = rd_u8(r);
	cost->r = rd_u8(r);
	cost->p = rd_u8(r);
	rd_copy(r, cost->salt, SALT_LEN);
	if (pub->kind != IDENTITY_PERSON)
		ok = memcmp(cost, &none, sizeof(none)) == 0;
	else
		ok = cost->logn >= LOGN_MIN && cost->logn <= LOGN_MAX &&
		     cost->r == BLOCKS && cost->p >= 1 && cost->p <= P_MAX;
	if (r->failed || !ok)
		return err_set(
		    err, ERR_CORRUPT, "malformed %s", what(pub->kind));
	return 0;
}

/* The whole of an object, with its box still closed. */
static int
parse(const uint8_t *buf, size_t len, struct identity_public *pub,
    struct cost *cost, const uint8_t **box, struct err *err)
{
	struct rd r = rd_init(buf, len);
	int rc = get_clear(&r, pub, cost, err);

	if (rc != 0)
		return rc;
	*box = rd_bytes(&r, BOX_LEN);
	(void)rd_bytes(&r, SIGNATURE_LEN);
	if (!rd_done(&r) || len > IDENTITY_OBJECT_MAX)
		return err_set(
		    err, ERR_CORRUPT, "malformed %s", what(pub->kind));
	/* Nobody else can make another object of this identity. */
	rc = object_check(buf, len, SIGN_LABEL, &pub->sign, err);
	return rc != 0 ? err_wrap(err, "%s of '%s'", what(pub->kind), pub->name)
		       : 0;
}

/* The box, after all that ${o} has. */
static int
seal_halves(const struct identity *id, const struct key32 *kek, struct wr *o,
    struct err *err)
{
	WR_AUTO struct wr priv = {.secret = true};
	WR_AUTO struct wr clear = {0};

	wr_bytes(&priv, id->seal.b, KEY_LEN);
	wr_bytes(&priv, id->sign.b, KEY_LEN);
	wr_bytes(&clear, o->buf, o->len);
	if (clear.failed || priv.failed || o->failed)
		return err_nomem(err);
	return box_seal(
	    kek, BOX_LABEL, clear.buf, clear.len, priv.buf, priv.len, o, err);
}

int
identity_encode(
    const struct identity *id, const char *pass, struct wr *w, struct err *err)
{
	WIPE struct key32 kek = {0};
	WR_AUTO struct wr o = {0};
	struct cost cost = {0};
	int rc = check_pass(id->pub.kind, pass, err);

	if (rc == 0 && pass != NULL) {
		if (pass[0] == '\0')
			return err_set(
			    err, ERR_USAGE, "the passphrase is empty");
		cost =
		    (struct cost){.logn = IDENTITY_LOGN, .r = BLOCKS, .p = 1};
		rc = random_bytes(cost.salt, SALT_LEN, err);
	}
	if (rc == 0)
		rc = derive_kek(&cost, pass, &kek, err);
	if (rc != 0)
		return rc;
	put_clear(id, &cost, &o);
	rc = seal_halves(id, &kek, &o, err);
	if (rc == 0)
		rc = object_sign(&o, SIGN_LABEL, &id->sign, err);
	if (rc != 0)
		return rc;
	wr_bytes(w, o.buf, o.len);
	return w->failed ? err_nomem(err) : 0;
}

int
identity_peek(const uint8_t *buf, size_t len, struct identity_public *out,
    struct err *err)
{
	struct cost cost;
	const uint8_t *box;

	return parse(buf, len, out, &cost, &box, err);
}

/* A key file is sealed to nothing, so its halves may not match. */
static int
check_halves(const struct identity *id, struct err *err)
{
	struct x25519_public seal;
	struct ed25519_public sign;
	int rc = hpke_public(&id->seal, &seal, err);

	if (rc == 0)
		rc = sign_public(&id->sign, &sign, err);
	if (rc != 0)
		return rc;
	if (!ct_equal(seal.b, id->pub.seal.b, sizeof(seal.b)) ||
	    !ct_equal(sign.b, id->pub.sign.b, sizeof(sign.b)))
		return err_set(err, ERR_CORRUPT,
		    "the private halves of the %s don't fit the public ones",
		    what(id->pub.kind));
	return 0;
}

static int
open_box(struct identity *id, const struct key32 *kek, const uint8_t *clear,
    const uint8_t *box, struct err *err)
{
	WR_AUTO struct wr priv = {.secret = true};
	struct rd r;
	int rc = box_open(kek, BOX_LABEL, clear, (size_t)(box - clear), box,
	    BOX_LEN, &priv, err);

	if (rc == ERR_AUTH)
		return err_set(err, ERR_AUTH, "%stampered %s",
		    id->pub.kind == IDENTITY_PERSON ? "wrong passphrase, or a "
						    : "",
		    what(id->pub.kind));
	if (rc != 0)
		return rc;
	r = rd_init(priv.buf, priv.len);
	rd_copy(&r, id->seal.b, KEY_LEN);
	rd_copy(&r, id->sign.b, KEY_LEN);
	return check_halves(id, err);
}

int
identity_decode(const uint8_t *buf, size_t len, const char *pass,
    struct identity **out, struct err *err)
{
	AUTO(identity) struct identity *id = secret_alloc(sizeof(*id));
	WIPE struct key32 kek = {0};
	struct cost cost;
	const uint8_t *box;
	int rc;

	*out = NULL;
	if (id == NULL)
		return err_nomem(err);
	rc = parse(buf, len, &id->pub, &cost, &box, err);
	if (rc == 0)
		rc = check_pass(id->pub.kind, pass, err);
	if (rc == 0)
		rc = derive_kek(&cost, pass, &kek, err);
	if (rc == 0)
		rc = open_box(id, &kek, buf, box, err);
	if (rc != 0)
		return rc;
	*out = STEAL(id);
	return 0;
}
