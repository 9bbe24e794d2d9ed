#include "snapshot/check/check_chain.h"
#include "snapshot/store/object_ref.h"

#include <stdlib.h>

/* --- its place ----------------------------------------------------------- */

uint64_t
chain_seq_before(const struct chain *ch, size_t i)
{
	return i == 0 ? 0 : ch->all.v[i - 1].seq;
}

/*
 * After a gap any will do: that is told of. The name of one that is damaged is
 * known all the same. Of several, each may be the one before.
 */
static bool
follows(const struct chain *ch, size_t i, const uint8_t prev[OBJECT_NAME_LEN])
{
	uint64_t before = ch->all.v[i].seq - 1;
	bool there = false;

	while (i > 0 && ch->all.v[i - 1].seq > before)
		i--;
	for (; i > 0 && ch->all.v[i - 1].seq == before; i--) {
		if (ch->alien[i - 1])
			continue;
		there = true;
		if (memcmp(ch->all.v[i - 1].name, prev, OBJECT_NAME_LEN) == 0)
			return true;
	}
	return !there;
}

static int
check_place(
    struct chain *ch, size_t i, const struct record_head *head, struct err *err)
{
	ch->alien[i] = true;
	if (memcmp(head->dataset, ch->s->id, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "it is another dataset's");
	if (head->seq != ch->all.v[i].seq)
		return err_set(err, ERR_CORRUPT,
		    "it says that it is record %ju", (uintmax_t)head->seq);
	ch->alien[i] = false;
	if (!follows(ch, i, head->prev))
		return err_set(
		    err, ERR_CORRUPT, "it does not follow the one before it");
	return 0;
}

/* Record ${i} knows the name of the one that is missing before it. */
static void
tell_gap(struct chain *ch, size_t i, const struct record_head *head)
{
	uint64_t first = chain_seq_before(ch, i) + 1;
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
	ref.seq = ch->all.v[i].seq - 1;
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
    struct record **out, struct err *err)
{
	struct err why;
	int rc;

	*out = NULL;
	if (ch->s->ds == NULL)
		return 0;
	rc = record_decode(buf, len, ch->s->ds->keys, out, &why);
	return rc == 0 || rc == ERR_DENIED ? 0 : err_copy(err, &why);
}

static void
note_closed(struct chain *ch, size_t i, const struct record_head *head)
{
	if (ch->closed++ > 0)
		return;
	ch->first_closed = i;
	ch->closed_epoch = head->epoch;
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

static void
mark_expired(struct scope *s, const struct record_target *t, uint64_t by)
{
	size_t low = 0;
	size_t high = s->nsnapshots;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->snapshots[mid]->seq < t->seq)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < s->nsnapshots &&
	    memcmp(s->snapshots[low]->id, t->id, OBJECT_NAME_LEN) == 0)
		s->snapshots[low]->expired = by;
}

/* Whether one contradicts another is found when the log is loaded. */
static int
take_record(struct chain *ch, const struct object_ref *ref, struct record *r,
    struct err *err)
{
	if (r->head.type == RECORD_SNAPSHOT) {
		memcpy(r->snapshot->id, ref->name, OBJECT_NAME_LEN);
		return take_snapshot(ch->s, STEAL(r->snapshot), err);
	}
	if (r->head.type == RECORD_EXPIRE)
		for (size_t i = 0; i < r->expire.n; i++)
			mark_expired(ch->s, &r->expire.targets[i], r->head.seq);
	return 0;
}

static int
take_indexes(struct scope *s, const struct record_clear *clear, struct err *err)
{
	size_t n = clear->nindexes;
	uint8_t(*copy)[OBJECT_NAME_LEN] = NULL;

	if (n > 0) {
		copy = reallocarray(s->indexes, n, sizeof(*copy));
		if (copy == NULL)
			return err_nomem(err);
		memcpy(copy, clear->indexes, n * sizeof(*copy));
		s->indexes = copy;
	}
	s->nindexes = n;
	return 0;
}

static void
count_change(struct chain *ch, const struct record_head *head)
{
	if (head->type != RECORD_PRIMARY)
		return;
	ch->changes++;
	if (ch->changes > ch->seen.changes && head->seq <= ch->seen.seq)
		ch->moved = true;
}

static int
check_bytes_of(
    struct chain *ch, size_t i, const uint8_t *buf, size_t len, struct err *err)
{
	AUTO(record) struct record *r = NULL;
	bool gap = ch->all.v[i].seq > chain_seq_before(ch, i) + 1;
	struct record_clear clear;
	int rc = record_peek(buf, len, &clear, err);

	ch->alien[i] = rc == ERR_CORRUPT;
	if (gap)
		tell_gap(ch, i, rc == 0 ? &clear.head : NULL);
	if (rc == 0)
		rc = check_place(ch, i, &clear.head, err);
	if (rc == 0)
		rc = open_record(ch, buf, len, &r, err);
	if (rc == 0)
		rc = log_verify(ch->s->c->access, &clear, buf, len, err);
	if (rc == 0 && clear.head.seq == ch->own)
		rc = err_set(err, ERR_CORRUPT,
		    "a second record %ju: copies of the store went different "
		    "ways",
		    (uintmax_t)clear.head.seq);
	if (rc == 0)
		rc = take_indexes(ch->s, &clear, err);
	if (rc != 0)
		return rc;
	ch->own = clear.head.seq;
	if (r == NULL && ch->s->ds != NULL)
		note_closed(ch, i, &clear.head);
	count_change(ch, &clear.head);
	if (clear.head.type == RECORD_SNAPSHOT) {
		ch->any = true;
		ch->newest = (struct moment){.s = clear.head.time};
	}
	return r == NULL ? 0 : take_record(ch, &ch->all.v[i], r, err);
}

int
chain_check(struct chain *ch, size_t i, struct err *err)
{
	struct check *c = ch->s->c;
	const struct object_ref *ref = &ch->all.v[i];
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
	else if (ref->seq > chain_seq_before(ch, i) + 1)
		tell_gap(ch, i, NULL);
	free(buf);
	ch->damaged |= rc != 0;
	return check_pass_over(c, ref, rc, &why, err);
}
