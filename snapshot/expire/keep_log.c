#include "snapshot/expire/keep_log.h"

#include <stdlib.h>
#include <string.h>

/* One for each item of the log, or, of ${some}, for each that counts. */
struct work {
	struct keep_item *all, *some;
	size_t *of; /* which of all it is */
	bool *counts;
	size_t *ends, *before; /* longest_row() */
};

static void
work_clear(struct work *w)
{
	free(w->all);
	free(w->some);
	free(w->of);
	free(w->counts);
	free(w->ends);
	free(w->before);
}
#define WORK_AUTO __attribute__((cleanup(work_clear)))

static int
work_init(struct work *w, size_t n, struct err *err)
{
	w->all = calloc(n, sizeof(*w->all));
	w->some = calloc(n, sizeof(*w->some));
	w->of = calloc(n, sizeof(*w->of));
	w->counts = calloc(n, sizeof(*w->counts));
	w->ends = calloc(n, sizeof(*w->ends));
	w->before = calloc(n, sizeof(*w->before));
	if (w->all == NULL || w->some == NULL || w->of == NULL ||
	    w->counts == NULL || w->ends == NULL || w->before == NULL)
		return err_nomem(err);
	return 0;
}

/* From the future: as made when the next one was that isn't, or now. */
static void
bring_down(struct keep_item *v, size_t n, struct moment now)
{
	struct moment next = now;

	for (size_t i = n; i > 0; i--) {
		if (moment_compare(v[i - 1].time, now) > 0)
			v[i - 1].time = next;
		next = v[i - 1].time;
	}
}

/* --- by age and number ---------------------------------------------------- */

/* No item is older than those before it; so the newest are the last, too. */
static int
keep_newest(struct work *w, struct keep_item *items, size_t n,
    const struct rules *rules, struct moment now, struct err *err)
{
	struct rules r = {{0}};
	int rc;

	r.keep[RULE_WITHIN] = rules->keep[RULE_WITHIN];
	r.keep[RULE_LAST] = rules->keep[RULE_LAST];
	memcpy(w->all, items, n * sizeof(*items));
	bring_down(w->all, n, now);
	for (size_t i = 1; i < n; i++)
		if (moment_compare(w->all[i].time, w->all[i - 1].time) < 0)
			w->all[i].time = w->all[i - 1].time;
	rc = keep_apply(w->all, n, &r, now, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		items[i].why = w->all[i].why;
	return rc;
}

/* --- which times are right ------------------------------------------------ */

/* What is dated before one that came first was dated back. */
static void
none_early(struct work *w, size_t n)
{
	struct moment newest = {.s = INT64_MIN};

	for (size_t i = 0; i < n; i++) {
		w->counts[i] = moment_compare(w->all[i].time, newest) >= 0;
		if (w->counts[i])
			newest = w->all[i].time;
	}
}

/* What is dated after one that came later was dated ahead. */
static void
none_late(struct work *w, size_t n)
{
	struct moment oldest = {.s = INT64_MAX, .ns = UINT32_MAX};

	for (size_t i = n; i > 0; i--) {
		struct moment t = w->all[i - 1].time;

		w->counts[i - 1] = moment_compare(t, oldest) <= 0;
		if (w->counts[i - 1])
			oldest = t;
	}
}

/* How many of the ${n} ends of rows are not later than a time. */
static size_t
rows_before(const struct work *w, size_t n, struct moment t)
{
	size_t low = 0;

	while (low < n) {
		size_t mid = low + (n - low) / 2;

		if (moment_compare(w->all[w->ends[mid]].time, t) <= 0)
			low = mid + 1;
		else
			n = mid;
	}
	return low;
}

/*
 * As many as possible are right: the longest row in which none is older than
 * the one before. ends[k]: the last item of the row of k + 1 items that ends
 * the earliest; before[i]: the item before i in its row.
 */
static void
longest_row(struct work *w, size_t n)
{
	size_t rows = 0, i;

	for (i = 0; i < n; i++) {
		size_t k = rows_before(w, rows, w->all[i].time);

		w->before[i] = k > 0 ? w->ends[k - 1] : 0;
		w->ends[k] = i;
		if (k == rows)
			rows++;
		w->counts[i] = false;
	}
	for (i = w->ends[rows - 1]; rows > 0; rows--, i = w->before[i])
		w->counts[i] = true;
}

/*
 * One date that is too late speaks against all after it, one too early against
 * all before it, and harms nobody by the other reading. The longest row bears
 * several of both, as long as most are right. And when it is the clock here
 * that is behind, times that seem to come are the right ones.
 */
static const struct belief {
	bool here; /* the clock here is right */
	void (*choose)(struct work *w, size_t n);
} beliefs[] = {
    {true, none_early},
    {true, none_late},
    {true, longest_row},
    {false, longest_row},
};

/* --- by periods ----------------------------------------------------------- */

static int
keep_by(const struct belief *b, struct work *w, const struct keep_item *items,
    size_t n, const struct rules *rules, struct moment now, struct err *err)
{
	struct rules r = *rules;
	size_t some = 0;
	int rc;

	r.keep[RULE_WITHIN] = 0;
	r.keep[RULE_LAST] = 0;
	memcpy(w->all, items, n * sizeof(*items));
	if (b->here)
		bring_down(w->all, n, now);
	b->choose(w, n);
	for (size_t i = 0; i < n; i++) {
		w->all[i].why = 0;
		if (w->counts[i]) {
			w->of[some] = i;
			w->some[some++] = w->all[i];
		}
	}
	rc = keep_apply(w->some, some, &r, now, err);
	for (size_t i = 0; rc == 0 && i < some; i++)
		w->all[w->of[i]].why = w->some[i].why;
	return rc;
}

/* What is young enough, or held, stays whatever is believed. */
static void
add_why(struct keep_item *items, const struct keep_item *v, size_t n)
{
	static const uint32_t sure =
	    KEEP_RULE(RULE_WITHIN) | KEEP_RULE(RULE_LAST) | KEEP_HELD;

	for (size_t i = 0; i < n; i++) {
		items[i].why |= v[i].why;
		if (v[i].why == 0 && (items[i].why & sure) == 0)
			items[i].why |= KEEP_DOUBT;
	}
}

/*
 * Whoever makes snapshots, and dates them as he likes, can contradict all
 * others. So of the last periods of the calendar, how many they are being
 * nobody's word, each is also kept by its own date.
 */
static void
keep_dated(struct keep_item *items, size_t n, enum rule rule, uint32_t count,
    struct moment now)
{
	int64_t today = keep_period(rule, now), next = 0;
	bool last = true;

	for (size_t i = n; i > 0; i--) {
		struct keep_item *item = &items[i - 1];
		int64_t p = keep_period(rule, item->time);

		if (moment_compare(item->time, now) > 0)
			continue;
		if ((last || p != next) && today - p < (int64_t)count)
			item->why |= KEEP_RULE(rule);
		next = p;
		last = false;
	}
}

int
keep_log_apply(struct keep_item *items, size_t n, const struct rules *rules,
    struct moment now, struct err *err)
{
	WORK_AUTO struct work w = {0};
	int rc;

	if (n == 0)
		return 0;
	rc = work_init(&w, n, err);
	if (rc == 0)
		rc = keep_newest(&w, items, n, rules, now, err);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(beliefs); i++) {
		rc = keep_by(&beliefs[i], &w, items, n, rules, now, err);
		if (rc == 0)
			add_why(items, w.all, n);
	}
	for (int r = RULE_HOURLY; rc == 0 && r <= RULE_YEARLY; r++)
		keep_dated(items, n, (enum rule)r, rules->keep[r], now);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (items[i].why == KEEP_DOUBT)
			items[i].why = 0;
	return rc;
}
