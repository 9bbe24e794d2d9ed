/* What rules keep of a log with wrong times: snapshot/expire/keep_log.c. */
#include "snapshot/expire/keep_log.h"

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
#define MONDAY INT64_C(1795392000) /* 2026-11-23T00:00:00Z */
#define MAX 512

static struct err err;

/* A log, and the times at which its snapshots really were made. */
struct history {
	struct keep_item v[MAX];
	int64_t made[MAX];
	size_t n;
};

static void
add(struct history *h, int64_t made, int64_t dated)
{
	assert_true(h->n < MAX);
	h->v[h->n] = (struct keep_item){.time.s = dated};
	h->made[h->n++] = made;
}

/* Noon of a day, counted from a Monday on. */
static int64_t
noon(int64_t day)
{
	return MONDAY + day * DAY + 12 * HOUR;
}

/* A backup each noon of the days ${from} to ${to}, by a clock so much ahead. */
static void
add_days(struct history *h, int64_t from, int64_t to, int64_t ahead)
{
	for (int64_t day = from; day <= to; day++)
		add(h, noon(day), noon(day) + ahead * DAY);
}

static void
apply(struct history *h, const struct rules *rules, int64_t now)
{
	assert_int_equal(
	    keep_log_apply(h->v, h->n, rules, (struct moment){now, 0}, &err),
	    0);
}

/* What the rules would keep with right times: ${h}'s, or ${n} of them. */
static void
apply_truth(const struct history *h, struct keep_item *v,
    const struct rules *rules, int64_t now)
{
	for (size_t i = 0; i < h->n; i++)
		v[i] = (struct keep_item){.time.s = h->made[i]};
	assert_int_equal(
	    keep_apply(v, h->n, rules, (struct moment){now, 0}, &err), 0);
}

/* All but ${wrong} that would be kept with right times are kept. */
static void
assert_none_lost(
    struct history *h, const struct rules *rules, int64_t now, size_t wrong)
{
	struct keep_item v[MAX];

	apply(h, rules, now);
	apply_truth(h, v, rules, now);
	for (size_t i = 0; i < h->n; i++)
		if (i != wrong && v[i].why != 0 && h->v[i].why == 0)
			fail_msg("%zu of %zu, made on day %lld, is lost", i,
			    h->n, (long long)((h->made[i] - MONDAY) / DAY));
}

static size_t
kept(const struct history *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += h->v[i].why != 0;
	return n;
}

/* Take away what nothing keeps, as an expire does. */
static void
expire(struct history *h, const struct rules *rules, int64_t now)
{
	size_t n = 0;

	apply(h, rules, now);
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].why != 0) {
			h->v[n] = h->v[i];
			h->made[n++] = h->made[i];
		}
	h->n = n;
}

static const struct rules days_and_weeks = {
    {[RULE_DAILY] = 30, [RULE_WEEKLY] = 8}};

/*
 * A backup and an expiration a day, by a clock that is ${ahead} days ahead: the
 * last month stays, and no more than ${most}.
 */
static void
go_on(struct history *h, int64_t from, int64_t to, int64_t ahead, size_t most)
{
	for (int64_t day = from; day <= to; day++) {
		size_t newest = 0;

		add_days(h, day, day, ahead);
		expire(h, &days_and_weeks, noon(day + ahead));
		for (size_t i = 0; i < h->n; i++)
			newest += h->made[i] > noon(day - 30);
		/* As one more comes, at most one goes. */
		assert_true(newest >= 29);
		assert_true(h->n <= most);
	}
}

static void
assert_no_doubt(const struct history *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].why & KEEP_DOUBT)
			fail_msg("%zu of %zu is in doubt", i, h->n);
}

/* --- right clocks --------------------------------------------------------- */

/* Then it is keep_apply(), to the bit. */
static void
keep_log_apply__right_times(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 200; round++) {
		struct rules rules = {{0}};
		struct history h = {.n = 0};
		struct keep_item v[MAX];
		int64_t t = MONDAY;
		int step = 1 + rand() % (20 * DAY);

		for (int r = 0; r < RULES; r++)
			if (rand() % 2)
				rules.keep[r] = 1 + (uint32_t)rand() % 20;
		if (rules.keep[RULE_WITHIN])
			rules.keep[RULE_WITHIN] *= DAY;
		for (int i = rand() % 100; i >= 0; i--) {
			t += 1 + rand() % step;
			add(&h, t, t);
			h.v[h.n - 1].held = rand() % 20 == 0;
		}
		t += rand() % step;
		apply(&h, &rules, t);
		memcpy(v, h.v, sizeof(v));
		assert_int_equal(
		    keep_apply(v, h.n, &rules, (struct moment){t, 0}, &err), 0);
		for (size_t i = 0; i < h.n; i++)
			assert_int_equal(h.v[i].why, v[i].why);
	}
}

static void
keep_log_apply__nothing(void **state)
{
	struct history h = {.n = 0};

	(void)state;
	apply(&h, &days_and_weeks, noon(0));
	add_days(&h, 0, 3, 0);
	h.v[1].held = true;
	apply(&h, &(struct rules){{0}}, noon(3));
	assert_int_equal(kept(&h), 1);
	assert_int_equal(h.v[1].why, KEEP_HELD);
}

/* --- one that is wrong ---------------------------------------------------- */

/* 41 days ahead on day 6: also when that date has come, and passed. */
static void
keep_log_apply__one_too_late(void **state)
{
	(void)state;
	for (int64_t today = 7; today < 120; today++) {
		struct history h = {.n = 0};

		add_days(&h, 0, 5, 0);
		add_days(&h, 6, 6, 41);
		add_days(&h, 7, today, 0);
		assert_none_lost(&h, &days_and_weeks, noon(today), 6);
		/* Before its date comes it goes at once; and all is clear. */
		expire(&h, &days_and_weeks, noon(today));
		assert_true(h.n <= 2 * (30 + 8));
		if (today >= 47)
			continue;
		for (size_t i = 0; i < h.n; i++)
			assert_true(h.made[i] != noon(6));
		expire(&h, &days_and_weeks, noon(today));
		assert_no_doubt(&h);
	}
}

/* Backups that are so rare that the calendar's days don't keep them. */
static void
keep_log_apply__one_too_late_among_few(void **state)
{
	struct history h = {.n = 0};

	(void)state;
	for (int64_t week = 0; week < 40; week++)
		add(&h, noon(7 * week),
		    noon(7 * week) + (week == 5 ? 200 * DAY : 0));
	assert_none_lost(&h, &days_and_weeks, noon(39 * 7), 5);
}

static void
keep_log_apply__one_too_early(void **state)
{
	(void)state;
	for (int64_t today = 7; today < 120; today++) {
		struct history h = {.n = 0};

		add_days(&h, 0, 5, 0);
		add(&h, noon(6), 0);
		add_days(&h, 7, today, 0);
		assert_none_lost(&h, &days_and_weeks, noon(today), 6);
		expire(&h, &days_and_weeks, noon(today));
		assert_true(h.n <= 2 * (30 + 8));
	}
}

/* Never more than itself, wherever it is, as long as the order shows it. */
static void
keep_log_apply__one_wrong_anywhere(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 2000; round++) {
		struct rules rules = {{0}};
		struct history h = {.n = 0};
		int64_t t = MONDAY;
		int step = 1 + rand() % (5 * DAY);
		size_t wrong;

		rules.keep[RULE_HOURLY + rand() % 5] =
		    1 + (uint32_t)rand() % 20;
		for (int i = 3 + rand() % 80; i >= 0; i--) {
			t += 1 + rand() % step;
			add(&h, t, t);
		}
		wrong = 1 + (size_t)rand() % (h.n - 2);
		h.v[wrong].time.s = rand() % 2
					? h.made[wrong + 1] + rand() % 9999999
					: h.made[wrong - 1] - rand() % 9999999;
		assert_none_lost(&h, &rules, t, wrong);
	}
}

/* --- several -------------------------------------------------------------- */

/* Neither way is right for those between the two. */
static void
keep_log_apply__too_late_and_then_too_early(void **state)
{
	struct history h = {.n = 0};

	(void)state;
	add_days(&h, 0, 5, 0);
	add_days(&h, 6, 6, 41);
	add_days(&h, 7, 48, 0);
	add(&h, noon(48) + 1, 0);
	apply(&h, &days_and_weeks, noon(49));
	for (size_t i = 0; i < h.n; i++) {
		int64_t day = (h.made[i] - MONDAY) / DAY;

		if (day > 49 - 30 && h.made[i] == noon(day) &&
		    (h.v[i].why & KEEP_RULE(RULE_DAILY)) == 0)
			fail_msg("day %lld is lost", (long long)day);
	}
}

/* It was ahead for long; from one day on it is right. */
static void
keep_log_apply__a_clock_that_is_put_right(void **state)
{
	struct history h = {.n = 0};

	(void)state;
	add_days(&h, 0, 99, 41);
	/* By whom it was right all the time. */
	apply(&h, &days_and_weeks, noon(99));
	for (size_t i = 70; i < 100; i++)
		assert_true(h.v[i].why != 0);
	expire(&h, &days_and_weeks, noon(99));
	go_on(&h, 100, 199, 0, 2 * (30 + 8));
	assert_no_doubt(&h);
}

/* The clock of one machine goes back for good, which also expires. */
static void
keep_log_apply__a_clock_that_goes_back(void **state)
{
	struct history h = {.n = 0};

	(void)state;
	add_days(&h, 0, 99, 0);
	/* Before the next backup, and then day by day. */
	expire(&h, &days_and_weeks, noon(99 - 60));
	go_on(&h, 100, 249, -60, 3 * (30 + 8));
	assert_no_doubt(&h);
}

/* A date that never comes keeps nothing for ever. */
static void
keep_log_apply__far_in_the_future(void **state)
{
	const struct rules rules = {
	    {[RULE_WITHIN] = 10 * DAY, [RULE_DAILY] = 30}};
	struct history h = {.n = 0};

	(void)state;
	add_days(&h, 0, 9, 0);
	add(&h, noon(10), INT64_MAX);
	add_days(&h, 11, 15, 0);
	apply(&h, &rules, noon(15));
	assert_int_equal(h.v[10].why & ~KEEP_DOUBT, KEEP_RULE(RULE_WITHIN));
	for (int64_t day = 16; day < 80; day++) {
		add_days(&h, day, day, 0);
		expire(&h, &rules, noon(day));
	}
	assert_int_equal(h.n, 30);
	assert_no_doubt(&h);
	assert_int_equal(h.made[0], noon(50));
}

/* --- on purpose ----------------------------------------------------------- */

/*
 * Whoever has a writer's key dates what he likes as he likes. Of the last days
 * all stays that wasn't followed by one of the same day.
 */
static void
keep_log_apply__a_writer_who_lies(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 300; round++) {
		const struct rules rules = {{[RULE_WITHIN] = 5 * DAY,
		    [RULE_DAILY] = 30,
		    [RULE_WEEKLY] = 4}};
		struct history h = {.n = 0};
		bool honest[MAX] = {false};
		int lies = 1 + rand() % 6;

		for (int64_t day = 0; day < 60; day++) {
			honest[h.n] = true;
			add_days(&h, day, day, 0);
			for (int i = rand() % lies; i > 0; i--)
				add(&h, noon(day) + i,
				    noon(day) + (1 + rand() % 100) *
						    (rand() % 2 ? DAY : -DAY));
		}
		apply(&h, &rules, noon(60));
		for (size_t i = 0; i < h.n; i++) {
			int64_t day = (h.made[i] - MONDAY) / DAY;

			if (!honest[i])
				continue;
			if (day > 30)
				assert_true(h.v[i].why & KEEP_RULE(RULE_DAILY));
			if (day >= 55)
				assert_true(
				    h.v[i].why & KEEP_RULE(RULE_WITHIN));
		}
	}
}

/* A thousand dates to come don't count as days that have any. */
static void
keep_log_apply__many_from_the_future(void **state)
{
	struct history h = {.n = 0};

	(void)state;
	add_days(&h, 0, 59, 0);
	for (int64_t i = 1; i < 400; i++)
		add(&h, noon(59) + i, noon(59 + i));
	apply(&h, &days_and_weeks, noon(60));
	for (size_t i = 31; i < 60; i++)
		assert_true(h.v[i].why & KEEP_RULE(RULE_DAILY));
	/* A rule that counts snapshots goes by the order. */
	apply(&h, &(struct rules){{[RULE_LAST] = 401}}, noon(60));
	assert_int_equal(kept(&h), 401);
	assert_true(h.v[58].why != 0);
	assert_no_doubt(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keep_log_apply__right_times),
	    cmocka_unit_test(keep_log_apply__nothing),
	    cmocka_unit_test(keep_log_apply__one_too_late),
	    cmocka_unit_test(keep_log_apply__one_too_late_among_few),
	    cmocka_unit_test(keep_log_apply__one_too_early),
	    cmocka_unit_test(keep_log_apply__one_wrong_anywhere),
	    cmocka_unit_test(keep_log_apply__too_late_and_then_too_early),
	    cmocka_unit_test(keep_log_apply__a_clock_that_is_put_right),
	    cmocka_unit_test(keep_log_apply__a_clock_that_goes_back),
	    cmocka_unit_test(keep_log_apply__far_in_the_future),
	    cmocka_unit_test(keep_log_apply__a_writer_who_lies),
	    cmocka_unit_test(keep_log_apply__many_from_the_future),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
