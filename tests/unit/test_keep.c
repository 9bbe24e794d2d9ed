/* What rules keep: snapshot/expire/keep.c, and rules as text. */
#include "snapshot/expire/keep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define HOUR 3600
#define DAY 86400
#define SUNDAY INT64_C(1795305600) /* 2026-11-22T00:00:00Z */

static struct err err;

static int64_t
at(const char *text)
{
	struct tm tm = {0};

	assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%S", &tm));
	return timegm(&tm);
}

/* One rule alone. */
static struct rules
by(enum rule rule, uint32_t n)
{
	struct rules r = {{0}};

	r.keep[rule] = n;
	return r;
}

static void
apply(struct keep_item *v, size_t n, struct rules rules, int64_t now)
{
	assert_int_equal(
	    keep_apply(v, n, &rules, (struct moment){now, 0}, &err), 0);
}

/* The items at these times ('' ends them), and which of them '+' are kept. */
static void
assert_kept(enum rule rule, uint32_t n, const char *now,
    const char *const *times, const char *kept)
{
	struct keep_item v[16];
	size_t len = strlen(kept);

	memset(v, 0, sizeof(v));
	for (size_t i = 0; i < len; i++)
		v[i].time.s = at(times[i]);
	apply(v, len, by(rule, n), at(now));
	for (size_t i = 0; i < len; i++) {
		uint32_t want = kept[i] == '+' ? KEEP_RULE(rule) : 0;

		if (v[i].why != want)
			fail_msg("%s %u: '%s' is kept by %#x, not %#x",
			    rule_name(rule), n, times[i], v[i].why, want);
	}
}

/* --- each rule ------------------------------------------------------------ */

static void
keep_apply__nothing_and_no_rules(void **state)
{
	struct keep_item v[2] = {{.why = 77}, {.time.s = 5, .why = 77}};

	(void)state;
	apply(NULL, 0, by(RULE_LAST, 1), 0);
	apply(v, 2, (struct rules){{0}}, 0);
	assert_int_equal(v[0].why, 0);
	assert_int_equal(v[1].why, 0);
}

static void
keep_apply__within(void **state)
{
	static const char *const times[] = {"2026-11-20T12:00:00",
	    "2026-11-20T12:00:01", "2026-11-22T11:59:59", "2026-11-23T00:00:00",
	    "2026-11-20T11:59:59"};
	struct keep_item ns[] = {
	    {.time = {SUNDAY - DAY, 4}}, {.time = {SUNDAY - DAY, 5}}};
	struct rules day = by(RULE_WITHIN, DAY);
	struct keep_item first = {.time = {INT64_MIN, 0}};

	(void)state;
	assert_kept(
	    RULE_WITHIN, 2 * DAY, "2026-11-22T12:00:00", times, "++++-");
	assert_kept(RULE_WITHIN, 1, "2026-11-22T12:00:00", times, "--++-");
	assert_kept(
	    RULE_WITHIN, UINT32_MAX, "2026-11-22T12:00:00", times, "+++++");
	assert_int_equal(
	    keep_apply(ns, 2, &day, (struct moment){SUNDAY, 5}, &err), 0);
	assert_int_equal(ns[0].why, 0);
	assert_int_equal(ns[1].why, KEEP_RULE(RULE_WITHIN));
	/* There is nothing before the first moment of all. */
	apply(&first, 1, day, INT64_MIN);
	assert_int_equal(first.why, KEEP_RULE(RULE_WITHIN));
}

static void
keep_apply__last_by_time_in_any_order(void **state)
{
	static const char *const times[] = {"2026-11-22T10:00:00",
	    "2026-11-22T12:00:00", "2026-11-22T09:00:00",
	    "2026-11-22T11:00:00"};

	(void)state;
	assert_kept(RULE_LAST, 1, "2026-11-22T12:00:00", times, "-+--");
	assert_kept(RULE_LAST, 3, "2026-11-22T12:00:00", times, "++-+");
	assert_kept(RULE_LAST, 4, "2026-11-22T12:00:00", times, "++++");
	assert_kept(RULE_LAST, 99, "2020-01-01T00:00:00", times, "++++");
}

static void
keep_apply__hours(void **state)
{
	static const char *const times[] = {"2026-11-22T08:00:00",
	    "2026-11-22T09:59:59", "2026-11-22T10:00:00", "2026-11-22T10:20:00",
	    "2026-11-22T12:00:00"};

	(void)state;
	assert_kept(RULE_HOURLY, 1, "2026-11-22T12:00:00", times, "----+");
	/* Hours without a snapshot do not count. */
	assert_kept(RULE_HOURLY, 2, "2026-11-22T12:00:00", times, "---++");
	assert_kept(RULE_HOURLY, 3, "2026-11-22T12:00:00", times, "-+-++");
	assert_kept(RULE_HOURLY, 9, "2026-11-22T12:00:00", times, "++-++");
}

static void
keep_apply__days_are_utc(void **state)
{
	static const char *const times[] = {"2026-11-20T00:00:00",
	    "2026-11-20T23:59:59", "2026-11-21T00:00:00", "2026-11-22T00:00:00",
	    "2026-11-22T23:59:59"};

	(void)state;
	assert_kept(RULE_DAILY, 1, "2026-11-22T12:00:00", times, "----+");
	assert_kept(RULE_DAILY, 2, "2026-11-22T12:00:00", times, "--+-+");
	assert_kept(RULE_DAILY, 3, "2026-11-22T12:00:00", times, "-++-+");
}

static void
keep_apply__weeks_begin_on_monday(void **state)
{
	/* The 22nd is a Sunday, the 23rd a Monday. */
	static const char *const times[] = {"2026-11-15T23:59:59",
	    "2026-11-16T00:00:00", "2026-11-22T23:59:59", "2026-11-23T00:00:00",
	    "2026-11-29T23:59:59"};

	(void)state;
	assert_kept(RULE_WEEKLY, 1, "2026-11-30T00:00:00", times, "----+");
	assert_kept(RULE_WEEKLY, 2, "2026-11-30T00:00:00", times, "--+-+");
	assert_kept(RULE_WEEKLY, 3, "2026-11-30T00:00:00", times, "+-+-+");
}

static void
keep_apply__months_and_years(void **state)
{
	static const char *const times[] = {"2023-12-31T23:59:59",
	    "2024-01-01T00:00:00", "2024-02-29T12:00:00", "2024-03-01T00:00:00",
	    "2024-12-31T23:59:59", "2025-12-01T00:00:00"};

	(void)state;
	assert_kept(RULE_MONTHLY, 1, "2026-01-01T00:00:00", times, "-----+");
	assert_kept(RULE_MONTHLY, 2, "2026-01-01T00:00:00", times, "----++");
	assert_kept(RULE_MONTHLY, 4, "2026-01-01T00:00:00", times, "--++++");
	assert_kept(RULE_MONTHLY, 6, "2026-01-01T00:00:00", times, "++++++");
	assert_kept(RULE_YEARLY, 2, "2026-01-01T00:00:00", times, "----++");
	assert_kept(RULE_YEARLY, 3, "2026-01-01T00:00:00", times, "+---++");
}

/* Periods before 1970, when seconds are negative. */
static void
keep_apply__before_1970(void **state)
{
	struct keep_item v[] = {{.time.s = -1}, {.time.s = 0},
	    {.time.s = -HOUR}, {.time.s = -HOUR - 1}};

	(void)state;
	apply(v, 4, by(RULE_HOURLY, 9), 0);
	assert_int_equal(v[0].why, KEEP_RULE(RULE_HOURLY));
	assert_int_equal(v[1].why, KEEP_RULE(RULE_HOURLY));
	assert_int_equal(v[2].why, 0);
	assert_int_equal(v[3].why, KEEP_RULE(RULE_HOURLY));
	/* 1969-12-29 was a Monday. */
	v[0].time.s = -3 * DAY;
	v[1].time.s = -3 * DAY - 1;
	apply(v, 2, by(RULE_WEEKLY, 9), 0);
	assert_int_equal(v[0].why, KEEP_RULE(RULE_WEEKLY));
	assert_int_equal(v[1].why, KEEP_RULE(RULE_WEEKLY));
}

/* --- together -------------------------------------------------------------- */

static void
keep_apply__holds_beat_all(void **state)
{
	struct keep_item v[] = {
	    {.time.s = 0, .held = true}, {.time.s = 1}, {.time.s = 2}};

	(void)state;
	apply(v, 3, by(RULE_LAST, 1), 0);
	assert_int_equal(v[0].why, KEEP_HELD);
	assert_int_equal(v[1].why, 0);
	assert_int_equal(v[2].why, KEEP_RULE(RULE_LAST));
	/* A hold does not use a rule's number up. */
	v[2].held = true;
	apply(v, 3, by(RULE_LAST, 2), 0);
	assert_int_equal(v[1].why, KEEP_RULE(RULE_LAST));
	assert_int_equal(v[2].why, KEEP_RULE(RULE_LAST) | KEEP_HELD);
}

static void
keep_apply__any_rule_will_do(void **state)
{
	struct rules rules = {{DAY, 1, 2, 3, 0, 0, 1}};
	struct keep_item v[] = {
	    {.time.s = SUNDAY - 60},
	    {.time.s = SUNDAY - HOUR - 60},
	    {.time.s = SUNDAY - 2 * HOUR - 60},
	    {.time.s = SUNDAY - 2 * DAY},
	    {.time.s = SUNDAY - 2 * DAY - 60},
	    {.time.s = SUNDAY - 4 * DAY},
	    {.time.s = SUNDAY - 400 * DAY},
	};
	const uint32_t within = KEEP_RULE(RULE_WITHIN);
	const uint32_t hourly = KEEP_RULE(RULE_HOURLY);
	const uint32_t daily = KEEP_RULE(RULE_DAILY);
	const uint32_t want[] = {
	    within | hourly | daily | KEEP_RULE(RULE_LAST) |
		KEEP_RULE(RULE_YEARLY),
	    within | hourly,
	    within,
	    daily,
	    daily,
	    0,
	    0,
	};

	(void)state;
	apply(v, ARRAY_LEN(v), rules, SUNDAY);
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		if (v[i].why != want[i])
			fail_msg("%zu: %#x, not %#x", i, v[i].why, want[i]);
}

/*
 * Against the definition, said another way, on random times: an item is the
 * newest of its period if no newer one is in it, and counts if fewer than n
 * periods with items are newer.
 */
static int64_t
period_of(enum rule rule, int64_t s)
{
	time_t t = (time_t)s;
	struct tm tm;

	assert_non_null(gmtime_r(&t, &tm));
	switch (rule) {
	case RULE_HOURLY:
		return timegm(&tm) - tm.tm_min * 60 - tm.tm_sec;
	case RULE_DAILY:
		return tm.tm_year * 400 + tm.tm_yday;
	case RULE_WEEKLY:
		tm.tm_mday -= (tm.tm_wday + 6) % 7;
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		return timegm(&tm);
	case RULE_MONTHLY:
		return tm.tm_year * 12 + tm.tm_mon;
	default:
		return tm.tm_year;
	}
}

static bool
should_keep(const struct keep_item *v, size_t n, size_t i, enum rule rule,
    uint32_t count)
{
	int64_t newer[64];
	size_t periods = 0;

	for (size_t j = 0; j < n; j++) {
		int64_t p = period_of(rule, v[j].time.s);
		size_t k = 0;

		if (v[j].time.s <= v[i].time.s)
			continue;
		if (p == period_of(rule, v[i].time.s))
			return false;
		while (k < periods && newer[k] != p)
			k++;
		if (k == periods)
			newer[periods++] = p;
	}
	return periods < count;
}

static void
keep_apply__as_defined(void **state)
{
	static const int64_t spans[] = {DAY, 30 * DAY, 3000 * INT64_C(86400)};
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 300; round++) {
		struct keep_item v[40];
		size_t n = 1 + (size_t)rand() % ARRAY_LEN(v);
		enum rule rule = (enum rule)(RULE_HOURLY + rand() % 5);
		uint32_t count = 1 + (uint32_t)rand() % 8;
		int64_t span = spans[rand() % 3];

		memset(v, 0, sizeof(v));
		for (size_t i = 0; i < n; i++)
			v[i].time.s = SUNDAY - (int64_t)rand() % span;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < i; j++)
				if (v[i].time.s == v[j].time.s)
					v[i].time.s -= span + (int64_t)i;
		apply(v, n, by(rule, count), SUNDAY);
		for (size_t i = 0; i < n; i++)
			if ((v[i].why != 0) !=
			    should_keep(v, n, i, rule, count))
				fail_msg("%s %u: item %zu", rule_name(rule),
				    count, i);
	}
}

/* --- rules as text ---------------------------------------------------------- */

static void
rules_text__as_options(void **state)
{
	static const struct {
		struct rules rules;
		const char *want;
	} cases[] = {
	    {{{0}}, ""},
	    {{{90 * DAY}}, "--keep-within 90d"},
	    {{{90 * DAY + HOUR, 3}}, "--keep-within 2161h --keep-last 3"},
	    {{{60, 0, 1}}, "--keep-within 1m --keep-hourly 1"},
	    {{{59, 0, 0, 30, 8, 12, 7}},
		"--keep-within 59s --keep-daily 30 --keep-weekly 8"
		" --keep-monthly 12 --keep-yearly 7"},
	};
	struct rules all;
	char text[RULES_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
		    rules_text(&cases[i].rules, text), cases[i].want);
	memset(&all, 0xff, sizeof(all));
	assert_true(strlen(rules_text(&all, text)) < RULES_TEXT - 1);
	assert_non_null(strstr(text, "--keep-yearly 4294967295"));
	assert_true(rules_any(&all));
	assert_false(rules_any(&cases[0].rules));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keep_apply__nothing_and_no_rules),
	    cmocka_unit_test(keep_apply__within),
	    cmocka_unit_test(keep_apply__last_by_time_in_any_order),
	    cmocka_unit_test(keep_apply__hours),
	    cmocka_unit_test(keep_apply__days_are_utc),
	    cmocka_unit_test(keep_apply__weeks_begin_on_monday),
	    cmocka_unit_test(keep_apply__months_and_years),
	    cmocka_unit_test(keep_apply__before_1970),
	    cmocka_unit_test(keep_apply__holds_beat_all),
	    cmocka_unit_test(keep_apply__any_rule_will_do),
	    cmocka_unit_test(keep_apply__as_defined),
	    cmocka_unit_test(rules_text__as_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
