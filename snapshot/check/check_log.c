#include "snapshot/check/check_internal.h"
#include "snapshot/store/object_ref.h"
#include "snapshot/store/record_refs.h"

#include <stdlib.h>

/* A log's records, by sequence number, and what this machine saw last of it. */
struct chain {
	struct scope *s;
	struct record_refs all;
	struct head_seen seen; /* seq 0: nothing */
	uint64_t changes;      /* of the primary, so far */
	bool moved;            /* see check_seen() */
	bool behind;           /* likewise */
	bool any;              /* there is a snapshot, the newest of then: */
	struct moment newest;  /* without keys, only when it ended is known */
	/* Of ${all}: in the place of a record, but none of this log. */
	bool *alien;
	uint64_t own; /* the number of the last that is sound; 0: none yet */
	bool damaged;
};

/* --- listing ------------------------------------------------------------ */

/* Before listing: another process may add a record and remember it. */
static int
recall(struct chain *ch, struct err *err)
{
	struct heads *heads = ch->s->c->heads;
	struct err why;
	int rc = ERR_NOT_FOUND;

	if (heads != NULL)
		rc = heads_get(heads, ch->s->id, &ch->seen, &why);
	return rc == 0 || rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
}

/* --- the chain ---------------------------------------------------------- */

static uint64_t
seq_before(const struct chain *ch, size_t i)
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
	bool gap = ch->all.v[i].seq > seq_before(ch, i) + 1;
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
	count_change(ch, &clear.head);
	if (clear.head.type == RECORD_SNAPSHOT) {
		ch->any = true;
		ch->newest = (struct moment){.s = clear.head.time};
	}
	return r == NULL ? 0 : take_record(ch, &ch->all.v[i], r, err);
}

static int
check_record(struct chain *ch, size_t i, struct err *err)
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
	for (size_t i = ch->all.n; i > 0 && ch->all.v[i - 1].seq >= seq; i--)
		if (ch->all.v[i - 1].seq == seq &&
		    memcmp(ch->all.v[i - 1].name, name, OBJECT_NAME_LEN) == 0)
			return true;
	return false;
}

/* Whether an admin has said since then that another history counts. */
static bool
is_settled(const struct chain *ch)
{
	struct settlement st;

	return log_settled_since(ch->s->c->access, ch->s->id, &ch->seen, &st) &&
	       has_name(ch, st.seq, st.name);
}

static void
tell_lag(struct chain *ch)
{
	const struct log_behind b = {
	    .seen = ch->seen.seq,
	    .shown = seq_before(ch, ch->all.n),
	    .any = ch->any,
	    .newest = ch->newest,
	};

	ch->behind = true;
	/* Without keys, log_gone() tells of those that have no record. */
	if (ch->all.n > 0 || ch->s->ds != NULL)
		check_lag(ch->s->c, ch->s->id, ch->s->ds, &b);
}

/*
 * Another primary's log need not hold what the one before it had; nor need a
 * replica hold yet what was seen elsewhere.
 */
static void
check_seen(struct chain *ch)
{
	uint64_t last = seq_before(ch, ch->all.n);
	uint64_t seen = ch->seen.seq;
	struct object_ref ref;

	if (seen == 0 || has_name(ch, seen, ch->seen.name) || ch->moved ||
	    is_settled(ch))
		return;
	if (log_may_lag(ch->s->c->store, seen, last)) {
		tell_lag(ch);
		return;
	}
	ch->damaged = true;
	scope_ref(ch->s, OBJECT_LOG, ch->seen.name, &ref);
	ref.seq = seen;
	if (seen > last)
		check_say(ch->s->c, &ref,
		    "missing: this machine has seen it, the log ends at record "
		    "%ju",
		    (uintmax_t)last);
	else
		check_say(ch->s->c, &ref,
		    "missing: this machine has seen it, the log was rewritten");
}

/* Without keys, nothing says how late a snapshot's time is. */
static int
remember(const struct chain *ch, struct err *err)
{
	struct head_seen head = {
	    .seq = ch->all.n,
	    .changes = ch->changes,
	    .latest = INT64_MAX,
	};

	log_settled(ch->s->c->access, ch->s->id, &head.settled);
	memcpy(head.name, ch->all.v[ch->all.n - 1].name, OBJECT_NAME_LEN);
	return heads_set(ch->s->c->heads, ch->s->id, &head, err);
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
		if (rc == 0)
			rc = log_sound(log, &why);
		ch->damaged = rc != 0 && rc != ERR_DENIED;
		if (rc == ERR_DENIED)
			return 0;
		return check_unlisted(s->c, OBJECT_LOG, s->id, rc, &why, err);
	}
	if (s->c->heads == NULL || ch->all.n == 0 || ch->behind)
		return 0;
	return remember(ch, err);
}

/* Those that have expired need not be whole, nor be there. */
static void
drop_expired(struct scope *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->nsnapshots; i++) {
		if (s->snapshots[i]->expired == 0)
			s->snapshots[kept++] = s->snapshots[i];
		else
			snapshot_free(s->snapshots[i]);
	}
	s->nsnapshots = kept;
}

/* Of several records of one number the one that was seen is looked at first. */
static void
put_seen_first(struct chain *ch)
{
	size_t first = record_refs_find(&ch->all, ch->seen.seq);
	struct object_ref *v = ch->all.v;

	for (size_t i = first; i < ch->all.n && v[i].seq == ch->seen.seq; i++) {
		const struct object_ref ref = v[i];

		if (memcmp(ref.name, ch->seen.name, OBJECT_NAME_LEN) != 0)
			continue;
		v[i] = v[first];
		v[first] = ref;
		return;
	}
}

static int
check_chain(struct chain *ch, struct err *err)
{
	int rc = 0;

	put_seen_first(ch);
	ch->alien = calloc(ch->all.n + 1, sizeof(*ch->alien));
	if (ch->alien == NULL)
		return err_nomem(err);
	for (size_t i = 0; rc == 0 && i < ch->all.n; i++)
		rc = check_record(ch, i, err);
	if (rc != 0)
		return rc;
	check_seen(ch);
	if (!ch->damaged)
		rc = load_log(ch, err);
	drop_expired(ch->s);
	ch->s->partial = ch->damaged;
	return rc;
}

int
check_log(struct scope *s, struct err *err)
{
	struct chain ch = {.s = s};
	struct err why;
	int rc = recall(&ch, err);

	if (rc == 0) {
		rc = record_refs_list(s->c->store, s->id, &ch.all, &why);
		s->partial = rc != 0;
		rc = rc == 0 ? check_chain(&ch, err)
			     : check_unlisted(
				   s->c, OBJECT_LOG, s->id, rc, &why, err);
	}
	record_refs_clear(&ch.all);
	free(ch.alien);
	return rc;
}
