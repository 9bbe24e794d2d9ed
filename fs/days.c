#include "fs/days.h"
#include "snapshot/log/when.h"

#include <stdlib.h>
#include <string.h>

#define DAY_SECONDS 86400

void
days_clear(struct days *d)
{
	free(d->v);
	*d = (struct days){0};
}

int64_t
days_of(struct moment m)
{
	return m.s / DAY_SECONDS - (m.s % DAY_SECONDS < 0 ? 1 : 0);
}

/* The first slot that does not come before (day, i). */
static size_t
lower_bound(const struct days *d, int64_t day, size_t i)
{
	size_t lo = 0, hi = d->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct days_slot *s = &d->v[mid];

		if (s->day < day || (s->day == day && s->i < i))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Snapshots come nearly in order of time, so what has to move is little. */
int
days_add(struct days *d, struct moment time, size_t i, struct err *err)
{
	struct days_slot slot = {days_of(time), i};
	size_t at = lower_bound(d, slot.day, i);

	if (d->n == d->cap) {
		size_t cap = d->cap == 0 ? 128 : d->cap * 2;
		struct days_slot *v = realloc(d->v, cap * sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		d->v = v;
		d->cap = cap;
	}
	memmove(&d->v[at + 1], &d->v[at], (d->n - at) * sizeof(slot));
	d->v[at] = slot;
	d->n++;
	return 0;
}

size_t
days_from(const struct days *d, int64_t day)
{
	return lower_bound(d, day, 0);
}

bool
days_parse(struct span name, int64_t *day)
{
	char text[WHEN_DAY_TEXT], canonical[WHEN_DAY_TEXT];
	struct moment m;

	if (name.len >= sizeof(text) || name.len == 0)
		return false;
	memcpy(text, name.p, name.len);
	text[name.len] = '\0';
	if (when_parse(text, (struct moment){0, 0}, &m, NULL) != 0)
		return false;
	*day = days_of(m);
	when_day(m, canonical);
	return strcmp(text, canonical) == 0;
}
