#include "crypto/issuer.h"
#include "crypto/keyset.h"
#include "crypto/object.h"

#include <string.h>

#define LETTER 'k'
#define SEAL_LABEL "varve/1/keyset"
#define SIGN_LABEL "varve/1/sign/keyset"

/* A key set object, still sealed. */
struct parsed {
	struct keyset_head head;
	uint8_t store[STORE_ID_LEN];
	size_t
	    clear; /* bytes in the clear; the sealed ones are bound to them */
	const uint8_t *sealed;
	size_t sealedlen;
};

/* KEYS.md 'Key sets': the object, up to what is sealed. */
static void
put_clear(struct wr *w, const uint8_t store[STORE_ID_LEN],
    const struct keyset_head *head)
{
	object_head_write(w, LETTER);
	wr_bytes(w, store, STORE_ID_LEN);
	wr_bytes(w, head->dataset, DATASET_ID_LEN);
	wr_u32(w, head->epoch);
	wr_bytes(w, head->signer, IDENTITY_ID_LEN);
}

static int
parse(const uint8_t *buf, size_t len, struct parsed *p, struct err *err)
{
	struct rd r = rd_init(buf, len);
	int rc = object_head_read(&r, LETTER, "key set object", err);

	*p = (struct parsed){0};
	if (rc != 0)
		return rc;
	rd_copy(&r, p->store, STORE_ID_LEN);
	rd_copy(&r, p->head.dataset, DATASET_ID_LEN);
	p->head.epoch = rd_u32(&r);
	rd_copy(&r, p->head.signer, IDENTITY_ID_LEN);
	p->clear = len - rd_left(&r);
	p->sealed = rd_string(&r, &p->sealedlen);
	(void)rd_bytes(&r, SIGNATURE_LEN);
	if (!rd_done(&r) || len > KEYSET_OBJECT_MAX ||
	    p->sealedlen < HPKE_OVERHEAD || p->head.epoch == 0)
		return err_set(err, ERR_CORRUPT, "malformed key set object");
	return 0;
}

int
keyset_seal(const struct keyset *ks, const struct root *root,
    const struct identity *admin, const struct master *master, struct wr *w,
    struct err *err)
{
	WR_AUTO struct wr o = {0};
	WR_AUTO struct wr keys = {.secret = true};
	struct keyset_head head = {.epoch = ks->epoch};
	int rc;

	if (!ks->has_private)
		return err_set(
		    err, ERR_USAGE, "a key set object needs the private half");
	memcpy(head.dataset, ks->dataset, DATASET_ID_LEN);
	memcpy(head.signer, issuer_id(admin), IDENTITY_ID_LEN);
	put_clear(&o, root->store, &head);
	keyset_encode(ks, true, &keys);
	if (keys.failed)
		return err_nomem(err);
	rc = object_seal(
	    &o, SEAL_LABEL, &root->master_seal, keys.buf, keys.len, err);
	if (rc != 0)
		return rc;
	return issuer_sign(
	    &o, SIGN_LABEL, "key set object", admin, master, w, err);
}

int
keyset_peek(
    const uint8_t *buf, size_t len, struct keyset_head *out, struct err *err)
{
	struct parsed p;
	int rc = parse(buf, len, &p, err);

	*out = p.head;
	return rc;
}

/* The signature, and that it is by whom the head says, in this store. */
static int
check(const uint8_t *buf, size_t len, const struct parsed *p,
    const struct root *root, const struct ed25519_public *signer,
    struct err *err)
{
	bool master =
	    memcmp(p->head.signer, issuer_id(NULL), IDENTITY_ID_LEN) == 0;
	int rc;

	if (memcmp(p->store, root->store, STORE_ID_LEN) != 0)
		return err_set(
		    err, ERR_AUTH, "key set object of another store");
	if (master != (signer == NULL))
		return err_set(
		    err, ERR_AUTH, "key set object signed by another");
	rc = object_check(buf, len, SIGN_LABEL,
	    signer != NULL ? signer : &root->master_sign, err);
	return rc != 0 ? err_wrap(err, "key set object") : 0;
}

int
keyset_check(const uint8_t *buf, size_t len, const struct root *root,
    const struct ed25519_public *signer, struct err *err)
{
	struct parsed p;
	int rc = parse(buf, len, &p, err);

	return rc != 0 ? rc : check(buf, len, &p, root, signer, err);
}

static int
unseal(const uint8_t *buf, const struct parsed *p, const struct master *master,
    struct wr *keys, struct err *err)
{
	int rc = object_unseal(buf, p->clear, SEAL_LABEL, &master->seal,
	    &master->seal_pub, p->sealed, p->sealedlen, keys, err);

	return rc != 0 ? err_wrap(err, "key set object") : 0;
}

static int
decode(const struct wr *keys, struct keyset **out, struct err *err)
{
	struct rd r = rd_init(keys->buf, keys->len);

	return keyset_decode(&r, out, err);
}

int
keyset_open(const uint8_t *buf, size_t len, const struct root *root,
    const struct ed25519_public *signer, const struct master *master,
    struct keyset **out, struct err *err)
{
	WR_AUTO struct wr keys = {.secret = true};
	AUTO(keyset) struct keyset *ks = NULL;
	struct parsed p;
	int rc = parse(buf, len, &p, err);

	*out = NULL;
	if (rc == 0)
		rc = check(buf, len, &p, root, signer, err);
	if (rc == 0)
		rc = unseal(buf, &p, master, &keys, err);
	if (rc == 0)
		rc = decode(&keys, &ks, err);
	if (rc != 0)
		return rc;
	if (!ks->has_private || ks->epoch != p.head.epoch ||
	    memcmp(ks->dataset, p.head.dataset, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_CORRUPT,
		    "key set object whose contents are not what its head says");
	*out = STEAL(ks);
	return 0;
}

int
keyset_claim(const uint8_t *buf, size_t len, const struct master *master,
    char name[DATASET_NAME_MAX + 1], struct err *err)
{
	WR_AUTO struct wr keys = {.secret = true};
	struct parsed p;
	struct rd r;
	int rc = parse(buf, len, &p, err);

	if (rc == 0)
		rc = unseal(buf, &p, master, &keys, err);
	if (rc != 0)
		return rc;
	r = rd_init(keys.buf, keys.len);
	return keyset_decode_name(&r, name, err);
}
