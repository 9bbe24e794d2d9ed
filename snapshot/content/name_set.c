#include "snapshot/content/name_set.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 1024

static size_t
home_of(const struct name_set *set, const struct chunk_name *name)
{
	return mix_name(&set->mix, name->b) & (set->cap - 1);
}

/* The slot that holds ${name}, or the free one where it belongs. */
static struct chunk_name *
slot_of(const struct name_set *set, const struct chunk_name *name)
{
	static const struct chunk_name zero;
	size_t i;

	for (i = home_of(set, name);; i = (i + 1) & (set->cap - 1)) {
		struct chunk_name *s = &set->slots[i];

		if (memcmp(s, name, sizeof(*s)) == 0 ||
		    memcmp(s, &zero, sizeof(*s)) == 0)
			return s;
	}
}

static int
grow(struct name_set *set, struct err *err)
{
	struct name_set next = *set;
	int rc;

	if (set->cap == 0 && (rc = mix_init(&next.mix, err)) != 0)
		return rc;
	next.cap = set->cap == 0 ? FIRST_CAP : set->cap * 2;
	next.slots = calloc(next.cap, sizeof(*next.slots));
	if (next.slots == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < set->cap; i++)
		*slot_of(&next, &set->slots[i]) = set->slots[i];
	free(set->slots);
	*set = next;
	return 0;
}

int
name_set_add(
    struct name_set *set, const struct chunk_name *name, struct err *err)
{
	struct chunk_name *slot;
	int ret;

	if (set->n >= set->cap / 4 * 3 && (ret = grow(set, err)) != 0)
		return ret;
	slot = slot_of(set, name);
	if (memcmp(slot, name, sizeof(*slot)) == 0)
		return 0;
	*slot = *name;
	set->n++;
	return 1;
}

bool
name_set_has(const struct name_set *set, const struct chunk_name *name)
{
	return set->cap != 0 &&
	       memcmp(slot_of(set, name), name, sizeof(*name)) == 0;
}

/* What follows moves up, unless its home is behind the gap (Knuth's 6.4 R). */
void
name_set_remove(struct name_set *set, const struct chunk_name *name)
{
	static const struct chunk_name zero;
	size_t mask = set->cap - 1, gap, i;

	if (!name_set_has(set, name))
		return;
	gap = (size_t)(slot_of(set, name) - set->slots);
	for (i = (gap + 1) & mask;
	     memcmp(&set->slots[i], &zero, sizeof(zero)) != 0;
	     i = (i + 1) & mask) {
		size_t home = home_of(set, &set->slots[i]);

		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		set->slots[gap] = set->slots[i];
		gap = i;
	}
	set->slots[gap] = zero;
	set->n--;
}

void
name_set_clear(struct name_set *set)
{
	free(set->slots);
	memset(set, 0, sizeof(*set));
}

/* --- names of objects ---------------------------------------------------- */

static struct chunk_name
key_of(const uint8_t name[OBJECT_NAME_LEN])
{
	struct chunk_name key;

	_Static_assert(sizeof(key.b) == OBJECT_NAME_LEN, "both are SHA-256");
	memcpy(key.b, name, sizeof(key.b));
	return key;
}

int
name_set_add_object(
    struct name_set *set, const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	const struct chunk_name key = key_of(name);

	return name_set_add(set, &key, err);
}

bool
name_set_has_object(
    const struct name_set *set, const uint8_t name[OBJECT_NAME_LEN])
{
	const struct chunk_name key = key_of(name);

	return name_set_has(set, &key);
}

void
name_set_remove_object(
    struct name_set *set, const uint8_t name[OBJECT_NAME_LEN])
{
	const struct chunk_name key = key_of(name);

	name_set_remove(set, &key);
}
