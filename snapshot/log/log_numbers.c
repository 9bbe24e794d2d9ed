/*
 * FORMAT.md section 9: which of the inode numbers that snapshots say are next
 * count. A writer can say anything; it can't use up what others need.
 */
#include "snapshot/log/log_internal.h"

#define STEP_MAX (UINT64_C(1) << 32)
#define END (ENTRY_INO_MAX + 1)

/* Each of its entries, and the root, may have taken a number. */
static uint64_t
step_of(const struct snapshot *s)
{
	const uint64_t counts[] = {
	    s->totals.files, s->totals.dirs, s->totals.others};
	uint64_t sum = 1;

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		if (counts[i] > STEP_MAX - sum)
			return STEP_MAX;
		sum += counts[i];
	}
	return sum;
}

static uint64_t
plus(uint64_t a, uint64_t b)
{
	return b < END - a ? a + b : END;
}

static void
warn(struct log *l, const struct snapshot *s, uint64_t counts)
{
	(void)err_set(&l->warning, ERR_CORRUPT,
	    "record %ju of dataset '%s' says that inode number %ju is next, and"
	    " its snapshot can't have used more than up to %ju: its writer is"
	    " faulty or hostile; later snapshots go on from there",
	    (uintmax_t)s->seq, l->ds->name, (uintmax_t)s->next_ino,
	    (uintmax_t)counts);
}

void
log_numbers_reset(struct log *l)
{
	l->next_ino = l->base > 0 ? l->known.next_ino : 1;
	l->hidden = 0;
}

void
log_numbers_take(struct log *l, const struct record *r)
{
	const struct snapshot *s = r->snapshot;
	uint64_t most;

	if ((r->head.type != RECORD_SNAPSHOT && !r->lost) ||
	    r->head.seq <= l->known.seq)
		return;
	if (!r->open) {
		l->hidden = plus(l->hidden, STEP_MAX);
		return;
	}
	most = plus(plus(l->next_ino, l->hidden), step_of(s));
	l->hidden = 0;
	if (s->next_ino > most)
		warn(l, s, most);
	else
		most = s->next_ino;
	if (most > l->next_ino)
		l->next_ino = most;
}

uint64_t
log_next_ino(const struct log *l)
{
	return plus(l->next_ino, l->hidden);
}
