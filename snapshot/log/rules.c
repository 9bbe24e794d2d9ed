#include "snapshot/log/rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const names[RULES] = {
    "within", "last", "hourly", "daily", "weekly", "monthly", "yearly"};

const char *
rule_name(enum rule rule)
{
	return names[rule];
}

bool
rules_any(const struct rules *r)
{
	for (size_t i = 0; i < RULES; i++)
		if (r->keep[i] != 0)
			return true;
	return false;
}

/* --- as options ---------------------------------------------------------- */

/* Seconds in the largest unit that leaves nothing over. */
static void
duration(uint32_t s, uint32_t *n, char *unit)
{
	static const struct {
		uint32_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;

	while (s % units[i].seconds != 0)
		i++;
	*n = s / units[i].seconds;
	*unit = units[i].unit;
}

const char *
rules_text(const struct rules *r, char out[RULES_TEXT])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < RULES; i++) {
		uint32_t n = r->keep[i];
		char unit[2] = "";

		if (n == 0)
			continue;
		if (i == RULE_WITHIN)
			duration(n, &n, unit);
		len += (size_t)snprintf(out + len, RULES_TEXT - len,
		    "%s--keep-%s %" PRIu32 "%s", len > 0 ? " " : "", names[i],
		    n, unit);
	}
	return out;
}

/* --- FORMAT.md section 9, type 4 ----------------------------------------- */

void
rules_write(const struct rules *r, struct wr *w)
{
	for (size_t i = 0; i < RULES; i++)
		wr_varint(w, r->keep[i]);
}

void
rules_read(struct rd *rd, struct rules *out)
{
	for (size_t i = 0; i < RULES; i++) {
		uint64_t v = rd_varint(rd);

		if (v > UINT32_MAX)
			rd->failed = true;
		out->keep[i] = (uint32_t)v;
	}
}
