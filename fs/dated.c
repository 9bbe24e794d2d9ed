#include "fs/dated.h"

#include <string.h>

static bool
is_text(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

const struct snapshot *
dated_snapshot(const struct fs_dataset *d, size_t slot)
{
	return log_snapshot(d->log, d->days.v[slot].i);
}

void
dated_time(const struct fs_dataset *d, size_t slot, char out[WHEN_TIME_TEXT])
{
	size_t i = d->days.v[slot].i;

	when_dated_time(
	    log_snapshot(d->log, i)->time, when_needs_millis(d->log, i), out);
}

void
dated_slots(const struct fs_dataset *d, int64_t day, size_t *first, size_t *end)
{
	*first = days_from(&d->days, day);
	*end = days_from(&d->days, day + 1);
}

size_t
dated_newest(const struct fs_dataset *d, size_t first, size_t end)
{
	size_t best = first;

	for (size_t i = first + 1; i < end; i++)
		if (moment_compare(dated_snapshot(d, i)->time,
			dated_snapshot(d, best)->time) > 0)
			best = i;
	return best;
}

size_t
dated_find(
    const struct fs_dataset *d, size_t first, size_t end, struct span name)
{
	static const size_t second_len = sizeof("00-00-00") - 1;
	char text[WHEN_TIME_TEXT];

	if (name.len < second_len)
		return end;
	for (size_t i = first; i < end; i++) {
		/* Who has the second is cheap; who had it first is not. */
		when_dated_time(dated_snapshot(d, i)->time, false, text);
		if (memcmp(text, name.p, second_len) != 0)
			continue;
		dated_time(d, i, text);
		if (is_text(name, text))
			return i;
	}
	return end;
}

size_t
dated_from_seq(
    const struct fs_dataset *d, size_t first, size_t end, uint64_t seq)
{
	while (first < end) {
		size_t mid = first + (end - first) / 2;

		if (dated_snapshot(d, mid)->seq < seq)
			first = mid + 1;
		else
			end = mid;
	}
	return first;
}
