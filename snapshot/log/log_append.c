#include "snapshot/log/log_internal.h"
#include "snapshot/log/record_body.h"

#include <string.h>

#define NS_PER_S 1000000000
#define NS_PER_MS 1000000

static int
check_may_append(const struct log *l, struct err *err)
{
	if (access_identity(l->access) == NULL)
		return err_set(err, ERR_DENIED,
		    "dataset '%s': a log is signed by a person or a host, and"
		    " this key is neither",
		    l->ds->name);
	if (!l->ds->may_write || keyring_latest(l->ds->keys) == NULL)
		return err_set(err, ERR_DENIED,
		    "dataset '%s': this key may not write to it", l->ds->name);
	if (l->damage.code != 0)
		return err_set(err, ERR_CORRUPT,
		    "the log of dataset '%s' is damaged, and nothing can be"
		    " added to it (see 'varve check'): %s",
		    l->ds->name, l->damage.text);
	return 0;
}

/*
 * What this key signs must count for those who read it: a record that does not
 * would stand in the way of all later ones.
 */
static int
check_will_count(const struct log *l, const struct snapshot *s, struct err *err)
{
	const struct identity_public *me = &access_identity(l->access)->pub;
	struct ed25519_public signer;
	int rc =
	    access_signer(l->access, me->id, l->ds->id, s->end.s, &signer, err);

	if (rc == ERR_AUTH ||
	    (rc == 0 && !ct_equal(signer.b, me->sign.b, sizeof(signer.b))))
		return err_set(err, ERR_DENIED,
		    "the grant of '%s' ended during the backup", me->name);
	return rc;
}

/*
 * The lock should see to it; but a store on a network filesystem without locks
 * may have been written to all the same.
 */
static int
check_head_unmoved(struct log *l, struct err *err)
{
	LOG_LIST_AUTO struct log_list list = {0};
	uint64_t last;
	int rc = log_list_read(l, &list, err);

	if (rc != 0 || list.n == l->nrecords)
		return rc;
	last = list.refs[list.n - 1].seq;
	if (last > l->nrecords)
		return err_set(err, ERR_LOCKED,
		    "somebody else has added record %ju to the log of dataset"
		    " '%s' meanwhile",
		    (uintmax_t)last, l->ds->name);
	return err_set(err, ERR_CORRUPT,
	    "somebody else has put a second record of one number into the log"
	    " of dataset '%s': see 'varve check'",
	    l->ds->name);
}

static void
nudge(const struct log *l, struct moment *m)
{
	while (log_time_taken(l, *m)) {
		m->ns += NS_PER_MS;
		if (m->ns >= NS_PER_S) {
			m->ns -= NS_PER_S;
			m->s++;
		}
	}
}

static int
encode(const struct log *l, struct snapshot *s, struct wr *w, struct err *err)
{
	const struct identity *id = access_identity(l->access);
	struct record_head head = {.seq = l->nrecords + 1};
	int rc = record_body_root(s, err);

	if (rc != 0)
		return rc;
	memcpy(head.dataset, l->ds->id, DATASET_ID_LEN);
	if (l->nrecords > 0)
		memcpy(head.prev, l->records[l->nrecords - 1].name,
		    OBJECT_NAME_LEN);
	rc = record_encode_snapshot(
	    s, &head, keyring_latest(l->ds->keys), id, w, err);
	s->seq = head.seq;
	memcpy(s->prev, head.prev, OBJECT_NAME_LEN);
	memcpy(s->signer, head.signer, IDENTITY_ID_LEN);
	return rc;
}

static int
store_record(const struct log *l, struct snapshot *s, const struct wr *w,
    struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = s->seq};
	int rc;

	memcpy(ref.dataset, l->ds->id, DATASET_ID_LEN);
	rc = store_put(access_store(l->access), &ref, w->buf, w->len, err);
	memcpy(s->id, ref.name, OBJECT_NAME_LEN);
	return rc;
}

int
log_append(struct log *l, struct snapshot *s, struct err *err)
{
	AUTO(snapshot) struct snapshot *own = s;
	WR_AUTO struct wr w = {0};
	int rc = check_may_append(l, err);

	if (rc == 0)
		rc = check_head_unmoved(l, err);
	if (rc == 0)
		rc = log_reserve(l, l->nrecords + 1, err);
	if (rc != 0)
		return rc;
	nudge(l, &own->time);
	rc = encode(l, own, &w, err);
	if (rc == 0)
		rc = check_will_count(l, own, err);
	if (rc == 0)
		rc = store_record(l, own, &w, err);
	if (rc == 0)
		rc = log_take(l, s->id, STEAL(own), err);
	if (rc != 0)
		return err_wrap(
		    err, "cannot add to the log of dataset '%s'", l->ds->name);
	rc = log_remember(l, err);
	if (rc != 0)
		return err_wrap(err,
		    "the snapshot of dataset '%s' is stored, but cannot be"
		    " remembered as its newest",
		    l->ds->name);
	return 0;
}
