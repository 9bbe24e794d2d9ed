#include "crypto/base32.h"
#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/object.h"
#include "crypto/root.h"

#include <string.h>

#define LETTER 'r'
#define BOX_LABEL "recovery"
#define SIGN_LABEL "varve/1/sign/recovery"
#define PRINTED_LEN (KEY_LEN + RECOVERY_CHECK_LEN)

_Static_assert(
    BASE32_TEXT(PRINTED_LEN) <= RECOVERY_TEXT, "a recovery key fits its text");

/* KEYS.md 'The recovery key': the checksum that tells of a typing mistake. */
static int
checksum(
    const struct key32 *key, uint8_t out[RECOVERY_CHECK_LEN], struct err *err)
{
	static const char label[] = "varve/1/recovery/checksum";
	WR_AUTO struct wr w = {.secret = true};
	uint8_t digest[HASH_LEN];
	int rc;

	wr_bytes(&w, label, sizeof(label));
	wr_bytes(&w, key->b, sizeof(key->b));
	if (w.failed)
		return err_nomem(err);
	rc = sha256(w.buf, w.len, digest, err);
	if (rc == 0)
		memcpy(out, digest, RECOVERY_CHECK_LEN);
	return rc;
}

int
recovery_new(struct recovery **out, struct err *err)
{
	AUTO(recovery) struct recovery *r = secret_alloc(sizeof(*r));
	int rc;

	*out = NULL;
	if (r == NULL)
		return err_nomem(err);
	rc = random_bytes(r->key.b, sizeof(r->key.b), err);
	if (rc == 0)
		rc = checksum(&r->key, r->check, err);
	if (rc != 0)
		return rc;
	*out = STEAL(r);
	return 0;
}

void
recovery_free(struct recovery *r)
{
	secret_free(r);
}

void
recovery_text(const struct recovery *r, char out[RECOVERY_TEXT])
{
	uint8_t printed[PRINTED_LEN];

	memcpy(printed, r->key.b, KEY_LEN);
	memcpy(printed + KEY_LEN, r->check, RECOVERY_CHECK_LEN);
	base32_encode(printed, sizeof(printed), out);
	secret_wipe(printed, sizeof(printed));
}

int
recovery_parse(const char *text, struct recovery **out, struct err *err)
{
	AUTO(recovery) struct recovery *r = secret_alloc(sizeof(*r));
	uint8_t printed[PRINTED_LEN] = {0};
	bool complete;
	int rc;

	*out = NULL;
	if (r == NULL)
		return err_nomem(err);
	complete = base32_decode(text, printed, sizeof(printed));
	memcpy(r->key.b, printed, KEY_LEN);
	secret_wipe(printed, KEY_LEN);
	if (!complete)
		return err_set(err, ERR_USAGE,
		    "not a recovery key: that is 56 letters A to Z and digits "
		    "2 to 7");
	rc = checksum(&r->key, r->check, err);
	if (rc != 0)
		return rc;
	if (!ct_equal(r->check, printed + KEY_LEN, RECOVERY_CHECK_LEN))
		return err_set(err, ERR_USAGE,
		    "the recovery key is mistyped: its checksum is wrong");
	*out = STEAL(r);
	return 0;
}

/* KEYS.md 'The recovery key': what the box is bound to. */
static void
put_ad(struct wr *w, const struct root *root)
{
	object_head_write(w, LETTER);
	wr_bytes(w, root->store, STORE_ID_LEN);
	wr_bytes(w, root->fingerprint, FINGERPRINT_LEN);
}

int
recovery_seal(const struct recovery *r, const struct root *root,
    const struct master *m, struct wr *w, struct err *err)
{
	WR_AUTO struct wr ad = {0};
	WR_AUTO struct wr o = {0};
	int rc;

	put_ad(&ad, root);
	object_head_write(&o, LETTER);
	wr_bytes(&o, root->store, STORE_ID_LEN);
	if (ad.failed || o.failed)
		return err_nomem(err);
	rc = box_seal(&r->key, BOX_LABEL, ad.buf, ad.len, m->seed.b,
	    sizeof(m->seed.b), &o, err);
	if (rc == 0)
		rc = object_sign(&o, SIGN_LABEL, &m->sign, err);
	if (rc != 0)
		return rc;
	wr_bytes(w, o.buf, o.len);
	return w->failed ? err_nomem(err) : 0;
}

/* Whether ${m} is the master key that ${root} names. */
static int
check_master(const struct master *m, const struct root *root, struct err *err)
{
	if (!ct_equal(m->seal_pub.b, root->master_seal.b, KEY_LEN) ||
	    !ct_equal(m->sign_pub.b, root->master_sign.b, KEY_LEN))
		return err_set(err, ERR_AUTH,
		    "the recovery object holds another store's master key");
	return 0;
}

static int
open_seed(const struct recovery *r, const struct root *root, const uint8_t *box,
    struct master **out, struct err *err)
{
	WR_AUTO struct wr ad = {0};
	WR_AUTO struct wr pt = {.secret = true};
	WIPE struct key32 seed = {0};
	int rc;

	put_ad(&ad, root);
	if (ad.failed)
		return err_nomem(err);
	rc = box_open(&r->key, BOX_LABEL, ad.buf, ad.len, box,
	    KEY_LEN + BOX_OVERHEAD, &pt, err);
	if (rc == ERR_AUTH)
		return err_set(err, ERR_AUTH,
		    "wrong recovery key, or a tampered recovery object");
	if (rc != 0)
		return rc;
	memcpy(seed.b, pt.buf, sizeof(seed.b));
	return master_from_seed(&seed, out, err);
}

/* It is the store's, signed; with its box still closed. */
static int
parse(const uint8_t *buf, size_t len, const struct root *root,
    const uint8_t **box, struct err *err)
{
	struct rd rd = rd_init(buf, len);
	const uint8_t *store;
	int rc = object_head_read(&rd, LETTER, "recovery object", err);

	if (rc != 0)
		return rc;
	store = rd_bytes(&rd, STORE_ID_LEN);
	*box = rd_bytes(&rd, KEY_LEN + BOX_OVERHEAD);
	(void)rd_bytes(&rd, SIGNATURE_LEN);
	if (!rd_done(&rd))
		return err_set(err, ERR_CORRUPT, "malformed recovery object");
	if (memcmp(store, root->store, STORE_ID_LEN) != 0)
		return err_set(
		    err, ERR_AUTH, "recovery object of another store");
	rc = object_check(buf, len, SIGN_LABEL, &root->master_sign, err);
	return rc != 0 ? err_wrap(err, "recovery object") : 0;
}

int
recovery_check(
    const uint8_t *buf, size_t len, const struct root *root, struct err *err)
{
	const uint8_t *box;

	return parse(buf, len, root, &box, err);
}

int
recovery_open(const struct recovery *r, const struct root *root,
    const uint8_t *buf, size_t len, struct master **out, struct err *err)
{
	AUTO(master) struct master *m = NULL;
	const uint8_t *box;
	int rc = parse(buf, len, root, &box, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	rc = open_seed(r, root, box, &m, err);
	if (rc == 0)
		rc = check_master(m, root, err);
	if (rc != 0)
		return rc;
	*out = STEAL(m);
	return 0;
}
