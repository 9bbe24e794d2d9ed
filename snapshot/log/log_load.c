#include "snapshot/log/log_internal.h"

#include <stdlib.h>
#include <string.h>

static int
get_record(const struct log *l, const struct object_ref *ref, uint8_t **buf,
    size_t *len, struct err *err)
{
	return store_get(
	    access_store(l->access), ref, RECORD_MAX, buf, len, err);
}

static int
wrap(const struct log *l, uint64_t seq, struct err *err)
{
	return err_wrap(err, "record %ju of the log of dataset '%s'",
	    (uintmax_t)seq, l->ds->name);
}

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
 * A writer who came in a later epoch can't open what was sealed before, and
 * needs only the newest.
 */
static int
decode(const struct log *l, const uint8_t *buf, size_t len, bool newest,
    struct snapshot **out, struct err *err)
{
	int rc = record_decode_snapshot(buf, len, l->ds->keys, out, err);

	return rc == ERR_DENIED && !newest ? 0 : rc;
}

static int
check_signature(const struct log *l, const struct snapshot *s,
    const uint8_t *buf, size_t len, struct err *err)
{
	struct ed25519_public signer;
	int rc = access_signer(
	    l->access, s->signer, l->ds->id, s->end.s, &signer, err);

	return rc != 0 ? rc : record_check(buf, len, &signer, err);
}

static int
read_bytes(struct log *l, const struct object_ref *ref, const uint8_t *buf,
    size_t len, bool newest, struct err *err)
{
	AUTO(snapshot) struct snapshot *s = NULL;
	struct record_head head;
	int rc = record_peek(buf, len, &head, err);

	if (rc == 0)
		rc = check_head(l, ref, &head, err);
	if (rc == 0)
		rc = decode(l, buf, len, newest, &s, err);
	if (rc == 0 && newest)
		rc = check_signature(l, s, buf, len, err);
	if (rc != 0)
		return rc;
	if (s != NULL)
		memcpy(s->id, ref->name, OBJECT_NAME_LEN);
	return log_take(l, ref->name, STEAL(s), err);
}

static int
read_record(
    struct log *l, const struct object_ref *ref, bool newest, struct err *err)
{
	uint8_t *buf = NULL;
	size_t len;
	int rc = get_record(l, ref, &buf, &len, err);

	if (rc == 0) {
		rc = read_bytes(l, ref, buf, len, newest, err);
		if (rc != 0)
			rc = wrap(l, ref->seq, err);
	}
	free(buf);
	return rc;
}

static int
read_records(struct log *l, const struct log_list *list, struct err *err)
{
	int rc = log_reserve(l, list->n, err);

	for (size_t i = l->nrecords; rc == 0 && i < list->n; i++)
		rc = read_record(l, &list->refs[i], i + 1 == list->n, err);
	return rc;
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
read_news(struct log *l, struct err *err)
{
	LOG_LIST_AUTO struct log_list list = {0};
	size_t before = l->nrecords;
	int rc = log_list_read(l, &list, err);

	if (rc == 0 && list.n > before) {
		rc = read_records(l, &list, err);
		if (rc == 0)
			rc = log_remember(l, err);
		if (rc != 0)
			log_truncate(l, before);
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

static int
check_again(const struct log *l, size_t i, struct err *err)
{
	const struct log_record *record = &l->records[i];
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = i + 1};
	uint8_t *buf = NULL;
	size_t len;
	int rc;

	if (record->snapshot == NULL)
		return err_set(err, ERR_DENIED,
		    "sealed under an epoch that this key was not given");
	memcpy(ref.dataset, l->ds->id, DATASET_ID_LEN);
	memcpy(ref.name, record->name, OBJECT_NAME_LEN);
	rc = get_record(l, &ref, &buf, &len, err);
	if (rc == 0)
		rc = check_signature(l, record->snapshot, buf, len, err);
	free(buf);
	return rc;
}

int
log_check(struct log *l, struct err *err)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		int rc = check_again(l, i, err);

		if (rc != 0)
			return wrap(l, i + 1, err);
	}
	return 0;
}
