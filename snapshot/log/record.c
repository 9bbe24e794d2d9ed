#include "snapshot/log/record.h"

#include "crypto/box.h"
#include "crypto/object.h"
#include "snapshot/log/record_body.h"
#include "snapshot/log/record_lists.h"

#include <stdlib.h>
#include <string.h>

#define LETTER 'l'
#define WHAT "log record"
#define BOX_LABEL "varve log v1"
#define SIGN_LABEL "varve log record v1"

/* A record, its box still closed. */
struct parsed {
	struct record_clear clear;
	size_t head; /* bytes before the box, to which it is bound */
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

bool
record_admin_only(enum record_type type)
{
	return type != RECORD_SNAPSHOT;
}

/* --- the part in the clear ---------------------------------------------- */

static void
wr_clear_part(struct wr *w, const struct record_head *head,
    const struct record_lists *lists, size_t boxlen)
{
	object_head_write(w, LETTER);
	wr_bytes(w, head->dataset, DATASET_ID_LEN);
	wr_u32(w, head->epoch);
	wr_u8(w, (uint8_t)head->type);
	wr_u8(w, 0);
	wr_u16(w, 0);
	wr_u64(w, head->seq);
	wr_bytes(w, head->prev, OBJECT_NAME_LEN);
	wr_bytes(w, head->signer, IDENTITY_ID_LEN);
	wr_u64(w, (uint64_t)head->time);
	record_wr_lists(w, lists);
	wr_u32(w, (uint32_t)boxlen);
}

/* Returns the type, which may be none that is known. */
static unsigned
rd_head(struct rd *r, struct record_head *head)
{
	unsigned type;

	rd_copy(r, head->dataset, DATASET_ID_LEN);
	head->epoch = rd_u32(r);
	type = rd_u8(r);
	head->type = (enum record_type)type;
	if (rd_u8(r) != 0 || rd_u16(r) != 0)
		r->failed = true;
	head->seq = rd_u64(r);
	rd_copy(r, head->prev, OBJECT_NAME_LEN);
	rd_copy(r, head->signer, IDENTITY_ID_LEN);
	head->time = (int64_t)rd_u64(r);
	return type;
}

/* Only the first record has none before it. */
static bool
prev_fits(const struct record_head *head)
{
	static const uint8_t none[OBJECT_NAME_LEN];
	bool first = memcmp(head->prev, none, OBJECT_NAME_LEN) == 0;

	return head->seq > 0 && first == (head->seq == 1);
}

static bool
clear_sound(const struct record_clear *c)
{
	return c->head.epoch != 0 && prev_fits(&c->head) &&
	       (c->ncondemned == 0 || c->head.type == RECORD_PRUNE) &&
	       record_lists_sound(c);
}

static int
parse(const uint8_t *buf, size_t len, struct parsed *p, struct err *err)
{
	struct rd r = rd_init(buf, len);
	unsigned type;
	int rc;

	memset(p, 0, sizeof(*p));
	rc = object_head_read(&r, LETTER, WHAT, err);
	if (rc != 0)
		return rc;
	type = rd_head(&r, &p->clear.head);
	if (!r.failed && (type < RECORD_SNAPSHOT || type > RECORD_PRIMARY))
		return err_set(err, ERR_VERSION,
		    "a log record of type %u, which this program does not"
		    " know",
		    type);
	record_rd_lists(&r, &p->clear);
	p->boxlen = rd_u32(&r);
	p->head = len - rd_left(&r);
	p->box = rd_bytes(&r, p->boxlen);
	(void)rd_bytes(&r, SIGNATURE_LEN);
	if (!rd_done(&r) || len > RECORD_MAX || !clear_sound(&p->clear))
		return err_set(err, ERR_CORRUPT, "malformed " WHAT);
	return 0;
}

int
record_peek(
    const uint8_t *buf, size_t len, struct record_clear *out, struct err *err)
{
	struct parsed p;
	int rc = parse(buf, len, &p, err);

	*out = p.clear;
	return rc;
}

/* --- the whole record -------------------------------------------------- */

/* The part in the clear, as it will be found; empty lists need no arrays. */
static int
write_clear(const struct record_head *head, const struct record_lists *lists,
    size_t bodylen, struct wr *w, struct err *err)
{
	size_t taken;

	if (!prev_fits(head))
		return err_set(err, ERR_BUG, "record %ju follows none",
		    (uintmax_t)head->seq);
	if (lists->nindexes > RECORD_INDEXES_MAX)
		return err_set(err, ERR_FULL,
		    "the dataset has %zu indexes, and a record names %d at"
		    " most: 'varve prune' makes fewer of them",
		    lists->nindexes, RECORD_INDEXES_MAX);
	wr_clear_part(w, head, lists, bodylen + BOX_OVERHEAD);
	if (w->failed)
		return err_nomem(err);
	taken = w->len + BOX_OVERHEAD + SIGNATURE_LEN;
	if (taken > RECORD_MAX || bodylen > RECORD_MAX - taken)
		return err_set(err, ERR_BUG,
		    "%zu bytes and a box of %zu, which no record can hold",
		    w->len, bodylen);
	return 0;
}

/* What nobody would read must not be written. */
static int
check_written(const struct wr *record, struct err *err)
{
	struct record_clear clear;
	int rc = record_peek(record->buf, record->len, &clear, err);

	if (rc == 0)
		return 0;
	(void)err_wrap(err, "a log record that can't be");
	if (err != NULL)
		err->code = ERR_BUG;
	return ERR_BUG;
}

int
record_encode(struct record *r, const struct record_lists *lists,
    const struct keyset *ks, const struct identity *signer, struct wr *w,
    struct err *err)
{
	WIPE struct key32 key = box_key(ks);
	WR_AUTO struct wr body = {0};
	WR_AUTO struct wr box = {0};
	WR_AUTO struct wr record = {0};
	int rc;

	r->head.epoch = ks->epoch;
	memcpy(r->head.signer, signer->pub.id, IDENTITY_ID_LEN);
	if (r->head.type == RECORD_SNAPSHOT)
		r->head.time = r->snapshot->end.s;
	rc = record_body_encode(r, &body, err);
	if (rc == 0)
		rc = write_clear(&r->head, lists, body.len, &record, err);
	if (rc != 0)
		return rc;
	/* A buffer of its own: ${record} moves while it grows. */
	rc = box_seal(&key, BOX_LABEL, record.buf, record.len, body.buf,
	    body.len, &box, err);
	if (rc != 0)
		return rc;
	wr_bytes(&record, box.buf, box.len);
	rc = object_sign(&record, SIGN_LABEL, &signer->sign, err);
	if (rc == 0)
		rc = check_written(&record, err);
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
	const struct record_head *head = &p->clear.head;
	const struct keyset *ks = keyring_epoch(kr, head->epoch);
	WIPE struct key32 key = {0};

	if (ks == NULL)
		return err_set(err, ERR_DENIED,
		    "sealed under epoch %u, which this key was not given",
		    head->epoch);
	if (memcmp(ks->dataset, head->dataset, DATASET_ID_LEN) != 0)
		return err_set(
		    err, ERR_CORRUPT, "a " WHAT " of another dataset");
	key = box_key(ks);
	return box_open(
	    &key, BOX_LABEL, buf, p->head, p->box, p->boxlen, body, err);
}

int
record_decode(const uint8_t *buf, size_t len, const struct keyring *kr,
    struct record **out, struct err *err)
{
	AUTO(record) struct record *r = NULL;
	WR_AUTO struct wr body = {0};
	struct parsed p;
	int rc = parse(buf, len, &p, err);

	*out = NULL;
	if (rc == 0)
		rc = open_body(buf, &p, kr, &body, err);
	if (rc != 0)
		return rc;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_nomem(err);
	r->head = p.clear.head;
	rc = record_body_decode(body.buf, body.len, r, err);
	if (rc != 0)
		return rc;
	*out = STEAL(r);
	return 0;
}
