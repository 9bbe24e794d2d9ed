/*
 * Which records a replica takes. The newest record's index set says what is
 * needed: the indexes, and the packs that these list, in the clear. Of the sets
 * of older records, parts may have been pruned before they could be sent; so
 * records come in groups, and of each group the last one's set has to be here.
 */
#include "snapshot/replicate/receive_internal.h"

#include <stdlib.h>
#include <string.h>

void
log_tail_clear(struct log_tail *t)
{
	record_set_clear(&t->set);
}

/* --- what is here ------------------------------------------------------- */

/* In order of seq, so the last one stays. */
static int
see_record(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct log_tail *t = arg;

	if (ref->seq == t->seq)
		return err_set(err, ERR_CORRUPT,
		    "this site has two records %ju of one log: see 'varve"
		    " check --no-keys'",
		    (uintmax_t)ref->seq);
	if (ref->seq != t->seq + 1 && t->missing == 0)
		t->missing = t->seq + 1;
	t->seq = ref->seq;
	memcpy(t->head, ref->name, OBJECT_NAME_LEN);
	return 0;
}

static int
read_set(struct store *s, struct log_tail *t, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = t->seq};
	struct record_clear clear;
	uint8_t *buf;
	size_t len;
	int rc;

	memcpy(ref.dataset, t->dataset, STORE_DATASET_LEN);
	memcpy(ref.name, t->head, OBJECT_NAME_LEN);
	rc = store_get(s, &ref, RECORD_MAX, &buf, &len, err);
	if (rc != 0)
		return rc;
	rc = record_peek(buf, len, &clear, err);
	if (rc == 0)
		rc = record_set_read(&t->set, &clear, err);
	free(buf);
	return rc;
}

/*
 * A primary that became a replica may have pruned what the record that is its
 * newest now needs; and a group of records may have come in part. What is
 * missing can come again.
 */
int
log_tail_look(struct store *s, struct log_tail *t, struct err *err)
{
	struct err why;
	int rc = read_set(s, t, err);

	if (rc != 0)
		return rc;
	rc = record_set_here(s, &t->set, NULL, &why);
	t->whole = rc == 0;
	return rc == 0 || rc == ERR_NOT_FOUND || rc == ERR_CORRUPT
		   ? 0
		   : err_copy(err, &why);
}

int
log_tail_read(struct store *s, struct log_tail *t, struct err *err)
{
	uint64_t mark;
	int rc = store_log_mark(s, t->dataset, &mark, err);

	if (rc != 0 || (t->read && mark == t->mark))
		return rc;
	t->read = false;
	t->seq = t->missing = 0;
	t->whole = true;
	log_tail_clear(t);
	rc = store_list(s, OBJECT_LOG, t->dataset, see_record, t, err);
	if (rc == 0 && t->seq > 0)
		rc = log_tail_look(s, t, err);
	if (rc == 0) {
		t->read = true;
		t->mark = mark;
	}
	return rc;
}

/* --- the chain ---------------------------------------------------------- */

static int
two_histories(uint64_t seq, struct err *err)
{
	return err_set(err, ERR_CORRUPT,
	    "two histories of one dataset: record %ju is another one at this"
	    " site (was it, or another site, made the primary? see"
	    " varve-demote(1) and varve-settle(1))",
	    (uintmax_t)seq);
}

/* Records that another connection has brought meanwhile. */
static int
skip_known(struct store *s, const struct log_tail *t,
    const struct job_group *group, size_t *skip, struct err *err)
{
	const struct blobs *records = &group->records;
	uint64_t size;
	int rc;

	*skip = 0;
	while (*skip < records->n && records->v[*skip].ref.seq <= t->seq)
		(*skip)++;
	if (*skip == 0)
		return 0;
	rc = store_size(s, &records->v[*skip - 1].ref, &size, err);
	return rc == ERR_NOT_FOUND
		   ? two_histories(records->v[*skip - 1].ref.seq, err)
		   : rc;
}

static int
check_record(const struct access *a, const struct log_tail *t,
    const struct blob *b, struct record_clear *clear, struct err *err)
{
	static const uint8_t none[OBJECT_NAME_LEN];
	int rc = record_peek(b->buf, b->len, clear, err);

	if (rc != 0)
		return rc;
	if (memcmp(clear->head.dataset, b->ref.dataset, DATASET_ID_LEN) != 0 ||
	    clear->head.seq != b->ref.seq)
		return err_set(
		    err, ERR_CORRUPT, "it says that it is another record");
	if (clear->head.seq != t->seq + 1)
		return err_set(err, ERR_CORRUPT, "record %ju was to come next",
		    (uintmax_t)(t->seq + 1));
	if (memcmp(clear->head.prev, t->seq == 0 ? none : t->head,
		OBJECT_NAME_LEN) != 0)
		return two_histories(t->seq, err);
	return log_verify(a, clear, b->buf, b->len, err);
}

/* Nobody but an admin decides a second time what one has settled. */
static int
check_settled(const struct access *a, const struct log_tail *t,
    const struct blob *b, struct err *err)
{
	struct settlement st;
	struct err why;
	int rc = access_settlement(a, t->dataset, &st, NULL, &why);

	if (rc != 0)
		return rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
	if (st.seq != b->ref.seq ||
	    memcmp(st.prev, t->head, OBJECT_NAME_LEN) != 0 ||
	    memcmp(st.name, b->ref.name, OBJECT_NAME_LEN) == 0)
		return 0;
	return err_set(err, ERR_CORRUPT,
	    "two histories of one dataset: an admin has settled that another"
	    " record %ju counts (see varve-settle(1))",
	    (uintmax_t)st.seq);
}

/* What has been found of a group so far. */
struct found {
	struct log_tail next; /* but for its set */
	struct record_set set;
	/* What the last set has to cover; of the tail, or of a prune record. */
	const struct record_set *before;
	struct record_set pruned;
};

static int
check_one(const struct access *a, struct found *f, const struct blob *b,
    struct err *err)
{
	struct record_clear clear;
	int rc = check_record(a, &f->next, b, &clear, err);

	if (rc == 0)
		rc = check_settled(a, &f->next, b, err);
	if (rc == 0)
		rc = record_set_read(&f->set, &clear, err);
	if (rc == 0 && clear.head.type == RECORD_PRUNE) {
		rc = record_set_read(&f->pruned, &clear, err);
		f->before = &f->pruned;
	}
	if (rc == 0)
		f->next.time = clear.head.time;
	f->next.seq = b->ref.seq;
	memcpy(f->next.head, b->ref.name, OBJECT_NAME_LEN);
	return rc;
}

static int
check_new(const struct access *a, struct log_tail *t,
    const struct job_group *group, size_t skip, struct found *f,
    struct err *err)
{
	struct store *s = access_store(a);
	int rc = 0;

	for (size_t i = skip; i < group->records.n && rc == 0; i++)
		rc = check_one(a, f, &group->records.v[i], err);
	if (rc == 0)
		rc =
		    record_set_here(s, &f->set, t->whole ? &t->set : NULL, err);
	if (rc == 0)
		rc = record_set_covers(s, &f->set, f->before, err);
	if (rc != 0)
		return err_wrap(err, "record %ju", (uintmax_t)f->next.seq);
	record_set_clear(&t->set);
	t->set = f->set;
	f->set = (struct record_set){0};
	t->seq = f->next.seq;
	t->time = f->next.time;
	memcpy(t->head, f->next.head, OBJECT_NAME_LEN);
	t->whole = true;
	return 0;
}

/* All of them are here: is what the newest needs, too, by now? */
static int
check_again(struct store *s, struct log_tail *t, const struct job_group *group,
    struct err *err)
{
	int rc;

	if (t->whole ||
	    group->records.v[group->records.n - 1].ref.seq != t->seq)
		return 0;
	rc = record_set_here(s, &t->set, NULL, err);
	t->whole = rc == 0;
	return rc == 0 ? 0 : err_wrap(err, "record %ju", (uintmax_t)t->seq);
}

int
log_tail_check(const struct access *a, struct log_tail *t,
    const struct job_group *group, size_t *skip, struct err *err)
{
	struct found f = {.next = *t, .before = &t->set};
	int rc = skip_known(access_store(a), t, group, skip, err);

	if (rc != 0)
		return rc;
	if (*skip == group->records.n)
		return check_again(access_store(a), t, group, err);
	rc = check_new(a, t, group, *skip, &f, err);
	record_set_clear(&f.set);
	record_set_clear(&f.pruned);
	return rc;
}
