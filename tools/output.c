#include "tools/output.h"

#include "snapshot/log/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *
output_size(uint64_t bytes, char out[OUTPUT_TEXT])
{
	static const char *const units[] = {
	    "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double v = (double)bytes;
	size_t unit = 0;

	if (bytes < 1024) {
		(void)snprintf(out, OUTPUT_TEXT, "%" PRIu64 " B", bytes);
		return out;
	}
	for (v /= 1024; v >= 1023.5 && unit + 1 < ARRAY_LEN(units); v /= 1024)
		unit++;
	(void)snprintf(out, OUTPUT_TEXT, v < 99.95 ? "%.1f %s" : "%.0f %s", v,
	    units[unit]);
	return out;
}

const char *
output_count(uint64_t n, char out[OUTPUT_TEXT])
{
	char digits[OUTPUT_TEXT];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *p = out;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = '\0';
	return out;
}

const char *
output_things(
    uint64_t n, const char *one, const char *many, char out[OUTPUT_THINGS])
{
	char count[OUTPUT_TEXT];

	(void)snprintf(out, OUTPUT_THINGS, "%s %s", output_count(n, count),
	    n == 1 ? one : many);
	return out;
}

const char *
output_duration(double seconds, char out[OUTPUT_TEXT])
{
	uint64_t s = seconds > 0 ? (uint64_t)(seconds + 0.5) : 0;

	if (seconds < 0.995)
		(void)snprintf(out, OUTPUT_TEXT, "%.2f s", seconds);
	else if (seconds < 59.95)
		(void)snprintf(out, OUTPUT_TEXT, "%.1f s", seconds);
	else if (s < 3600)
		(void)snprintf(out, OUTPUT_TEXT,
		    "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	else if (s < 2 * 86400)
		(void)snprintf(out, OUTPUT_TEXT,
		    "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
	else if (s / 3600 % 24 == 0)
		(void)snprintf(out, OUTPUT_TEXT, "%" PRIu64 " days", s / 86400);
	else
		(void)snprintf(out, OUTPUT_TEXT,
		    "%" PRIu64 " days %" PRIu64 " h", s / 86400, s / 3600 % 24);
	return out;
}

/* An ISO time with a fraction before its 'Z'; ${digits} 0: with none. */
static const char *
iso_time(struct moment m, uint32_t fraction, int digits, char out[OUTPUT_TIME])
{
	char iso[2 * WHEN_DAY_TEXT];

	when_iso(m, iso);
	if (digits == 0)
		(void)snprintf(out, OUTPUT_TIME, "%s", iso);
	else
		(void)snprintf(out, OUTPUT_TIME, "%.*s.%0*" PRIu32 "Z",
		    (int)strcspn(iso, "Z"), iso, digits, fraction);
	return out;
}

const char *
output_time(struct moment m, char out[OUTPUT_TIME])
{
	return iso_time(m, 0, 0, out);
}

const char *
output_time_ms(struct moment m, char out[OUTPUT_TIME])
{
	return iso_time(m, m.ns / 1000000, 3, out);
}

const char *
output_time_exact(struct moment m, char out[OUTPUT_TIME])
{
	return iso_time(m, m.ns, m.ns != 0 ? 9 : 0, out);
}

const char *
output_until(int64_t end, char out[OUTPUT_TIME])
{
	const struct moment last = {end - 1, 0};

	(void)output_time(last, out);
	if (end % 86400 == 0)
		*strchr(out, 'T') = '\0';
	return out;
}

const char *
output_hex(const uint8_t *bytes, size_t len, char *out)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digit[bytes[i] >> 4];
		out[2 * i + 1] = digit[bytes[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}
