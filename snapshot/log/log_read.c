#include "snapshot/log/log_ahead.h"
#include "snapshot/log/log_internal.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * What others can put behind the records that were there must not hide these.
 * So the chain is followed as far as it goes, and then back to the newest
 * record that is signed by who may: it vouches for all before it. What lies
 * beyond is left out, and the log says what is wrong with it. But never are
 * fewer records shown than this machine has seen, unless the bytes of those that
 * are left out are not to be had: then they are there, but damaged.
 */

/* How a record is read. */
struct reading {
	const struct head_seen *seen; /* those up to it are vouched for */
	bool signed_only; /* it counts only if its signature is found good */
	struct log_ahead *ahead; /* what may have its bytes; may be NULL */
	bool *lost;              /* it failed, and is to be passed over */
};

/* Where it stands in the store, by whom, and after which: its own words. */
static int
check_head(struct log *l, const struct object_ref *ref,
    const struct record_head *head, const struct reading *how, struct err *err)
{
	static const uint8_t none[OBJECT_NAME_LEN];
	const struct record *last =
	    l->nrecords == 0 ? NULL : l->records[l->nrecords - 1];
	const uint8_t *prev = last == NULL ? none : last->name;
	/* What follows from a tail's first record vouches for it. */
	bool first = l->base > 0 && last == NULL;

	*how->lost = true; /* the one that should be here */
	if (memcmp(head->dataset, l->ds->id, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "of another dataset");
	if (head->seq != ref->seq)
		return err_set(err, ERR_CORRUPT, "says that it is record %ju",
		    (uintmax_t)head->seq);
	*how->lost = false;
	if (last != NULL && last->lost) {
		int rc = log_rejoin(l, how->seen, head->prev, err);

		*how->lost = rc != 0;
		return rc;
	}
	if (!first && memcmp(head->prev, prev, OBJECT_NAME_LEN) != 0)
		return err_set(
		    err, ERR_CORRUPT, "does not follow the one before it");
	return 0;
}

/*
 * A writer who came in a later epoch can't open what was sealed before. It may
 * stay closed under a newer one that can be opened.
 */
static int
decode(const struct log *l, const struct record_clear *clear,
    const uint8_t *buf, size_t len, struct record **out, struct err *err)
{
	int rc = record_decode(buf, len, l->ds->keys, out, err);

	if (rc != ERR_DENIED)
		return rc;
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(err);
	(*out)->head = clear->head;
	return 0;
}

/*
 * What only an admin may do counts only when an admin did it, whatever has come
 * after; but what this machine has seen, it has checked before.
 */
static bool
needs_check(const struct record_head *head, uint64_t seen)
{
	return record_admin_only(head->type) && head->seq > seen;
}

static int
read_bytes(struct log *l, const struct object_ref *ref,
    const struct reading *how, const uint8_t *buf, size_t len,
    struct record **out, struct err *err)
{
	struct record_clear clear;
	int rc = record_peek(buf, len, &clear, err);

	/* What is none lies where one should be. */
	*how->lost = rc == ERR_CORRUPT;
	if (rc == 0)
		rc = check_head(l, ref, &clear.head, how, err);
	if (rc == 0)
		rc = decode(l, &clear, buf, len, out, err);
	if (rc == 0 && how->signed_only && !(*out)->open)
		rc = log_closed(&clear.head, err);
	if (rc == 0 &&
	    (how->signed_only || needs_check(&clear.head, how->seen->seq)))
		rc = log_verify(l->access, &clear, buf, len, err);
	return rc;
}

/* Its bytes, for good; another failure may pass. */
static bool
are_gone(int rc, const struct err *err)
{
	return rc == ERR_CORRUPT || rc == ERR_NOT_FOUND ||
	       (rc == ERR_IO && err->errnum == EIO);
}

static int
read_record(struct log *l, const struct object_ref *ref,
    const struct reading *how, struct record **out, struct err *err)
{
	AUTO(record) struct record *r = NULL;
	uint8_t *buf = NULL;
	size_t len;
	int rc = 0;

	if (!log_ahead_take(how->ahead, ref, &buf, &len))
		rc = log_get(l, ref, &buf, &len, err);
	*how->lost = are_gone(rc, err);
	if (rc == 0)
		rc = read_bytes(l, ref, how, buf, len, &r, err);
	free(buf);
	if (rc != 0)
		return log_wrap(l, ref->seq, err);
	memcpy(r->name, ref->name, OBJECT_NAME_LEN);
	if (r->open && r->head.type == RECORD_SNAPSHOT)
		memcpy(r->snapshot->id, ref->name, OBJECT_NAME_LEN);
	*out = STEAL(r);
	return 0;
}

/* Not the record's fault: it says nothing of the log. */
static bool
is_fatal(int rc)
{
	return rc == ERR_NOMEM || rc == ERR_BUG || rc == ERR_CANCELLED;
}

/* What is wrong with the next record; the first to say so is right. */
static void
note(struct log *l, const struct err *why)
{
	if (l->damage.code == 0)
		l->damage = *why;
}

/* What several files in the place of one record come to. */
struct choice {
	size_t good; /* of this log, whole, and signed by who may */
	size_t at;   /* the one that counts, if any does; else SIZE_MAX */
	size_t lost; /* none of its records, or damaged */
};

/* Of a record that this machine has seen, no other name will do. */
static int
try_each(struct log *l, const struct log_list *list, size_t at, size_t n,
    struct choice *out, struct err *err)
{
	const struct head_seen *seen = &list->seen;
	bool was_seen = list->all.v[at].seq == seen->seq;

	*out = (struct choice){.at = SIZE_MAX};
	for (size_t i = at; i < at + n; i++) {
		const struct object_ref *ref = &list->all.v[i];
		bool lost, is_seen = was_seen && memcmp(ref->name, seen->name,
						     OBJECT_NAME_LEN) == 0;
		const struct reading how = {
		    .seen = seen,
		    .signed_only = !is_seen,
		    .lost = &lost,
		};
		AUTO(record) struct record *r = NULL;
		int rc = read_record(l, ref, &how, &r, err);

		if (is_fatal(rc))
			return rc;
		out->lost += lost;
		if (rc != 0)
			continue;
		out->good++;
		if (is_seen || !was_seen)
			out->at = i;
	}
	return 0;
}

/*
 * Several records of one number: copies of a store that went different ways, or
 * somebody without keys who put another there. It is the one that this machine
 * has seen, or else the only one that is signed; or none.
 */
static int
choose(struct log *l, const struct log_list *list, size_t at, size_t n,
    const struct reading *how, size_t *chosen, struct err *err)
{
	uint64_t seq = list->all.v[at].seq;
	struct choice choice;
	bool fork;
	struct err why;
	int rc = try_each(l, list, at, n, &choice, &why);

	if (rc != 0)
		return err_copy(err, &why);
	fork = choice.good + choice.lost < n || choice.good > 1;
	(void)err_set(&why, ERR_CORRUPT, "log of dataset '%s' has %s %ju%s",
	    l->ds->name, fork ? "two records" : "a second record",
	    (uintmax_t)seq,
	    fork ? ": copies of the store went different ways"
		 : ", which is none of its own");
	*how->lost = choice.lost == n;
	if (choice.lost < n)
		note(l, &why);
	if (choice.at == SIZE_MAX || (seq != list->seen.seq && choice.good > 1))
		return err_copy(err, &why);
	*chosen = choice.at;
	return 0;
}

/* The record after those at hand, which the list has at ${at}, if it has it. */
static int
read_at(struct log *l, const struct log_list *list, size_t at,
    const struct reading *how, struct err *err)
{
	uint64_t seq = log_number(l) + 1;
	struct record *r = NULL;
	size_t n = record_refs_find(&list->all, seq + 1) - at;
	int rc = 0;

	*how->lost = list->all.v[at].seq != seq;
	if (*how->lost)
		return err_set(err, ERR_CORRUPT,
		    "log of dataset '%s' has no record %ju, but a record %ju",
		    l->ds->name, (uintmax_t)seq,
		    (uintmax_t)list->all.v[at].seq);
	if (n > 1)
		rc = choose(l, list, at, n, how, &at, err);
	if (rc == 0)
		rc = read_record(l, &list->all.v[at], how, &r, err);
	return rc != 0 ? rc : log_take(l, r, err);
}

static int
read_next(struct log *l, const struct log_list *list, size_t at,
    struct log_ahead *ahead, struct err *err)
{
	bool lost = false;
	const struct reading how = {
	    .seen = &list->seen, .ahead = ahead, .lost = &lost};
	struct err why;
	int rc = read_at(l, list, at, &how, &why);

	if (rc == 0)
		return 0;
	if (!lost || is_fatal(rc))
		return err_copy(err, &why);
	return log_lose(l, &why, list->all.n - at, err);
}

/* As far as the chain goes. */
static int
read_records(struct log *l, const struct log_list *list, struct err *err)
{
	size_t first = record_refs_find(&list->all, log_number(l) + 1);
	size_t more = list->all.n - first;
	AUTO(log_ahead) struct log_ahead *ahead = NULL;
	int rc = log_reserve(l, l->nrecords + more, err);

	if (more > 0)
		ahead = log_ahead_start(
		    access_store(l->access), list->all.v + first, more);

	while (rc == 0) {
		size_t at = record_refs_find(&list->all, log_number(l) + 1);
		struct err why;

		if (at == list->all.n)
			return 0;
		rc = read_next(l, list, at, ahead, &why);
		if (is_fatal(rc))
			return err_copy(err, &why);
		if (rc != 0)
			note(l, &why);
	}
	return is_fatal(rc) ? rc : 0;
}

/* Whether the newest but ${n} is signed by who may: then it has the set. */
static int
check_newest(struct log *l, size_t n, struct err *err)
{
	const struct record *r = l->records[n - 1];
	INDEX_LIST_AUTO struct index_list indexes = {0};
	struct record_clear clear;
	uint8_t *buf;
	size_t len;
	int rc;

	if (!r->open) {
		(void)log_closed(&r->head, err);
		return log_wrap(l, r->head.seq, err);
	}
	rc = log_record_bytes(l, r->head.seq, &buf, &len, err);
	if (rc != 0)
		return rc;
	rc = record_peek(buf, len, &clear, err);
	if (rc == 0)
		rc = log_verify(l->access, &clear, buf, len, err);
	if (rc == 0)
		rc = index_list_copy(
		    &indexes, clear.indexes, clear.nindexes, err);
	free(buf);
	if (rc != 0)
		return log_wrap(l, r->head.seq, err);
	index_list_take(&l->indexes, &indexes);
	return 0;
}

/* Back to the newest record that is signed, but not before those at hand. */
static int
drop_unsigned(struct log *l, size_t before, struct err *err)
{
	size_t n = l->nrecords;

	l->end_lost = l->damage.code == 0;
	while (n > before) {
		const struct record *r = l->records[n - 1];
		struct err why;
		int rc = r->lost ? r->why->code : check_newest(l, n, &why);

		if (rc == 0)
			break;
		if (is_fatal(rc))
			return err_copy(err, &why);
		l->damage = r->lost ? *r->why : why;
		l->end_lost = l->end_lost && r->lost;
		n--;
	}
	if (n < l->nrecords)
		log_truncate(l, n);
	return 0;
}

int
log_read(struct log *l, const struct log_list *list, struct err *err)
{
	size_t before = l->nrecords;
	int rc = read_records(l, list, err);

	return rc != 0 ? rc : drop_unsigned(l, before, err);
}
