#include "snapshot/log/record.h"

#include "crypto/box.h"
#include "crypto/object.h"
#include "snapshot/log/record_body.h"

#include <string.h>

#define LETTER 'l'
#define WHAT "log record"
#define BOX_LABEL "varve log v1"
#define SIGN_LABEL "varve log record v1"

/* The bytes in the clear, which the box is bound to. */
#define HEAD_LEN 92

/* A record, its box still closed. */
struct parsed {
	struct record_head head;
	const uint8_t *box;
	size_t boxlen;
};

/* The index key is one of the two keys that boxes are sealed under. */
static struct key32
box_key(const struct keyset *ks)
{
	struct key32 key;

	memcpy(key.b, ks->index.b, sizeof(key.b));
	return key;
}

/* --- FORMAT.md section 9: the head ------------------------------------- */

static void
wr_head(struct wr *w, const struct record_head *head, size_t boxlen)
{
	object_head_write(w, LETTER);
	wr_bytes(w, head->dataset, DATASET_ID_LEN);
	wr_u32(w, head->epoch);
	wr_u32(w, 0);
	wr_u64(w, head->seq);
	wr_bytes(w, head->prev, OBJECT_NAME_LEN);
	wr_bytes(w, head->signer, IDENTITY_ID_LEN);
	wr_u32(w, (uint32_t)boxlen);
}

/* Only the first record has none before it. */
static bool
prev_fits(const struct record_head *head)
{
	static const uint8_t none[OBJECT_NAME_LEN];
	bool first = memcmp(head->prev, none, OBJECT_NAME_LEN) == 0;

	return head->seq > 0 && first == (head->seq == 1);
}

static int
parse(const uint8_t *buf, size_t len, struct parsed *p, struct err *err)
{
	struct rd r = rd_init(buf, len);
	struct record_head *head = &p->head;
	uint32_t reserved;
	int rc = object_head_read(&r, LETTER, WHAT, err);

	memset(p, 0, sizeof(*p));
	if (rc != 0)
		return rc;
	rd_copy(&r, head->dataset, DATASET_ID_LEN);
	head->epoch = rd_u32(&r);
	reserved = rd_u32(&r);
	head->seq = rd_u64(&r);
	rd_copy(&r, head->prev, OBJECT_NAME_LEN);
	rd_copy(&r, head->signer, IDENTITY_ID_LEN);
	p->boxlen = rd_u32(&r);
	p->box = rd_bytes(&r, p->boxlen);
	(void)rd_bytes(&r, SIGNATURE_LEN);
	if (!rd_done(&r) || len > RECORD_MAX || reserved != 0 ||
	    head->epoch == 0 || !prev_fits(head))
		return err_set(err, ERR_CORRUPT, "malformed " WHAT);
	return 0;
}

int
record_peek(
    const uint8_t *buf, size_t len, struct record_head *out, struct err *err)
{
	struct parsed p;
	int rc = parse(buf, len, &p, err);

	*out = p.head;
	return rc;
}

/* --- the whole record -------------------------------------------------- */

static int
check_place(
    const struct record_head *head, const struct wr *body, struct err *err)
{
	if (!prev_fits(head))
		return err_set(err, ERR_BUG, "record %ju follows none",
		    (uintmax_t)head->seq);
	if (body->len > RECORD_MAX - HEAD_LEN - BOX_OVERHEAD - SIGNATURE_LEN)
		return err_set(err, ERR_BUG,
		    "a snapshot of %zu bytes, which no record can hold",
		    body->len);
	return 0;
}

int
record_encode_snapshot(const struct snapshot *s, struct record_head *head,
    const struct keyset *ks, const struct identity *signer, struct wr *w,
    struct err *err)
{
	WIPE struct key32 key = box_key(ks);
	WR_AUTO struct wr body = {0};
	WR_AUTO struct wr box = {0};
	WR_AUTO struct wr record = {0};
	int rc = record_body_encode(s, &body, err);

	if (rc == 0)
		rc = check_place(head, &body, err);
	if (rc != 0)
		return rc;
	head->epoch = ks->epoch;
	memcpy(head->signer, signer->pub.id, IDENTITY_ID_LEN);
	wr_head(&record, head, body.len + BOX_OVERHEAD);
	if (record.failed)
		return err_nomem(err);
	/* A buffer of its own: ${record} moves while it grows. */
	rc = box_seal(&key, BOX_LABEL, record.buf, HEAD_LEN, body.buf, body.len,
	    &box, err);
	if (rc != 0)
		return rc;
	wr_bytes(&record, box.buf, box.len);
	rc = object_sign(&record, SIGN_LABEL, &signer->sign, err);
	if (rc != 0)
		return rc;
	wr_bytes(w, record.buf, record.len);
	return w->failed ? err_nomem(err) : 0;
}

int
record_check(const uint8_t *buf, size_t len,
    const struct ed25519_public *signer, struct err *err)
{
	struct parsed p;
	int rc = parse(buf, len, &p, err);

	return rc != 0 ? rc : object_check(buf, len, SIGN_LABEL, signer, err);
}

static int
open_body(const uint8_t *buf, const struct parsed *p, const struct keyring *kr,
    struct wr *body, struct err *err)
{
	const struct keyset *ks = keyring_epoch(kr, p->head.epoch);
	WIPE struct key32 key = {0};

	if (ks == NULL)
		return err_set(err, ERR_DENIED,
		    "sealed under epoch %u, which this key was not given",
		    p->head.epoch);
	if (memcmp(ks->dataset, p->head.dataset, DATASET_ID_LEN) != 0)
		return err_set(
		    err, ERR_CORRUPT, "a " WHAT " of another dataset");
	key = box_key(ks);
	return box_open(
	    &key, BOX_LABEL, buf, HEAD_LEN, p->box, p->boxlen, body, err);
}

int
record_decode_snapshot(const uint8_t *buf, size_t len, const struct keyring *kr,
    struct snapshot **out, struct err *err)
{
	WR_AUTO struct wr body = {0};
	struct parsed p;
	int rc = parse(buf, len, &p, err);

	*out = NULL;
	if (rc == 0)
		rc = open_body(buf, &p, kr, &body, err);
	if (rc == 0)
		rc = record_body_decode(body.buf, body.len, out, err);
	if (rc != 0)
		return rc;
	(*out)->seq = p.head.seq;
	memcpy((*out)->prev, p.head.prev, OBJECT_NAME_LEN);
	memcpy((*out)->signer, p.head.signer, IDENTITY_ID_LEN);
	return 0;
}
