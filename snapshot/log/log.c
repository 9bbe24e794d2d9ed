#include "snapshot/log/log_internal.h"

#include <stdlib.h>
#include <string.h>

#define RESERVE_MIN 64
#define NS_PER_S 1000000000
#define NS_PER_MS 1000000

size_t
log_count(const struct log *l)
{
	return l->nsnapshots;
}

const struct snapshot *
log_snapshot(const struct log *l, size_t i)
{
	return l->snapshots[i];
}

const struct snapshot *
log_head(const struct log *l)
{
	return l->nsnapshots == 0 ? NULL : l->snapshots[l->nsnapshots - 1];
}

const struct dataset *
log_dataset(const struct log *l)
{
	return l->ds;
}

const struct err *
log_damage(const struct log *l)
{
	return l->damage.code == 0 ? NULL : &l->damage;
}

void
log_free(struct log *l)
{
	if (l == NULL)
		return;
	log_truncate(l, 0);
	free(l->records);
	free(l->snapshots);
	free(l->by_time);
	free(l);
}

/* --- times ------------------------------------------------------------- */

size_t
log_after(const struct log *l, struct moment m)
{
	size_t low = 0;
	size_t high = l->nsnapshots;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (moment_compare(l->by_time[mid]->time, m) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
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
	size_t i = log_after(l, m);

	return (i > 0 && within_ms(l->by_time[i - 1]->time, m)) ||
	       (i < l->nsnapshots && within_ms(m, l->by_time[i]->time));
}

/* --- taking records in and out ----------------------------------------- */

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
		rc = grow(&l->snapshots, sizeof(*l->snapshots), cap, err);
	if (rc == 0)
		rc = grow(&l->by_time, sizeof(*l->by_time), cap, err);
	if (rc == 0)
		l->cap = cap;
	return rc;
}

int
log_take(struct log *l, const uint8_t name[OBJECT_NAME_LEN], struct snapshot *s,
    struct err *err)
{
	struct log_record *record = &l->records[l->nrecords];
	size_t at;

	if (s != NULL && log_time_taken(l, s->time)) {
		snapshot_free(s);
		return err_set(err, ERR_CORRUPT,
		    "two snapshots of dataset '%s' have the same time",
		    l->ds->name);
	}
	memcpy(record->name, name, OBJECT_NAME_LEN);
	record->snapshot = s;
	l->nrecords++;
	if (s == NULL)
		return 0;
	/* Clocks go forward: nearly always it goes to the end. */
	at = log_after(l, s->time);
	memmove(&l->by_time[at + 1], &l->by_time[at],
	    (l->nsnapshots - at) * sizeof(*l->by_time));
	l->by_time[at] = s;
	l->snapshots[l->nsnapshots++] = s;
	return 0;
}

void
log_truncate(struct log *l, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->nsnapshots; i++) {
		if (l->by_time[i]->seq <= n)
			l->by_time[kept++] = l->by_time[i];
	}
	l->nsnapshots = kept;
	while (l->nrecords > n)
		snapshot_free(l->records[--l->nrecords].snapshot);
}
