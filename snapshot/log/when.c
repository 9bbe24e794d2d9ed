#include "snapshot/log/when.h"

#include "snapshot/log/civil.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000

void
when_day(struct moment m, char out[WHEN_DAY_TEXT])
{
	int64_t days;
	unsigned second;
	struct civil c;

	civil_split(m.s, &days, &second);
	c = civil_from_days(days);
	/* A sign takes one of the places. */
	(void)snprintf(out, WHEN_DAY_TEXT, "%0*jd-%02u-%02u",
	    c.year < 0 ? 5 : 4, (intmax_t)c.year, c.month, c.day);
}

/* The time of day, with ${sep} between its parts, and no zone. */
static int
format_time(struct moment m, char sep, char *out, size_t size)
{
	int64_t days;
	unsigned second;

	civil_split(m.s, &days, &second);
	return snprintf(out, size, "%02u%c%02u%c%02u", second / 3600, sep,
	    second / 60 % 60, sep, second % 60);
}

void
when_dated_time(struct moment m, bool millis, char out[WHEN_TIME_TEXT])
{
	int len = format_time(m, '-', out, WHEN_TIME_TEXT);

	if (millis)
		(void)snprintf(out + len, WHEN_TIME_TEXT - (size_t)len,
		    ".%03uZ", m.ns / NS_PER_MS);
	else
		(void)snprintf(out + len, WHEN_TIME_TEXT - (size_t)len, "Z");
}

void
when_iso(struct moment m, char out[2 * WHEN_DAY_TEXT])
{
	size_t len;

	when_day(m, out);
	len = strlen(out);
	out[len++] = 'T';
	len += (size_t)format_time(m, ':', out + len, 2 * WHEN_DAY_TEXT - len);
	out[len++] = 'Z';
	out[len] = '\0';
}
