/* Times as people write them: snapshot/log/when*.c, civil.c. */
#include "snapshot/log/log_internal.h"
#include "snapshot/log/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LAST_NS 999999999
#define NOV_21 1795219200 /* 2026-11-21T00:00:00Z */
#define DAY 86400
#define AT(h, m, s) (((h)*60 + (m)) * 60 + (s))

/* Now: 2026-11-21T15:30:45.5Z. */
static const struct moment now = {NOV_21 + AT(15, 30, 45), 500000000};

/* --- parsing ----------------------------------------------------------- */

static void
assert_parses(const char *text, int64_t s, uint32_t ns)
{
	struct moment m;
	struct err err = {0};

	if (when_parse(text, now, &m, &err) != 0)
		fail_msg("%s", err.text);
	if (m.s != s || m.ns != ns)
		fail_msg("'%s' is %jd.%09u, not %jd.%09u", text, (intmax_t)m.s,
		    m.ns, (intmax_t)s, ns);
}

static void
when_parse__dates(UNUSED void **state)
{
	assert_parses("2026-11-21", NOV_21 + DAY - 1, LAST_NS);
	assert_parses("1970-01-01", DAY - 1, LAST_NS);
	assert_parses("1969-12-31", -1, LAST_NS);
	assert_parses("1900-03-01", -2203891200 + DAY - 1, LAST_NS);
	assert_parses("0000-01-01", -62167219200 + DAY - 1, LAST_NS);
	assert_parses("-0001-12-31", -62167219200 - 1, LAST_NS);
	assert_parses("2000-02-29", 951782400 + DAY - 1, LAST_NS);
	assert_parses("2024-02-29", 1709164800 + DAY - 1, LAST_NS);
	assert_parses("2106-02-07", 4294944000 + DAY - 1, LAST_NS);
	assert_parses("9999-12-31", 253402300799, LAST_NS);
	assert_parses("10000-01-01", 253402300800 + DAY - 1, LAST_NS);
}

static void
when_parse__times(UNUSED void **state)
{
	int64_t minute = NOV_21 + AT(14, 20, 0);

	assert_parses("2026-11-21T14:20Z", minute + 59, LAST_NS);
	assert_parses("2026-11-21T14:20:05Z", minute + 5, LAST_NS);
	assert_parses("2026-11-21T14:20:05.250Z", minute + 5, 250999999);
	assert_parses("2026-11-21T14:20:05.000Z", minute + 5, 999999);
	assert_parses("2026-11-21T15:20+01:00", minute + 59, LAST_NS);
	assert_parses("2026-11-21T08:50:05-05:30", minute + 5, LAST_NS);
	assert_parses("2026-11-22T00:05:00.001+09:45", minute, 1999999);
	assert_parses("2026-11-21T00:00-00:00", NOV_21 + 59, LAST_NS);
	assert_parses("2026-11-21T23:59:59Z", NOV_21 + DAY - 1, LAST_NS);
}

static void
when_parse__relative(UNUSED void **state)
{
	assert_parses("now", now.s, now.ns);
	assert_parses("today", NOV_21 + DAY - 1, LAST_NS);
	assert_parses("yesterday", NOV_21 - 1, LAST_NS);
	assert_parses("0s", now.s, now.ns);
	assert_parses("90s", now.s - 90, now.ns);
	assert_parses("20m", now.s - 1200, now.ns);
	assert_parses("3h", now.s - 10800, now.ns);
	assert_parses("2d", now.s - 2 * DAY, now.ns);
	assert_parses("1w", now.s - 7 * DAY, now.ns);
	assert_parses("0090s", now.s - 90, now.ns);
	assert_parses("100000d", now.s - INT64_C(8640000000), now.ns);
}

static void
when_parse__refuses(UNUSED void **state)
{
	static const char *const texts[] = {"", " ", "x", "latest", "Now",
	    "now ", " now", "tomorrow",
	    /* dates */
	    "2026", "2026-11", "2026-11-", "2026-1-21", "2026-11-2",
	    "2026-11-210", "2026-11-21 ", " 2026-11-21", "2026-13-01",
	    "2026-00-01", "2026-01-00", "2026-01-32", "2026-04-31",
	    "2026-02-29", "2100-02-29", "1900-02-29", "26-11-21", "+2026-11-21",
	    "2026/11/21", "20261121", "2026-11-2x", "--2026-11-21",
	    "292277000001-01-01", "1234567890123-01-01", "2026-11-21/14-20-00Z",
	    /* times */
	    "2026-11-21T", "2026-11-21T14", "2026-11-21T14Z",
	    "2026-11-21T14:20", "2026-11-21t14:20Z", "2026-11-21T14:20z",
	    "2026-11-21 14:20Z", "2026-11-21T24:00Z", "2026-11-21T14:60Z",
	    "2026-11-21T14:20:60Z", "2026-11-21T14:20:05",
	    "2026-11-21T14:20:05.Z", "2026-11-21T14:20:05.2Z",
	    "2026-11-21T14:20:05.2500Z", "2026-11-21T14:20.250Z",
	    "2026-11-21T14:20:5Z", "2026-11-21T4:20Z", "2026-11-21T14:20ZZ",
	    "2026-11-21T14:20+1:00", "2026-11-21T14:20+0100",
	    "2026-11-21T14:20+24:00", "2026-11-21T14:20+01:60",
	    "2026-11-21T14:20+01:00Z", "2026-11-21T14:20+", "2026-11-21T-4:20Z",
	    "2026-11-21T14:+5Z",
	    /* ages */
	    "3", "h", "3y", "3hh", "3h ", " 3h", "-3h", "+3h", "3 h", "3.5h",
	    "1h30m", "3H", "99999999999d", "9999999999999999999s",
	    "999999999999999999w"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct moment m;
		struct err err = {0};
		int rc = when_parse(texts[i], now, &m, &err);

		if (rc != ERR_USAGE)
			fail_msg("'%s': %d", texts[i], rc);
		assert_non_null(strstr(err.text, "is not a time"));
	}
}

/* --- printing ---------------------------------------------------------- */

static void
assert_prints(struct moment m, const char *day, const char *time,
    const char *millis, const char *iso)
{
	char day_text[WHEN_DAY_TEXT];
	char text[WHEN_TIME_TEXT];
	char iso_text[2 * WHEN_DAY_TEXT];

	when_day(m, day_text);
	assert_string_equal(day_text, day);
	when_dated_time(m, false, text);
	assert_string_equal(text, time);
	when_dated_time(m, true, text);
	assert_string_equal(text, millis);
	when_iso(m, iso_text);
	assert_string_equal(iso_text, iso);
}

static void
when_day__prints_any_moment(UNUSED void **state)
{
	assert_prints(now, "2026-11-21", "15-30-45Z", "15-30-45.500Z",
	    "2026-11-21T15:30:45Z");
	assert_prints((struct moment){0, 1999999}, "1970-01-01", "00-00-00Z",
	    "00-00-00.001Z", "1970-01-01T00:00:00Z");
	assert_prints((struct moment){-1, LAST_NS}, "1969-12-31", "23-59-59Z",
	    "23-59-59.999Z", "1969-12-31T23:59:59Z");
	assert_prints((struct moment){-62167219201, 0}, "-0001-12-31",
	    "23-59-59Z", "23-59-59.000Z", "-0001-12-31T23:59:59Z");
	assert_prints((struct moment){INT64_MAX, LAST_NS}, "292277026596-12-04",
	    "15-30-07Z", "15-30-07.999Z", "292277026596-12-04T15:30:07Z");
	assert_prints((struct moment){INT64_MIN, 0}, "-292277022657-01-27",
	    "08-29-52Z", "08-29-52.000Z", "-292277022657-01-27T08:29:52Z");
}

/* Every day of 800 years, against counting. */
static void
when_day__agrees_with_when_parse(UNUSED void **state)
{
	int64_t first = -11676096000; /* 1600-01-01 */

	for (int64_t day = 0; day < 2 * 146097; day++) {
		struct moment m = {first + day * DAY + 43200, 0};
		struct moment back;
		char text[WHEN_DAY_TEXT];

		when_day(m, text);
		assert_int_equal(when_parse(text, now, &back, NULL), 0);
		assert_int_equal(back.s, first + day * DAY + DAY - 1);
	}
}

/* --- selecting --------------------------------------------------------- */

static const struct dataset ds = {.name = "customers"};

/* A log of snapshots at these times; the id of the i-th is i * 0x11, ... */
static struct log *
log_of(const struct moment *times, size_t n)
{
	struct log *l = calloc(1, sizeof(*l));
	struct err err = {0};

	assert_non_null(l);
	l->ds = &ds;
	assert_int_equal(log_reserve(l, n, &err), 0);
	for (size_t i = 0; i < n; i++) {
		struct record *r = calloc(1, sizeof(*r));
		struct snapshot *s = calloc(1, sizeof(*s));

		assert_non_null(r);
		assert_non_null(s);
		s->time = times[i];
		s->seq = r->head.seq = i + 1;
		memset(s->id, (int)(0x11 * i), sizeof(s->id));
		r->head.type = RECORD_SNAPSHOT;
		r->open = true;
		r->snapshot = s;
		assert_int_equal(log_take(l, r, &err), 0);
	}
	log_settle(l);
	return l;
}

/* A few days before now; the clock went back once. */
static const struct moment times[] = {
    {NOV_21 - 3 * DAY, 0},                    /* 0: 18th 00:00:00 */
    {NOV_21 - 2 * DAY + AT(9, 0, 0), 1},      /* 1: 19th 09:00:00 */
    {NOV_21 - 2 * DAY + AT(14, 0, 5), 0},     /* 2: 19th 14:00:05.000 */
    {NOV_21 - 2 * DAY + AT(14, 0, 5), 250e6}, /* 3: ... .250 */
    {NOV_21 - 2 * DAY + AT(14, 0, 5), 100e6}, /* 4: ... .100 */
    {NOV_21 - 2 * DAY + AT(8, 0, 0), 0},      /* 5: 19th 08:00:00 */
    {NOV_21 + AT(10, 30, 0), 0},              /* 6: 21st 10:30:00 */
};

static void
assert_selects(const struct log *l, const char *text, size_t i)
{
	const struct snapshot *s = NULL;
	struct err err = {0};

	if (when_select(l, text, now, &s, &err) != 0)
		fail_msg("%s", err.text);
	if (s != log_snapshot(l, i))
		fail_msg("'%s' is snapshot %ju, not %zu", text,
		    (uintmax_t)s->seq - 1, i);
}

static void
assert_none(const struct log *l, const char *text, int want, const char *part)
{
	const struct snapshot *s = NULL;
	struct err err = {0};

	assert_int_equal(when_select(l, text, now, &s, &err), want);
	assert_null(s);
	if (strstr(err.text, part) == NULL)
		fail_msg("'%s' is not in: %s", part, err.text);
}

static void
when_select__by_time(UNUSED void **state)
{
	AUTO(log) struct log *l = log_of(times, ARRAY_LEN(times));

	assert_selects(l, "latest", 6);
	assert_selects(l, "now", 6);
	assert_selects(l, "today", 6);
	assert_selects(l, "yesterday", 3);
	assert_selects(l, "2026-11-21", 6);
	assert_selects(l, "2026-11-20", 3);
	assert_selects(l, "2026-11-19", 3);
	assert_selects(l, "2026-11-18", 0);
	assert_selects(l, "2027-01-01", 6);
	assert_selects(l, "2026-11-19T08:59Z", 5);
	assert_selects(l, "2026-11-19T09:00Z", 1);
	assert_selects(l, "2026-11-19T10:00:00+01:00", 1);
	assert_selects(l, "2026-11-19T14:00:04Z", 1);
	assert_selects(l, "2026-11-19T14:00:05Z", 3);
	assert_selects(l, "2026-11-19T14:00:05.000Z", 2);
	assert_selects(l, "2026-11-19T14:00:05.099Z", 2);
	assert_selects(l, "2026-11-19T14:00:05.100Z", 4);
	assert_selects(l, "2026-11-19T14:00:05.250Z", 3);
	assert_selects(l, "5h", 6);
	assert_selects(l, "6h", 3);
	assert_selects(l, "2d", 3);
}

static void
when_select__before_the_oldest(UNUSED void **state)
{
	AUTO(log) struct log *l = log_of(times, ARRAY_LEN(times));
	AUTO(log) struct log *empty = log_of(times, 0);

	assert_none(l, "2026-11-17", ERR_NOT_FOUND,
	    "dataset 'customers' has no snapshot at or before"
	    " 2026-11-17T23:59:59Z; its oldest is of 2026-11-18T00:00:00Z");
	assert_none(l, "1w", ERR_NOT_FOUND, "2026-11-18T00:00:00Z");
	assert_none(empty, "latest", ERR_NOT_FOUND, "has no snapshots");
	assert_none(empty, "now", ERR_NOT_FOUND, "has no snapshots");
	assert_none(empty, "abcd", ERR_NOT_FOUND, "has no snapshots");
}

static void
when_select__by_dated_name(UNUSED void **state)
{
	AUTO(log) struct log *l = log_of(times, ARRAY_LEN(times));

	assert_selects(l, "2026-11-18/00-00-00Z", 0);
	assert_selects(l, "2026-11-19/14-00-05Z", 2);
	assert_selects(l, "2026-11-19/14-00-05.250Z", 3);
	assert_selects(l, "2026-11-19/14-00-05.100Z", 4);
	assert_none(l, "2026-11-19/14-00-05.000Z", ERR_NOT_FOUND, "oldest");
	assert_none(l, "2026-11-19/14-00-06Z", ERR_NOT_FOUND, "oldest");
	assert_none(l, "2026-11-18/00-00-00.000Z", ERR_NOT_FOUND, "oldest");
	assert_none(l, "2026-11-19/14:00:05Z", ERR_USAGE, "not a time");
	assert_none(l, "2026-11-19/", ERR_USAGE, "not a time");
	assert_none(l, "2026-11-19/14-00-05", ERR_USAGE, "not a time");
}

static void
when_select__by_id(UNUSED void **state)
{
	AUTO(log) struct log *l = log_of(times, ARRAY_LEN(times));
	char full[2 * OBJECT_NAME_LEN + 2];

	assert_selects(l, "2222", 2);
	assert_selects(l, "33333", 3);
	memset(full, '4', sizeof(full));
	full[2 * OBJECT_NAME_LEN] = '\0';
	assert_selects(l, full, 4);
	assert_none(l, "222", ERR_USAGE, "not a time");
	assert_none(l, "abcd", ERR_NOT_FOUND, "whose id starts with 'abcd'");
	assert_none(l, "222g", ERR_USAGE, "not a time");
	full[2 * OBJECT_NAME_LEN] = '4';
	full[2 * OBJECT_NAME_LEN + 1] = '\0';
	assert_none(l, full, ERR_USAGE, "not a time");
	memcpy(l->snapshots[1]->id, "\x22\x22\x3b", 3);
	assert_none(l, "2222", ERR_USAGE, "give more digits");
	assert_selects(l, "22222", 2);
	assert_selects(l, "22223b", 1);
	assert_selects(l, "22223B", 1);
}

static void
when_needs_millis__by_log_order(UNUSED void **state)
{
	static const bool want[] = {
	    false, false, false, true, true, false, false};
	AUTO(log) struct log *l = log_of(times, ARRAY_LEN(times));

	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(when_needs_millis(l, i), want[i]);
}

static void
assert_named(const struct log *l, size_t i, const char *want)
{
	char name[WHEN_NAME_TEXT];

	assert_string_equal(when_name(l, log_snapshot(l, i), name), want);
	assert_selects(l, name, i);
}

/* With a clock that went back, those of one second are no neighbours. */
static void
when_name__means_the_one_it_names(UNUSED void **state)
{
	static const struct moment back[] = {
	    {NOV_21, 999e6},
	    {NOV_21 + 1, 700e6},
	    {NOV_21 + 3, 0},
	    {NOV_21 + 1, 200e6},
	    {NOV_21 + 2, 0},
	};
	AUTO(log) struct log *l = log_of(back, ARRAY_LEN(back));
	char name[WHEN_NAME_TEXT];

	assert_named(l, 0, "2026-11-21T00:00:00Z");
	assert_named(l, 1, "2026-11-21T00:00:01.700Z");
	assert_named(l, 2, "2026-11-21T00:00:03Z");
	assert_named(l, 3, "2026-11-21T00:00:01.200Z");
	assert_named(l, 4, "2026-11-21T00:00:02Z");
	/* A tail doesn't know which others there are up to the latest time. */
	l->base = 7;
	l->known.latest = (NOV_21 + 2) * INT64_C(1000);
	assert_string_equal(
	    when_name(l, log_snapshot(l, 4), name), "2026-11-21T00:00:02.000Z");
	assert_string_equal(
	    when_name(l, log_snapshot(l, 2), name), "2026-11-21T00:00:03Z");
	l->base = 0;
	/* One that has expired is in nobody's way. */
	l->snapshots[3]->expired = 9;
	log_settle(l);
	assert_named(l, 1, "2026-11-21T00:00:01Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(when_parse__dates),
	    cmocka_unit_test(when_parse__times),
	    cmocka_unit_test(when_parse__relative),
	    cmocka_unit_test(when_parse__refuses),
	    cmocka_unit_test(when_day__prints_any_moment),
	    cmocka_unit_test(when_day__agrees_with_when_parse),
	    cmocka_unit_test(when_select__by_time),
	    cmocka_unit_test(when_select__before_the_oldest),
	    cmocka_unit_test(when_select__by_dated_name),
	    cmocka_unit_test(when_select__by_id),
	    cmocka_unit_test(when_needs_millis__by_log_order),
	    cmocka_unit_test(when_name__means_the_one_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
