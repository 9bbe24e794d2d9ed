#include "tools/number.h"

#include <inttypes.h>
#include <stdbool.h>

/* Digits up to the first other character, where ${end} then points. */
static bool
digits(const char *text, const char **end, uint64_t *out)
{
	uint64_t v = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, UINT64_C(10), &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	}
	*end = p;
	*out = v;
	return p != text;
}

static int
check_range(const char *text, uint64_t v, uint64_t min, uint64_t max,
    uint64_t *out, struct err *err)
{
	if (v < min)
		return err_set(err, ERR_USAGE,
		    "'%s' is too small: at least %" PRIu64, text, min);
	if (v > max)
		return err_set(err, ERR_USAGE,
		    "'%s' is too large: at most %" PRIu64, text, max);
	*out = v;
	return 0;
}

int
number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out,
    struct err *err)
{
	const char *end;
	uint64_t v;

	if (!digits(text, &end, &v) || *end != '\0')
		return err_set(err, ERR_USAGE, "'%s' is not a number", text);
	return check_range(text, v, min, max, out, err);
}

/* How far a unit's letter shifts; -1 when it is none. */
static int
unit_shift(const char *unit)
{
	if (unit[0] == '\0')
		return 0;
	if (unit[1] != '\0')
		return -1;
	switch (unit[0]) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	case 't':
	case 'T':
		return 40;
	default:
		return -1;
	}
}

int
number_size(const char *text, uint64_t min, uint64_t max, uint64_t *out,
    struct err *err)
{
	const char *unit;
	uint64_t v;
	int shift;

	if (!digits(text, &unit, &v) || (shift = unit_shift(unit)) < 0)
		return err_set(err, ERR_USAGE,
		    "'%s' is not a size: digits and K, M, G or T, as in 64M",
		    text);
	if (v > UINT64_MAX >> shift)
		return err_set(err, ERR_USAGE, "'%s' is too large", text);
	return check_range(text, v << shift, min, max, out, err);
}

/* The seconds that a unit's letter stands for; 0 when it is none. */
static uint64_t
unit_seconds(const char *unit)
{
	if (unit[0] == '\0' || unit[1] != '\0')
		return 0;
	switch (unit[0]) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 7 * 86400;
	default:
		return 0;
	}
}

int
number_duration(const char *text, uint64_t min, uint64_t max, uint64_t *out,
    struct err *err)
{
	const char *unit;
	uint64_t v, each;

	if (!digits(text, &unit, &v) || (each = unit_seconds(unit)) == 0)
		return err_set(err, ERR_USAGE,
		    "'%s' is not a length of time: digits and s, m, h, d or w,"
		    " as in 90d",
		    text);
	if (__builtin_mul_overflow(v, each, &v) || v > max)
		return err_set(err, ERR_USAGE, "'%s' is too long", text);
	if (v < min)
		return err_set(err, ERR_USAGE, "'%s' is too short", text);
	*out = v;
	return 0;
}
