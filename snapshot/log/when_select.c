#include "snapshot/log/log_internal.h"
#include "snapshot/log/when_internal.h"

#include <stdio.h>
#include <string.h>

#define NS_LAST 999999999
#define NS_PER_MS 1000000
#define MS_PER_S 1000
#define PREFIX_MIN 4
#define PREFIX_MAX (2 * OBJECT_NAME_LEN)

bool
when_needs_millis(const struct log *l, size_t i)
{
	const struct snapshot *s = l->snapshots[i];
	struct moment last = {.s = s->time.s, .ns = NS_LAST};

	/* Also one that has expired: names don't change when one goes. */
	for (size_t j = log_times_after(l, last); j > 0; j--) {
		const struct snapshot *other = l->times[j - 1];

		if (other->time.s != s->time.s)
			break;
		if (other->seq < s->seq)
			return true;
	}
	return false;
}

/* Clocks go back: they need not be neighbours in the log. */
static bool
shares_second(const struct log *l, const struct snapshot *s)
{
	struct moment last = {.s = s->time.s, .ns = NS_LAST};
	size_t n = log_after(l, last);

	/* What lies before a tail is known by the latest time alone. */
	if (l->base > 0 && s->time.s <= l->known.latest / MS_PER_S)
		return true;
	return (n > 0 && l->by_time[n - 1] != s) ||
	       (n > 1 && l->by_time[n - 2]->time.s == s->time.s);
}

const char *
when_name(
    const struct log *l, const struct snapshot *s, char out[WHEN_NAME_TEXT])
{
	char iso[2 * WHEN_DAY_TEXT];

	when_iso(s->time, iso);
	if (shares_second(l, s))
		(void)snprintf(out, WHEN_NAME_TEXT, "%.*s.%03uZ",
		    (int)strcspn(iso, "Z"), iso, s->time.ns / NS_PER_MS);
	else
		(void)snprintf(out, WHEN_NAME_TEXT, "%s", iso);
	return out;
}

/* ${what}: words for what was asked for. */
static int
no_answer(const struct log *l, const char *what, struct err *err)
{
	char oldest[WHEN_NAME_TEXT];

	if (l->nsnapshots == 0)
		return err_set(err, ERR_NOT_FOUND,
		    "dataset '%s' has no snapshots", l->ds->name);
	return err_set(err, ERR_NOT_FOUND,
	    "dataset '%s' has no snapshot %s; its oldest is of %s", l->ds->name,
	    what, when_name(l, l->by_time[0], oldest));
}

static int
select_by_time(const struct log *l, struct moment m,
    const struct snapshot **out, struct err *err)
{
	char iso[2 * WHEN_DAY_TEXT];
	char what[sizeof(iso) + 32];
	size_t n = log_after(l, m);

	if (n > 0) {
		*out = l->by_time[n - 1];
		return 0;
	}
	when_iso(m, iso);
	(void)snprintf(what, sizeof(what), "at or before %s", iso);
	return no_answer(l, what, err);
}

/* --- dated names ------------------------------------------------------- */

static size_t
position(const struct log *l, const struct snapshot *s)
{
	size_t i = 0;

	while (l->snapshots[i] != s)
		i++;
	return i;
}

static bool
has_dated_name(const struct log *l, const struct snapshot *s, const char *text)
{
	char day[WHEN_DAY_TEXT];
	char time[WHEN_TIME_TEXT];
	char name[WHEN_DAY_TEXT + WHEN_TIME_TEXT];

	when_day(s->time, day);
	when_dated_time(s->time, when_needs_millis(l, position(l, s)), time);
	(void)snprintf(name, sizeof(name), "%s/%s", day, time);
	return strcmp(name, text) == 0;
}

/* ${last}: the last moment that the name can mean. */
static int
select_by_name(const struct log *l, const char *text, struct moment last,
    const struct snapshot **out, struct err *err)
{
	char what[WHEN_DAY_TEXT + WHEN_TIME_TEXT];

	for (size_t i = log_after(l, last); i > 0; i--) {
		const struct snapshot *s = l->by_time[i - 1];

		if (s->time.s != last.s)
			break;
		if (has_dated_name(l, s, text)) {
			*out = s;
			return 0;
		}
	}
	(void)snprintf(what, sizeof(what), "'%s'", text);
	return no_answer(l, what, err);
}

/* --- ids --------------------------------------------------------------- */

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
is_prefix(const char *text)
{
	size_t len = 0;

	while (hex_value(text[len]) >= 0)
		len++;
	return text[len] == '\0' && len >= PREFIX_MIN && len <= PREFIX_MAX;
}

static bool
id_starts_with(const struct snapshot *s, const char *prefix)
{
	for (size_t i = 0; prefix[i] != '\0'; i++) {
		int digit = i % 2 == 0 ? s->id[i / 2] >> 4 : s->id[i / 2] & 15;

		if (digit != hex_value(prefix[i]))
			return false;
	}
	return true;
}

static int
select_by_id(const struct log *l, const char *prefix,
    const struct snapshot **out, struct err *err)
{
	char what[PREFIX_MAX + 64];

	for (size_t i = 0; i < l->nsnapshots; i++) {
		if (!id_starts_with(l->snapshots[i], prefix))
			continue;
		if (*out != NULL) {
			*out = NULL;
			return err_set(err, ERR_USAGE,
			    "the ids of several snapshots of dataset '%s' start"
			    " with '%s': give more digits",
			    l->ds->name, prefix);
		}
		*out = l->snapshots[i];
	}
	if (*out != NULL)
		return 0;
	(void)snprintf(what, sizeof(what), "whose id starts with '%s'", prefix);
	return no_answer(l, what, err);
}

/* --- all forms --------------------------------------------------------- */

int
when_select(const struct log *l, const char *text, struct moment now,
    const struct snapshot **out, struct err *err)
{
	struct moment m;
	int rc;

	*out = NULL;
	if (strcmp(text, "latest") == 0) {
		*out = log_head(l);
		return *out != NULL ? 0 : no_answer(l, text, err);
	}
	if (when_parse_dated(text, &m))
		return select_by_name(l, text, m, out, err);
	rc = when_parse(text, now, &m, err);
	if (rc == 0)
		return select_by_time(l, m, out, err);
	if (is_prefix(text))
		return select_by_id(l, text, out, err);
	return rc;
}
