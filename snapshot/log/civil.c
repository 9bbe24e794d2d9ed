#include "snapshot/log/civil.h"

/*
 * The calendar repeats every 400 years. Years are counted from March, so that
 * the leap day is a year's last, and months 0 to 4 and 5 to 9 have 153 days.
 */
#define YEARS_OF_ERA 400
#define DAYS_OF_ERA 146097
#define EPOCH_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool
civil_valid(struct civil c)
{
	static const unsigned lengths[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned length;

	if (c.year < -CIVIL_YEAR_MAX || c.year > CIVIL_YEAR_MAX ||
	    c.month < 1 || c.month > 12)
		return false;
	length = lengths[c.month - 1] + (c.month == 2 && is_leap(c.year));
	return c.day >= 1 && c.day <= length;
}

int64_t
civil_to_days(struct civil c)
{
	int64_t year = c.year - (c.month <= 2);
	int64_t era = floor_div(year, YEARS_OF_ERA);
	int64_t of_era = year - era * YEARS_OF_ERA;
	unsigned month = c.month > 2 ? c.month - 3 : c.month + 9;
	unsigned of_year = (153 * month + 2) / 5 + c.day - 1;

	return era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 +
	       of_year - EPOCH_DAYS;
}

struct civil
civil_from_days(int64_t days)
{
	int64_t z = days + EPOCH_DAYS;
	int64_t era = floor_div(z, DAYS_OF_ERA);
	unsigned of_era = (unsigned)(z - era * DAYS_OF_ERA);
	unsigned year = (of_era - of_era / 1460 + of_era / 36524 -
			    of_era / (DAYS_OF_ERA - 1)) /
			365;
	unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * of_year + 2) / 153;
	struct civil c = {
	    .month = month < 10 ? month + 3 : month - 9,
	    .day = of_year - (153 * month + 2) / 5 + 1,
	};

	c.year = era * YEARS_OF_ERA + year + (c.month <= 2);
	return c;
}

void
civil_split(int64_t s, int64_t *days, unsigned *second)
{
	int64_t rest = s % CIVIL_DAY;

	/* Not days times seconds: at the far end, that would overflow. */
	*days = floor_div(s, CIVIL_DAY);
	*second = (unsigned)(rest < 0 ? rest + CIVIL_DAY : rest);
}
