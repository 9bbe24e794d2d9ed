#ifndef SNAPSHOT_LOG_CIVIL_H
#define SNAPSHOT_LOG_CIVIL_H

/*
 * Dates of the Gregorian calendar, extended to all
 * years that a 64-bit count of seconds can reach, and days since 1970-01-01.
 * No time zone, no locale. Thread: safe.
 */
#include <stdbool.h>
#include <stdint.h>

#define CIVIL_DAY 86400 /* seconds */

/* Room for sums: every day of these years has its seconds in 64 bits. */
#define CIVIL_YEAR_MAX INT64_C(292277000000)

struct civil {
	int64_t year;
	unsigned month; /* from 1 */
	unsigned day;   /* from 1 */
};

/** civil_valid(c): Whether there is such a day, up to CIVIL_YEAR_MAX. */
bool civil_valid(struct civil c);

int64_t civil_to_days(struct civil c);
struct civil civil_from_days(int64_t days);

/** civil_split(s, days, second): Days since 1970, and the second of the day. */
void civil_split(int64_t s, int64_t *days, unsigned *second);

#endif
