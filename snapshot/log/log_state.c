#include "snapshot/log/log_internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * What follows from a log's records. Each record is held against those before
 * it when it is taken in. Taking some out again, which only damage leads to,
 * starts over with those that stay.
 */

#define RESERVE_MIN 64
#define NS_PER_S 1000000000
#define NS_PER_MS 1000000
#define MS_PER_S 1000

uint64_t
log_number(const struct log *l)
{
	return l->base + l->nrecords;
}

/* --- times -------------------------------------------------------------- */

/* How many of ${v}, which are by time, are at or before ${m}. */
static size_t
after(struct snapshot *const *v, size_t n, struct moment m)
{
	size_t low = 0;
	size_t high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (moment_compare(v[mid]->time, m) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t
log_after(const struct log *l, struct moment m)
{
	return after(l->by_time, l->nsnapshots, m);
}

size_t
log_times_after(const struct log *l, struct moment m)
{
	return after(l->times, l->ntimes, m);
}

/* ${a} is not after ${b}. */
static bool
within_ms(struct moment a, struct moment b)
{
	uint64_t s = (uint64_t)b.s - (uint64_t)a.s;

	return s <= 1 && s * NS_PER_S + b.ns - a.ns < NS_PER_MS;
}

bool
log_time_taken(const struct log *l, struct moment m)
{
	size_t i = log_times_after(l, m);

	return (i > 0 && within_ms(l->times[i - 1]->time, m)) ||
	       (i < l->ntimes && within_ms(m, l->times[i]->time));
}

/* In milliseconds, rounded down; what is out of their range stays out of it. */
static int64_t
in_ms(struct moment m)
{
	if (m.s >= INT64_MAX / MS_PER_S)
		return INT64_MAX - 1;
	if (m.s <= INT64_MIN / MS_PER_S)
		return INT64_MIN;
	return m.s * MS_PER_S + m.ns / NS_PER_MS;
}

int64_t
log_latest(const struct log *l)
{
	int64_t latest = l->base > 0 ? l->known.latest : INT64_MIN;
	int64_t last;

	if (l->ntimes == 0)
		return latest;
	last = in_ms(l->times[l->ntimes - 1]->time) + 1; /* rounded up */
	return last > latest ? last : latest;
}

bool
log_is_later(const struct log *l, struct moment m)
{
	return in_ms(m) > log_latest(l);
}

/* --- one record against those before it --------------------------------- */

static int
apply_snapshot(struct log *l, struct snapshot *s, struct err *err)
{
	size_t at;

	if (log_time_taken(l, s->time))
		return err_set(err, ERR_CORRUPT,
		    "two snapshots of dataset '%s' have the same time",
		    l->ds->name);
	/* Clocks go forward: nearly always it goes to the end. */
	at = log_times_after(l, s->time);
	memmove(&l->times[at + 1], &l->times[at],
	    (l->ntimes - at) * sizeof(*l->times));
	l->times[at] = s;
	l->ntimes++;
	return 0;
}

/*
 * The snapshot that is meant; NULL when it lies before a tail, is lost, or is of
 * an epoch that this key was not given.
 */
static int
find_target(const struct log *l, const struct record_target *t,
    struct snapshot **out, struct err *err)
{
	const struct record *r = log_record_at(l, t->seq);

	*out = NULL;
	if (r == NULL || r->lost)
		return 0;
	if (r->head.type != RECORD_SNAPSHOT ||
	    memcmp(r->name, t->id, OBJECT_NAME_LEN) != 0)
		return err_set(err, ERR_CORRUPT,
		    "record %ju, which it names, is another or no snapshot",
		    (uintmax_t)t->seq);
	if (!r->open)
		return 0;
	if (r->snapshot->expired != 0)
		return err_set(err, ERR_CORRUPT,
		    "the snapshot of record %ju, which it names, has expired",
		    (uintmax_t)t->seq);
	*out = r->snapshot;
	return 0;
}

/* All of it is checked before any is done. */
static int
check_expire(
    const struct log *l, const struct record_expire *e, struct err *err)
{
	for (size_t i = 0; i < e->n; i++) {
		struct snapshot *s;
		int rc = find_target(l, &e->targets[i], &s, err);

		if (rc != 0)
			return rc;
		/* What released it may be lost. */
		if (s != NULL && s->held != 0 && l->gap == NULL)
			return err_set(err, ERR_CORRUPT,
			    "the snapshot of record %ju, which it expires, is"
			    " held",
			    (uintmax_t)s->seq);
	}
	return 0;
}

static struct snapshot *
target(const struct log *l, const struct record_target *t)
{
	const struct record *r = log_record_at(l, t->seq);

	return r != NULL && r->open ? r->snapshot : NULL;
}

static int
check_primary(const struct log *l, const struct record *r, struct err *err)
{
	/* The tail's first records: their numbers stand as they were seen. */
	if (r->head.seq <= l->known.seq)
		return 0;
	/* Each of the lost ones may have been a change. */
	if (r->primary.change > l->changes &&
	    r->primary.change - l->changes <= l->nlost + 1)
		return 0;
	return err_set(err, ERR_CORRUPT,
	    "change %ju of the primary comes after change %ju",
	    (uintmax_t)r->primary.change, (uintmax_t)l->changes);
}

static int
check(struct log *l, const struct record *r, struct err *err)
{
	struct snapshot *s;

	switch (r->head.type) {
	case RECORD_EXPIRE:
		return check_expire(l, &r->expire, err);
	case RECORD_HOLD:
		return find_target(l, &r->hold.target, &s, err);
	case RECORD_PRIMARY:
		return check_primary(l, r, err);
	default:
		return 0;
	}
}

static void
mark_expired(const struct log *l, const struct record *r)
{
	for (size_t i = 0; i < r->expire.n; i++) {
		struct snapshot *s = target(l, &r->expire.targets[i]);

		if (s != NULL)
			s->expired = r->head.seq;
	}
}

static void
mark_held(const struct log *l, const struct record *r)
{
	struct snapshot *s = target(l, &r->hold.target);

	if (s != NULL)
		s->held = r->hold.on ? r->head.seq : 0;
}

/* What a record that is sound says of the rest of the log. */
static void
apply(struct log *l, const struct record *r)
{
	if (r->lost) {
		l->nlost++;
		l->gap = l->gap != NULL ? l->gap : r;
	}
	if (r->head.type == RECORD_PRIMARY && r->head.seq > l->known.seq) {
		l->changes = r->open ? r->primary.change : l->changes + 1;
		l->nlost = 0;
	}
	if (r->head.type == RECORD_PRUNE)
		l->prune = r;
	log_numbers_take(l, r);
	if (!r->open)
		return;
	if (r->head.type == RECORD_RULES)
		l->rules = r;
	if (r->head.type == RECORD_EXPIRE)
		mark_expired(l, r);
	if (r->head.type == RECORD_HOLD)
		mark_held(l, r);
}

int
log_take(struct log *l, struct record *r, struct err *err)
{
	AUTO(record) struct record *own = r;
	int rc = 0;

	if (r->open && r->head.type == RECORD_SNAPSHOT)
		rc = apply_snapshot(l, r->snapshot, err);
	else if (r->open)
		rc = check(l, r, err);
	if (rc != 0)
		return log_wrap(l, r->head.seq, err);
	apply(l, r);
	l->records[l->nrecords++] = STEAL(own);
	return 0;
}

int
log_take_lost(struct log *l, const struct err *why, struct err *err)
{
	AUTO(record) struct record *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_nomem(err);
	r->lost = true;
	r->head.seq = log_number(l) + 1;
	r->why = malloc(sizeof(*r->why));
	if (r->why == NULL)
		return err_nomem(err);
	*r->why = *why;
	apply(l, r);
	l->records[l->nrecords++] = STEAL(r);
	return 0;
}

/* --- all of them --------------------------------------------------------- */

static int
grow(void *array, size_t size, size_t n, struct err *err)
{
	void **p = array;
	void *bigger = reallocarray(*p, n, size);

	if (bigger == NULL)
		return err_nomem(err);
	*p = bigger;
	return 0;
}

int
log_reserve(struct log *l, size_t n, struct err *err)
{
	size_t cap = l->cap < RESERVE_MIN ? RESERVE_MIN : l->cap;
	int rc;

	if (n <= l->cap)
		return 0;
	while (cap < n)
		cap += cap / 2;
	rc = grow(&l->records, sizeof(*l->records), cap, err);
	if (rc == 0)
		rc = grow(&l->times, sizeof(*l->times), cap, err);
	if (rc == 0)
		rc = grow(&l->snapshots, sizeof(*l->snapshots), cap, err);
	if (rc == 0)
		rc = grow(&l->by_time, sizeof(*l->by_time), cap, err);
	if (rc == 0)
		l->cap = cap;
	return rc;
}

void
log_settle(struct log *l)
{
	size_t n = 0;

	l->nsnapshots = 0;
	for (size_t i = 0; i < l->nrecords; i++) {
		const struct record *r = l->records[i];

		if (r->open && r->head.type == RECORD_SNAPSHOT &&
		    r->snapshot->expired == 0)
			l->snapshots[l->nsnapshots++] = r->snapshot;
	}
	for (size_t i = 0; i < l->ntimes; i++) {
		if (l->times[i]->expired == 0)
			l->by_time[n++] = l->times[i];
	}
}

static void
forget_marks(struct log *l)
{
	l->changes = l->known.changes;
	log_numbers_reset(l);
	l->rules = NULL;
	l->prune = NULL;
	l->gap = NULL;
	l->nlost = 0;
	for (size_t i = 0; i < l->ntimes; i++) {
		l->times[i]->expired = 0;
		l->times[i]->held = 0;
	}
}

void
log_truncate(struct log *l, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->ntimes; i++) {
		if (l->times[i]->seq <= l->base + n)
			l->times[kept++] = l->times[i];
	}
	l->ntimes = kept;
	while (l->nrecords > n)
		record_free(l->records[--l->nrecords]);
	forget_marks(l);
	for (size_t i = 0; i < l->nrecords; i++)
		apply(l, l->records[i]);
	log_settle(l);
}
