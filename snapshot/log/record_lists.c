/* What a record lists in the clear: indexes, and condemned objects. */
#include "snapshot/log/record_lists.h"

#include <stdlib.h>
#include <string.h>

/* A condemned object, encoded. */
#define CONDEMNED_LEN (1 + OBJECT_NAME_LEN + 1)
#define CLASS_INDEX 1
#define CLASS_PACK 2
#define STATE_LEAVING 1
#define STATE_GONE 2

/* --- condemned objects --------------------------------------------------- */

int
record_condemned_compare(const struct condemned *a, const struct condemned *b)
{
	if (a->cls != b->cls)
		return a->cls == OBJECT_INDEX ? -1 : 1;
	return memcmp(a->name, b->name, OBJECT_NAME_LEN);
}

static void
wr_condemned(struct wr *w, const struct condemned *c)
{
	wr_u8(w, c->cls == OBJECT_INDEX ? CLASS_INDEX : CLASS_PACK);
	wr_bytes(w, c->name, OBJECT_NAME_LEN);
	wr_u8(w, c->gone ? STATE_GONE : STATE_LEAVING);
}

struct condemned
record_condemned(const struct record_clear *c, size_t i)
{
	const uint8_t *p = c->condemned + i * CONDEMNED_LEN;
	struct condemned out = {
	    .cls = p[0] == CLASS_INDEX ? OBJECT_INDEX : OBJECT_PACK,
	    .gone = p[CONDEMNED_LEN - 1] == STATE_GONE,
	};

	memcpy(out.name, p + 1, OBJECT_NAME_LEN);
	return out;
}

bool
record_find_condemned(const struct record_clear *c, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], struct condemned *out)
{
	struct condemned want = {.cls = cls};
	size_t low = 0;
	size_t high = c->ncondemned;

	memcpy(want.name, name, OBJECT_NAME_LEN);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order;

		*out = record_condemned(c, mid);
		order = record_condemned_compare(out, &want);
		if (order == 0)
			return true;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* Known classes and states, ascending. */
static bool
condemned_sound(const struct record_clear *c)
{
	for (size_t i = 0; i < c->ncondemned; i++) {
		const uint8_t *p = c->condemned + i * CONDEMNED_LEN;
		uint8_t state = p[CONDEMNED_LEN - 1];

		if ((p[0] != CLASS_INDEX && p[0] != CLASS_PACK) ||
		    (state != STATE_LEAVING && state != STATE_GONE))
			return false;
		if (i > 0 &&
		    memcmp(p - CONDEMNED_LEN, p, 1 + OBJECT_NAME_LEN) >= 0)
			return false;
	}
	return true;
}

/* --- soundness ----------------------------------------------------------- */

/* An order of numbers of indexes: by their names. */
static int
compare_numbers(const void *a, const void *b, void *arg)
{
	const uint8_t(*names)[OBJECT_NAME_LEN] = arg;

	return memcmp(names[*(const uint16_t *)a], names[*(const uint16_t *)b],
	    OBJECT_NAME_LEN);
}

/*
 * Not too many, and no two the same: each is opened by whoever reads, and the
 * list is in the order in which they count, so that twins needn't be neighbours.
 */
static bool
indexes_sound(const struct record_clear *c)
{
	uint16_t order[RECORD_INDEXES_MAX];

	if (c->nindexes > RECORD_INDEXES_MAX)
		return false;
	for (size_t i = 0; i < c->nindexes; i++)
		order[i] = (uint16_t)i;
	if (c->nindexes > 1)
		qsort_r(order, c->nindexes, sizeof(order[0]), compare_numbers,
		    (void *)(uintptr_t)c->indexes);
	for (size_t i = 1; i < c->nindexes; i++)
		if (memcmp(c->indexes[order[i - 1]], c->indexes[order[i]],
			OBJECT_NAME_LEN) == 0)
			return false;
	return true;
}

/* No index is gone that the record goes by. */
static bool
set_sound(const struct record_clear *c)
{
	struct condemned found;

	for (size_t i = 0; c->ncondemned > 0 && i < c->nindexes; i++)
		if (record_find_condemned(
			c, OBJECT_INDEX, c->indexes[i], &found) &&
		    found.gone)
			return false;
	return true;
}

bool
record_lists_sound(const struct record_clear *c)
{
	return indexes_sound(c) && condemned_sound(c) && set_sound(c);
}

/* --- both ---------------------------------------------------------------- */

void
record_wr_lists(struct wr *w, const struct record_lists *lists)
{
	wr_varint(w, lists->nindexes);
	for (size_t i = 0; i < lists->nindexes; i++)
		wr_bytes(w, lists->indexes[i], OBJECT_NAME_LEN);
	wr_varint(w, lists->ncondemned);
	for (size_t i = 0; i < lists->ncondemned; i++)
		wr_condemned(w, &lists->condemned[i]);
}

void
record_rd_lists(struct rd *r, struct record_clear *c)
{
	c->nindexes = rd_count(r, OBJECT_NAME_LEN);
	c->indexes = (const uint8_t(*)[OBJECT_NAME_LEN])rd_bytes(
	    r, c->nindexes * OBJECT_NAME_LEN);
	c->ncondemned = rd_count(r, CONDEMNED_LEN);
	c->condemned = rd_bytes(r, c->ncondemned * CONDEMNED_LEN);
}
