#include "snapshot/check/seen.h"

#include <stdlib.h>

#define FIRST_CAP 1024

void
seen_init(struct seen *s, const struct mix *mix)
{
	*s = (struct seen){.mix = mix};
}

void
seen_clear(struct seen *s)
{
	free(s->items);
	free(s->slots);
	memset(s, 0, sizeof(*s));
}

/* The slot that holds ${name}, or the free one where it belongs. */
static uint32_t *
slot_of(const struct seen *s, const struct chunk_name *name)
{
	size_t i = mix_name(s->mix, name->b) & (s->nslots - 1);

	while (s->slots[i] != SEEN_NONE &&
	       memcmp(&s->items[s->slots[i]].name, name, sizeof(*name)) != 0)
		i = (i + 1) & (s->nslots - 1);
	return &s->slots[i];
}

/* Twice as many slots as items, so that one is always free. */
static int
grow(struct seen *s, struct err *err)
{
	uint32_t cap = s->cap == 0 ? FIRST_CAP : s->cap * 2;
	size_t nslots = (size_t)cap * 2;
	struct seen_item *items;
	uint32_t *slots;

	if (s->cap > UINT32_MAX / 4)
		return err_nomem(err);
	items = reallocarray(s->items, cap, sizeof(*items));
	if (items == NULL)
		return err_nomem(err);
	s->items = items;
	slots = malloc(nslots * sizeof(*slots));
	if (slots == NULL)
		return err_nomem(err);
	memset(slots, 0xff, nslots * sizeof(*slots));
	free(s->slots);
	s->slots = slots;
	s->nslots = nslots;
	s->cap = cap;
	for (uint32_t i = 0; i < s->n; i++)
		*slot_of(s, &items[i].name) = i;
	return 0;
}

int
seen_put(struct seen *s, const struct chunk_name *name, uint32_t *at,
    struct err *err)
{
	uint32_t *slot;
	int rc;

	if (s->n == s->cap && (rc = grow(s, err)) != 0)
		return rc;
	slot = slot_of(s, name);
	*at = *slot;
	if (*at != SEEN_NONE)
		return 0;
	*at = *slot = s->n++;
	s->items[*at] = (struct seen_item){.name = *name};
	return 1;
}
