#include "snapshot/log/log_internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * What others can put behind the records that were there must not hide these.
 * So the chain is followed as far as it goes, and then back to the newest
 * record that is signed by who may: it vouches for all before it. What lies
 * beyond is left out, and the log says what is wrong with it. But never are
 * fewer records shown than this machine has seen.
 */

/* Where it stands in the store, by whom, and after which: its own words. */
static int
check_head(const struct log *l, const struct object_ref *ref,
    const struct record_head *head, struct err *err)
{
	static const uint8_t none[OBJECT_NAME_LEN];
	const uint8_t *prev =
	    l->nrecords == 0 ? none : l->records[l->nrecords - 1].name;

	if (memcmp(head->dataset, l->ds->id, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "of another dataset");
	if (head->seq != ref->seq)
		return err_set(err, ERR_CORRUPT, "says that it is record %ju",
		    (uintmax_t)head->seq);
	if (memcmp(head->prev, prev, OBJECT_NAME_LEN) != 0)
		return err_set(
		    err, ERR_CORRUPT, "does not follow the one before it");
	return 0;
}

/*
 * A writer who came in a later epoch can't open what was sealed before. It may
 * stay closed under a newer one that can be opened.
 */
static int
decode(const struct log *l, const uint8_t *buf, size_t len,
    struct snapshot **out, struct err *err)
{
	int rc = record_decode_snapshot(buf, len, l->ds->keys, out, err);

	return rc == ERR_DENIED ? 0 : rc;
}

static int
read_bytes(const struct log *l, const struct object_ref *ref,
    const uint8_t *buf, size_t len, struct snapshot **out, struct err *err)
{
	struct record_head head;
	int rc = record_peek(buf, len, &head, err);

	if (rc == 0)
		rc = check_head(l, ref, &head, err);
	if (rc == 0)
		rc = decode(l, buf, len, out, err);
	if (rc == 0 && *out != NULL)
		memcpy((*out)->id, ref->name, OBJECT_NAME_LEN);
	return rc;
}

/* Of ${signed_only}, a record counts only if its signature is found good. */
static int
read_record(const struct log *l, const struct object_ref *ref, bool signed_only,
    struct snapshot **out, struct err *err)
{
	AUTO(snapshot) struct snapshot *s = NULL;
	uint8_t *buf = NULL;
	size_t len;
	int rc = log_get(l, ref, &buf, &len, err);

	if (rc == 0)
		rc = read_bytes(l, ref, buf, len, &s, err);
	if (rc == 0 && signed_only)
		rc = s != NULL ? log_check_signature(l, s, buf, len, err)
			       : err_set(err, ERR_DENIED,
				     "sealed under an epoch that this key was"
				     " not given");
	free(buf);
	if (rc != 0)
		return log_wrap(l, ref->seq, err);
	*out = STEAL(s);
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

/*
 * Several records of one number: copies of a store that went different ways, or
 * somebody without keys who put another there. It is the one that this machine
 * has seen, or else the only one that is signed; or none.
 */
static int
choose(struct log *l, const struct log_list *list, size_t at, size_t n,
    size_t *chosen, struct err *err)
{
	uint64_t seq = list->refs[at].seq;
	size_t good = 0;
	struct err why;

	(void)err_set(&why, ERR_CORRUPT,
	    "log of dataset '%s' has two records %ju: copies of the store went"
	    " different ways",
	    l->ds->name, (uintmax_t)seq);
	note(l, &why);
	for (size_t i = at; i < at + n; i++) {
		const struct object_ref *ref = &list->refs[i];
		AUTO(snapshot) struct snapshot *s = NULL;
		int rc;

		if (seq == list->seen.seq &&
		    memcmp(ref->name, list->seen.name, OBJECT_NAME_LEN) != 0)
			continue;
		rc = read_record(l, ref, seq != list->seen.seq, &s, &why);
		if (is_fatal(rc))
			return err_copy(err, &why);
		if (rc != 0)
			continue;
		good++;
		*chosen = i;
	}
	return good == 1 ? 0 : err_copy(err, &l->damage);
}

/* The record after those at hand, which the list has at ${at}. */
static int
read_next(
    struct log *l, const struct log_list *list, size_t at, struct err *err)
{
	uint64_t seq = l->nrecords + 1;
	struct snapshot *s = NULL;
	size_t n = log_list_find(list, seq + 1) - at;
	int rc = 0;

	if (list->refs[at].seq != seq)
		return err_set(err, ERR_CORRUPT,
		    "log of dataset '%s' has no record %ju, but a record %ju",
		    l->ds->name, (uintmax_t)seq, (uintmax_t)list->refs[at].seq);
	if (n > 1)
		rc = choose(l, list, at, n, &at, err);
	if (rc == 0)
		rc = read_record(l, &list->refs[at], false, &s, err);
	return rc != 0 ? rc : log_take(l, list->refs[at].name, s, err);
}

/* As far as the chain goes. */
static int
read_records(struct log *l, const struct log_list *list, struct err *err)
{
	int rc = log_reserve(l, list->n, err);

	while (rc == 0) {
		size_t at = log_list_find(list, l->nrecords + 1);
		struct err why;

		if (at == list->n)
			return 0;
		rc = read_next(l, list, at, &why);
		if (is_fatal(rc))
			return err_copy(err, &why);
		if (rc != 0)
			note(l, &why);
	}
	return is_fatal(rc) ? rc : 0;
}

/* Back to the newest record that is signed, but not before those at hand. */
static int
drop_unsigned(struct log *l, size_t before, struct err *err)
{
	while (l->nrecords > before) {
		struct err why;
		int rc = log_check_record(l, l->nrecords - 1, &why);

		if (rc == 0)
			return 0;
		if (is_fatal(rc))
			return err_copy(err, &why);
		l->damage = why;
		log_truncate(l, l->nrecords - 1);
	}
	return 0;
}

int
log_remember(struct log *l, struct err *err)
{
	if (l->heads == NULL || l->nrecords == 0)
		return 0;
	return heads_set(l->heads, l->ds->id, l->nrecords,
	    l->records[l->nrecords - 1].name, err);
}

/* Until the newest is found to be signed, none of them counts. */
static int
read_listed(struct log *l, const struct log_list *list, struct err *err)
{
	size_t before = l->nrecords;
	int rc = read_records(l, list, err);

	if (rc == 0)
		rc = drop_unsigned(l, before, err);
	/* A log of which nothing can be used is no empty log. */
	if (rc == 0 && l->damage.code != 0 &&
	    (l->nrecords == 0 || l->nrecords < list->seen.seq))
		rc = err_copy(err, &l->damage);
	return rc;
}

static int
read_news(struct log *l, struct err *err)
{
	LOG_LIST_AUTO struct log_list list = {0};
	const struct err damage = l->damage;
	size_t before = l->nrecords;
	int rc = log_list_read(l, &list, err);

	if (rc != 0)
		return rc;
	l->damage.code = 0;
	rc = read_listed(l, &list, err);
	if (rc == 0 && l->nrecords > before)
		rc = log_remember(l, err);
	if (rc != 0) {
		log_truncate(l, before);
		l->damage = damage;
	}
	return rc;
}

int
log_refresh(struct log *l, bool *changed, struct err *err)
{
	size_t before = l->nrecords;
	uint64_t mark;
	int rc = store_log_mark(access_store(l->access), l->ds->id, &mark, err);

	*changed = false;
	if (rc != 0 || mark == l->mark)
		return rc;
	rc = read_news(l, err);
	if (rc != 0)
		return rc;
	/* A damaged end is looked at again: its signer's grant may arrive. */
	if (l->damage.code == 0)
		l->mark = mark;
	*changed = l->nrecords != before;
	return 0;
}

int
log_load(struct access *a, const struct dataset *ds, struct heads *heads,
    struct log **out, struct err *err)
{
	AUTO(log) struct log *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (l == NULL)
		return err_nomem(err);
	l->access = a;
	l->ds = ds;
	l->heads = heads;
	rc = store_log_mark(access_store(a), ds->id, &l->mark, err);
	if (rc == 0)
		rc = read_news(l, err);
	if (rc != 0)
		return rc;
	*out = STEAL(l);
	return 0;
}
