#include "snapshot/log/civil.h"
#include "snapshot/log/when_internal.h"

#include <string.h>

#define NS_LAST 999999999
#define NS_PER_MS 1000000
#define YEAR_DIGITS_MAX 12

/* A text that is taken apart from the left. What does not fit fails for good.
 */
struct scan {
	const char *p;
	bool failed;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
scan_char(struct scan *s, char c)
{
	if (s->failed || *s->p != c)
		return false;
	s->p++;
	return true;
}

static void
scan_must(struct scan *s, char c)
{
	if (!scan_char(s, c))
		s->failed = true;
}

static void
scan_end(struct scan *s)
{
	if (*s->p != '\0')
		s->failed = true;
}

/* ${min} to ${max} digits, and no digit after them; at most 18. */
static int64_t
scan_digits(struct scan *s, int min, int max)
{
	int64_t v = 0;
	int n = 0;

	while (!s->failed && n < max && is_digit(*s->p)) {
		v = v * 10 + (*s->p++ - '0');
		n++;
	}
	if (n < min || is_digit(*s->p))
		s->failed = true;
	return v;
}

/* Two digits, below ${end}. */
static unsigned
scan_two(struct scan *s, unsigned end)
{
	unsigned v = (unsigned)scan_digits(s, 2, 2);

	if (v >= end)
		s->failed = true;
	return v;
}

/* '2026-11-21': the day's first second. */
static int64_t
scan_date(struct scan *s)
{
	bool negative = scan_char(s, '-');
	struct civil c;

	c.year = scan_digits(s, 4, YEAR_DIGITS_MAX);
	if (negative)
		c.year = -c.year;
	scan_must(s, '-');
	c.month = scan_two(s, 13);
	scan_must(s, '-');
	c.day = scan_two(s, 32);
	if (s->failed || !civil_valid(c)) {
		s->failed = true;
		return 0;
	}
	return civil_to_days(c) * CIVIL_DAY;
}

/* 'Z', '+01:00': what to add to have it in UTC. */
static int64_t
scan_zone(struct scan *s)
{
	bool east;
	int64_t offset;

	if (scan_char(s, 'Z'))
		return 0;
	east = scan_char(s, '+');
	if (!east)
		scan_must(s, '-');
	offset = (int64_t)scan_two(s, 24) * 3600;
	scan_must(s, ':');
	offset += (int64_t)scan_two(s, 60) * 60;
	return east ? -offset : offset;
}

/* The last nanosecond of a millisecond '.250', or of the whole second. */
static uint32_t
scan_millis(struct scan *s)
{
	if (!scan_char(s, '.'))
		return NS_LAST;
	return (uint32_t)scan_digits(s, 3, 3) * NS_PER_MS + NS_PER_MS - 1;
}

/* '2026-11-21', or with 'T14:20Z', 'T14:20:05Z', 'T14:20:05.250+01:00'. */
static bool
parse_date(const char *text, struct moment *out)
{
	struct scan s = {.p = text};
	struct moment m = {.s = scan_date(&s), .ns = NS_LAST};

	if (scan_char(&s, 'T')) {
		m.s += (int64_t)scan_two(&s, 24) * 3600;
		scan_must(&s, ':');
		m.s += (int64_t)scan_two(&s, 60) * 60;
		if (scan_char(&s, ':')) {
			m.s += scan_two(&s, 60);
			m.ns = scan_millis(&s);
		} else {
			m.s += 59;
		}
		m.s += scan_zone(&s);
	} else {
		m.s += CIVIL_DAY - 1;
	}
	scan_end(&s);
	if (!s.failed)
		*out = m;
	return !s.failed;
}

bool
when_parse_dated(const char *text, struct moment *out)
{
	struct scan s = {.p = text};
	struct moment m = {.s = scan_date(&s)};

	scan_must(&s, '/');
	m.s += (int64_t)scan_two(&s, 24) * 3600;
	scan_must(&s, '-');
	m.s += (int64_t)scan_two(&s, 60) * 60;
	scan_must(&s, '-');
	m.s += scan_two(&s, 60);
	m.ns = scan_millis(&s);
	scan_must(&s, 'Z');
	scan_end(&s);
	if (!s.failed)
		*out = m;
	return !s.failed;
}

static int64_t
unit_seconds(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return CIVIL_DAY;
	case 'w':
		return 7 * CIVIL_DAY;
	default:
		return 0;
	}
}

#define YEAR_1 (-INT64_C(62135596800)) /* its first second */

/* '90s', '20m', '3h', '2d', '1w': so long before ${now}. */
static bool
parse_age(const char *text, struct moment now, struct moment *out)
{
	struct scan s = {.p = text};
	int64_t n = scan_digits(&s, 1, 18);
	int64_t unit = s.failed ? 0 : unit_seconds(*s.p);
	struct moment m = now;

	if (unit == 0)
		return false;
	s.p++;
	scan_end(&s);
	if (s.failed || __builtin_mul_overflow(n, unit, &n) ||
	    __builtin_sub_overflow(now.s, n, &m.s) || m.s < YEAR_1)
		return false;
	*out = m;
	return true;
}

/* The end of the day that is ${ago} days before ${now}'s. */
static struct moment
end_of_day(struct moment now, int64_t ago)
{
	int64_t days;
	unsigned second;

	civil_split(now.s, &days, &second);
	return (struct moment){
	    .s = (days - ago) * CIVIL_DAY + CIVIL_DAY - 1,
	    .ns = NS_LAST,
	};
}

int
when_parse(
    const char *text, struct moment now, struct moment *out, struct err *err)
{
	if (strcmp(text, "now") == 0)
		*out = now;
	else if (strcmp(text, "today") == 0)
		*out = end_of_day(now, 0);
	else if (strcmp(text, "yesterday") == 0)
		*out = end_of_day(now, 1);
	else if (!parse_age(text, now, out) && !parse_date(text, out))
		return err_set(err, ERR_USAGE,
		    "'%s' is not a time: give a date such as 2026-11-21, a time"
		    " such as 2026-11-21T14:20Z, or an age such as 3h",
		    text);
	return 0;
}
