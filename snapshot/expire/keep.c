#include "snapshot/expire/keep.h"

#include "snapshot/log/civil.h"

#include <stdlib.h>

#define HOUR 3600
#define WEEK 7
#define THURSDAY 3 /* days from a Monday to 1970-01-01 */

/* --- periods ------------------------------------------------------------- */

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
keep_period(enum rule rule, struct moment m)
{
	int64_t days = floor_div(m.s, CIVIL_DAY);
	struct civil c = civil_from_days(days);

	switch (rule) {
	case RULE_HOURLY:
		return floor_div(m.s, HOUR);
	case RULE_DAILY:
		return days;
	case RULE_WEEKLY:
		return floor_div(days + THURSDAY, WEEK);
	case RULE_MONTHLY:
		return c.year * 12 + c.month;
	default:
		return c.year;
	}
}

/* --- rules ---------------------------------------------------------------- */

/* Newest first; of one time, the later in the array. */
static int
by_time(const void *a, const void *b)
{
	const struct keep_item *const *x = a;
	const struct keep_item *const *y = b;

	int order = moment_compare((*y)->time, (*x)->time);

	return order != 0 ? order : (*y > *x) - (*y < *x);
}

static void
keep_within(
    struct keep_item *const *v, size_t n, uint32_t seconds, struct moment now)
{
	struct moment oldest = {.ns = now.ns};

	if (__builtin_sub_overflow(now.s, (int64_t)seconds, &oldest.s))
		oldest = (struct moment){.s = INT64_MIN};
	for (size_t i = 0; seconds != 0 && i < n; i++)
		if (moment_compare(v[i]->time, oldest) >= 0)
			v[i]->why |= KEEP_RULE(RULE_WITHIN);
}

static void
keep_last(struct keep_item *const *v, size_t n, uint32_t count)
{
	for (size_t i = 0; i < n && i < count; i++)
		v[i]->why |= KEEP_RULE(RULE_LAST);
}

static void
keep_periods(
    struct keep_item *const *v, size_t n, enum rule rule, uint32_t count)
{
	int64_t last = 0;
	uint32_t kept = 0;

	for (size_t i = 0; i < n && kept < count; i++) {
		int64_t p = keep_period(rule, v[i]->time);

		if (kept > 0 && p == last)
			continue;
		v[i]->why |= KEEP_RULE(rule);
		last = p;
		kept++;
	}
}

int
keep_apply(struct keep_item *items, size_t n, const struct rules *rules,
    struct moment now, struct err *err)
{
	struct keep_item **v;

	if (n == 0)
		return 0;
	v = calloc(n, sizeof(*v));
	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		items[i].why = items[i].held ? KEEP_HELD : 0;
		v[i] = &items[i];
	}
	qsort(v, n, sizeof(struct keep_item *), by_time);
	keep_within(v, n, rules->keep[RULE_WITHIN], now);
	keep_last(v, n, rules->keep[RULE_LAST]);
	for (int r = RULE_HOURLY; r <= RULE_YEARLY; r++)
		keep_periods(v, n, (enum rule)r, rules->keep[r]);
	free(v);
	return 0;
}
