#include "snapshot/log/log_internal.h"
#include "snapshot/log/record_body.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1000000000
#define NS_PER_MS 1000000

static int
check_may_append(const struct log *l, enum record_type type, struct err *err)
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
	if (l->behind.seen != 0 && type != RECORD_PRIMARY)
		return err_set(err, ERR_CORRUPT,
		    "the log of dataset '%s' ends at record %ju, and this"
		    " machine has seen record %ju of it: nothing is added to "
		    "it",
		    l->ds->name, (uintmax_t)l->behind.shown,
		    (uintmax_t)l->behind.seen);
	/* A record that is lost may be a hold, or rules. */
	if (log_gap(l) != NULL && type != RECORD_SNAPSHOT)
		return err_set(err, ERR_CORRUPT,
		    "the log of dataset '%s' lacks a record, and until 'varve"
		    " repair' has brought it back, only backups are added: %s",
		    l->ds->name, log_gap(l)->text);
	return 0;
}

static int
may_sign(const struct log *l, const struct record_head *head,
    struct ed25519_public *signer, struct err *err)
{
	const struct identity_public *me = &access_identity(l->access)->pub;

	if (record_admin_only(head->type))
		return access_admin_signer(
		    l->access, me->id, head->time, signer, err);
	return access_signer(
	    l->access, me->id, l->ds->id, head->time, signer, err);
}

/*
 * What this key signs must count for those who read it: a record that does not
 * would stand in the way of all later ones.
 */
static int
check_will_count(
    const struct log *l, const struct record_head *head, struct err *err)
{
	const struct identity_public *me = &access_identity(l->access)->pub;
	struct ed25519_public signer;
	int rc = may_sign(l, head, &signer, err);

	if (rc == 0 && ct_equal(signer.b, me->sign.b, sizeof(signer.b)))
		return 0;
	if (rc != 0 && rc != ERR_AUTH)
		return rc;
	if (record_admin_only(head->type))
		return err_set(err, ERR_DENIED,
		    "'%s' is no admin: only admins say what is kept and what"
		    " goes",
		    me->name);
	return err_set(err, ERR_DENIED,
	    "the grant of '%s' ended during the backup", me->name);
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

	if (rc != 0)
		return rc;
	last = record_refs_last(&list.all);
	if (last > log_number(l))
		return err_set(err, ERR_LOCKED,
		    "somebody else has added record %ju to the log of dataset"
		    " '%s' meanwhile",
		    (uintmax_t)last, l->ds->name);
	if (record_refs_single(&list.all))
		return 0;
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

/*
 * A tail does not know the times before it but for the latest. Where the clock
 * has gone back behind that, all of the log says what is free.
 */
static int
find_time(struct log *l, struct moment *m, struct err *err)
{
	AUTO(log) struct log *all = NULL;
	int rc;

	if (l->base == 0 || log_is_later(l, *m)) {
		nudge(l, m);
		return 0;
	}
	rc = log_load(l->access, l->ds, l->heads, &all, err);
	if (rc != 0)
		return rc;
	nudge(all, m);
	l->known.latest = log_latest(all);
	return 0;
}

static int
store_record(
    const struct log *l, struct record *r, const struct wr *w, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = r->head.seq};
	int rc;

	memcpy(ref.dataset, l->ds->id, DATASET_ID_LEN);
	rc = store_put(access_store(l->access), &ref, w->buf, w->len, err);
	memcpy(r->name, ref.name, OBJECT_NAME_LEN);
	return rc;
}

static void
take_place(const struct log *l, struct record_head *head)
{
	head->seq = log_number(l) + 1;
	memcpy(head->dataset, l->ds->id, DATASET_ID_LEN);
	if (l->nrecords > 0)
		memcpy(head->prev, l->records[l->nrecords - 1]->name,
		    OBJECT_NAME_LEN);
	if (head->type != RECORD_SNAPSHOT)
		head->time = access_now(l->access);
}

/* Signed and sealed, if it will count. */
static int
encode(const struct log *l, struct record *r, const struct record_lists *lists,
    struct wr *w, struct err *err)
{
	int rc;

	take_place(l, &r->head);
	rc = record_encode(r, lists, keyring_latest(l->ds->keys),
	    access_identity(l->access), w, err);
	return rc != 0 ? rc : check_will_count(l, &r->head, err);
}

/* As the decoder would leave it. */
static void
describe(struct record *r)
{
	struct snapshot *s = r->snapshot;

	s->seq = r->head.seq;
	memcpy(s->id, r->name, OBJECT_NAME_LEN);
	memcpy(s->prev, r->head.prev, OBJECT_NAME_LEN);
	memcpy(s->signer, r->head.signer, IDENTITY_ID_LEN);
}

static int
publish(struct log *l, struct record *r, const struct record_lists *lists,
    struct err *err)
{
	AUTO(record) struct record *own = r;
	INDEX_LIST_AUTO struct index_list indexes = {0};
	WR_AUTO struct wr w = {0};
	int rc = check_head_unmoved(l, err);

	if (rc == 0)
		rc = log_reserve(l, l->nrecords + 1, err);
	if (rc == 0)
		rc = encode(l, own, lists, &w, err);
	if (rc == 0)
		rc = index_list_copy(
		    &indexes, lists->indexes, lists->nindexes, err);
	if (rc == 0)
		rc = store_record(l, own, &w, err);
	if (rc != 0)
		return rc;
	if (own->head.type == RECORD_SNAPSHOT)
		describe(own);
	index_list_take(&l->indexes, &indexes);
	rc = log_take(l, STEAL(own), err);
	log_settle(l);
	return rc;
}

/*
 * Of a replica that is behind, an admin makes the primary, who was told of it:
 * what this machine saw counts no more, even if it was another such change.
 */
static int
remember(struct log *l, struct err *err)
{
	int rc = 0;

	if (l->heads != NULL && l->behind.seen != 0 &&
	    l->changes <= l->recalled.changes)
		rc = heads_forget(l->heads, l->ds->id, err);
	return rc != 0 ? rc : log_remember(l, err);
}

int
log_append_record(struct log *l, struct record *r,
    const struct record_lists *lists, struct err *err)
{
	AUTO(record) struct record *own = r;
	int rc = check_may_append(l, own->head.type, err);

	if (rc != 0)
		return rc;
	own->open = true;
	rc = publish(l, STEAL(own), lists, err);
	if (rc != 0)
		return err_wrap(
		    err, "cannot add to the log of dataset '%s'", l->ds->name);
	rc = remember(l, err);
	if (rc != 0)
		return err_wrap(err,
		    "record %ju of the log of dataset '%s' is stored, but"
		    " cannot be remembered as its newest",
		    (uintmax_t)log_number(l), l->ds->name);
	return 0;
}

int
log_append(struct log *l, struct snapshot *s,
    const uint8_t (*indexes)[OBJECT_NAME_LEN], size_t n, struct err *err)
{
	const struct record_lists lists = {.indexes = indexes, .nindexes = n};
	AUTO(snapshot) struct snapshot *own = s;
	struct record *r;
	int rc = record_snapshot_root(s, err);

	if (rc == 0)
		rc = find_time(l, &s->time, err);
	if (rc != 0)
		return err_wrap(
		    err, "cannot add to the log of dataset '%s'", l->ds->name);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_nomem(err);
	r->head.type = RECORD_SNAPSHOT;
	r->open = true;
	r->snapshot = STEAL(own);
	return log_append_record(l, r, &lists, err);
}
