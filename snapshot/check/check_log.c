#include "snapshot/check/check_internal.h"
#include "snapshot/store/object_ref.h"

#include <stdlib.h>

/*
 * As in a log that is loaded: a listing may show a record and not the one
 * before it, when both were added meanwhile.
 */
#define TRIES 3

/* A log's records, by sequence number, and what this machine saw last of it. */
struct chain {
	struct scope *s;
	struct object_ref *refs;
	size_t n, cap;
	uint64_t seen; /* 0: nothing */
	uint8_t seen_name[OBJECT_NAME_LEN];
	uint64_t own; /* of the last record that is of this log; 0: none yet */
	bool damaged;
};

/* --- listing ------------------------------------------------------------ */

static int
add_ref(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct chain *ch = arg;

	if (ch->n == ch->cap) {
		size_t cap = ch->cap == 0 ? 256 : ch->cap * 2;
		struct object_ref *refs =
		    reallocarray(ch->refs, cap, sizeof(*refs));

		if (refs == NULL)
			return err_nomem(err);
		ch->refs = refs;
		ch->cap = cap;
	}
	ch->refs[ch->n++] = *ref;
	return 0;
}

static bool
has_gap(const struct chain *ch)
{
	for (size_t i = 0; i < ch->n; i++)
		if (ch->refs[i].seq != i + 1)
			return true;
	return false;
}

static int
list_records(struct chain *ch, struct err *err)
{
	struct check *c = ch->s->c;
	int rc = 0;

	for (int i = 0; rc == 0 && i < TRIES; i++) {
		ch->n = 0;
		rc = store_list(
		    c->store, OBJECT_LOG, ch->s->id, add_ref, ch, err);
		if (!has_gap(ch))
			break;
	}
	return rc;
}

/* Before listing: another process may add a record and remember it. */
static int
recall(struct chain *ch, struct err *err)
{
	struct heads *heads = ch->s->c->heads;
	int rc = ERR_NOT_FOUND;

	if (heads != NULL)
		rc = heads_get(heads, ch->s->id, &ch->seen, ch->seen_name, err);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* --- the chain ---------------------------------------------------------- */

static uint64_t
seq_before(const struct chain *ch, size_t i)
{
	return i == 0 ? 0 : ch->refs[i - 1].seq;
}

/* After a gap any will do: the gap is told of. */
static bool
follows(const struct chain *ch, size_t i, const uint8_t prev[OBJECT_NAME_LEN])
{
	uint64_t before = ch->refs[i].seq - 1;
	bool there = false;

	while (i > 0 && ch->refs[i - 1].seq > before)
		i--;
	for (; i > 0 && ch->refs[i - 1].seq == before; i--) {
		there = true;
		if (memcmp(ch->refs[i - 1].name, prev, OBJECT_NAME_LEN) == 0)
			return true;
	}
	return !there;
}

static int
check_place(
    struct chain *ch, size_t i, const struct record_head *head, struct err *err)
{
	if (memcmp(head->dataset, ch->s->id, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "it is another dataset's");
	if (head->seq != ch->refs[i].seq)
		return err_set(err, ERR_CORRUPT,
		    "it says that it is record %ju", (uintmax_t)head->seq);
	if (head->seq == ch->own)
		return err_set(err, ERR_CORRUPT,
		    "a second record %ju: copies of the store went different "
		    "ways",
		    (uintmax_t)head->seq);
	ch->own = head->seq;
	if (!follows(ch, i, head->prev))
		return err_set(
		    err, ERR_CORRUPT, "it does not follow the one before it");
	return 0;
}

/* Record ${i} knows the name of the one that is missing before it. */
static void
tell_gap(struct chain *ch, size_t i, const struct record_head *head)
{
	uint64_t first = seq_before(ch, i) + 1;
	struct object_ref ref;
	char dir[OBJECT_REF_TEXT];

	ch->damaged = true;
	if (head == NULL) {
		object_ref_class_dir(OBJECT_LOG, ch->s->id, dir);
		check_tell(ch->s->c, dir,
		    "records are missing before a damaged one", NULL);
		return;
	}
	scope_ref(ch->s, OBJECT_LOG, head->prev, &ref);
	ref.seq = ch->refs[i].seq - 1;
	if (ref.seq == first)
		check_say(ch->s->c, &ref, "missing");
	else
		check_say(ch->s->c, &ref,
		    "missing, and all records before it down to number %ju",
		    (uintmax_t)first);
}

/* --- one record --------------------------------------------------------- */

/* A writer who came in a later epoch can't open what was sealed before. */
static int
open_record(const struct chain *ch, const uint8_t *buf, size_t len,
    struct snapshot **out, struct err *err)
{
	int rc;

	*out = NULL;
	if (ch->s->ds == NULL)
		return 0;
	rc = record_decode_snapshot(buf, len, ch->s->ds->keys, out, err);
	return rc == ERR_DENIED ? 0 : rc;
}

static int
check_signature(const struct chain *ch, const struct record_head *head,
    const struct snapshot *snap, const uint8_t *buf, size_t len,
    struct err *err)
{
	const struct check *c = ch->s->c;
	struct ed25519_public signer;
	int rc;

	if (snap != NULL)
		rc = access_signer(c->access, head->signer, ch->s->id,
		    snap->end.s, &signer, err);
	else
		rc =
		    check_signer_ever(c, head->signer, ch->s->id, &signer, err);
	return rc != 0 ? rc : record_check(buf, len, &signer, err);
}

static int
take_snapshot(struct scope *s, struct snapshot *snap, struct err *err)
{
	struct snapshot **v =
	    reallocarray(s->snapshots, s->nsnapshots + 1, sizeof(*v));

	if (v == NULL) {
		snapshot_free(snap);
		return err_nomem(err);
	}
	s->snapshots = v;
	v[s->nsnapshots++] = snap;
	return 0;
}

static int
check_bytes_of(
    struct chain *ch, size_t i, const uint8_t *buf, size_t len, struct err *err)
{
	AUTO(snapshot) struct snapshot *snap = NULL;
	bool gap = ch->refs[i].seq > seq_before(ch, i) + 1;
	struct record_head head;
	int rc = record_peek(buf, len, &head, err);

	if (gap)
		tell_gap(ch, i, rc == 0 ? &head : NULL);
	if (rc == 0)
		rc = check_place(ch, i, &head, err);
	if (rc == 0)
		rc = open_record(ch, buf, len, &snap, err);
	if (rc == 0)
		rc = check_signature(ch, &head, snap, buf, len, err);
	if (rc != 0 || snap == NULL)
		return rc;
	memcpy(snap->id, ch->refs[i].name, OBJECT_NAME_LEN);
	return take_snapshot(ch->s, STEAL(snap), err);
}

static int
check_record(struct chain *ch, size_t i, struct err *err)
{
	struct check *c = ch->s->c;
	const struct object_ref *ref = &ch->refs[i];
	struct err why;
	uint8_t *buf = NULL;
	size_t len;
	int rc = check_stopped(c, err);

	if (rc != 0)
		return rc;
	rc = store_get(c->store, ref, RECORD_MAX, &buf, &len, &why);
	check_expect(c, len);
	check_count(c, 1, len);
	if (rc == 0)
		rc = check_bytes_of(ch, i, buf, len, &why);
	else if (ref->seq > seq_before(ch, i) + 1)
		tell_gap(ch, i, NULL);
	free(buf);
	ch->damaged |= rc != 0;
	return check_pass_over(c, ref, rc, &why, err);
}

/* --- the whole log ------------------------------------------------------ */

static bool
has_name(const struct chain *ch, uint64_t seq, const uint8_t *name)
{
	for (size_t i = ch->n; i > 0 && ch->refs[i - 1].seq >= seq; i--)
		if (ch->refs[i - 1].seq == seq &&
		    memcmp(ch->refs[i - 1].name, name, OBJECT_NAME_LEN) == 0)
			return true;
	return false;
}

static void
check_seen(struct chain *ch)
{
	uint64_t last = seq_before(ch, ch->n);
	struct object_ref ref;

	if (ch->seen == 0 || has_name(ch, ch->seen, ch->seen_name))
		return;
	ch->damaged = true;
	scope_ref(ch->s, OBJECT_LOG, ch->seen_name, &ref);
	ref.seq = ch->seen;
	if (ch->seen > last)
		check_say(ch->s->c, &ref,
		    "missing: this machine has seen it, the log ends at record "
		    "%ju",
		    (uintmax_t)last);
	else
		check_say(ch->s->c, &ref,
		    "missing: this machine has seen it, the log was rewritten");
}

/*
 * What is left to check of a log whose records are sound is what loading it
 * finds, as everybody does who reads snapshots. It also remembers the head.
 */
static int
load_log(struct chain *ch, struct err *err)
{
	AUTO(log) struct log *log = NULL;
	struct scope *s = ch->s;
	struct err why;
	int rc;

	if (s->ds != NULL) {
		rc = log_load(s->c->access, s->ds, s->c->heads, &log, &why);
		if (rc == 0 && log_damage(log) != NULL)
			rc = err_copy(&why, log_damage(log));
		ch->damaged = rc != 0 && rc != ERR_DENIED;
		if (rc == ERR_DENIED)
			return 0;
		return check_unlisted(s->c, OBJECT_LOG, s->id, rc, &why, err);
	}
	if (s->c->heads == NULL || ch->n == 0)
		return 0;
	return heads_set(s->c->heads, s->id, ch->refs[ch->n - 1].seq,
	    ch->refs[ch->n - 1].name, err);
}

static int
check_chain(struct chain *ch, struct err *err)
{
	const struct snapshot *head;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ch->n; i++)
		rc = check_record(ch, i, err);
	if (rc != 0)
		return rc;
	check_seen(ch);
	if (!ch->damaged)
		rc = load_log(ch, err);
	head = scope_head(ch->s);
	ch->s->partial =
	    ch->damaged || (ch->n > 0 && (head == NULL || head->seq != ch->n));
	return rc;
}

int
check_log(struct scope *s, struct err *err)
{
	struct chain ch = {.s = s};
	struct err why;
	int rc = recall(&ch, err);

	if (rc == 0) {
		rc = list_records(&ch, &why);
		s->partial = rc != 0;
		rc = rc == 0 ? check_chain(&ch, err)
			     : check_unlisted(
				   s->c, OBJECT_LOG, s->id, rc, &why, err);
	}
	free(ch.refs);
	return rc;
}
