#include "snapshot/check/inodes.h"

#include <stdlib.h>

#define FIRST_CAP 256

void
inodes_init(struct inodes *in, const struct mix *mix)
{
	*in = (struct inodes){.mix = mix};
}

void
inodes_clear(struct inodes *in)
{
	free(in->slots);
	memset(in, 0, sizeof(*in));
}

static struct inode_slot *
slot_of(const struct inodes *in, uint64_t ino)
{
	size_t i = mix_number(in->mix, 0, ino) & (in->cap - 1);

	while (in->slots[i].ino != 0 && in->slots[i].ino != ino)
		i = (i + 1) & (in->cap - 1);
	return &in->slots[i];
}

static int
grow(struct inodes *in, struct err *err)
{
	struct inodes next = {.mix = in->mix, .n = in->n};

	next.cap = in->cap == 0 ? FIRST_CAP : in->cap * 2;
	next.slots = calloc(next.cap, sizeof(*next.slots));
	if (next.slots == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < in->cap; i++)
		if (in->slots[i].ino != 0)
			*slot_of(&next, in->slots[i].ino) = in->slots[i];
	free(in->slots);
	*in = next;
	return 0;
}

int
inodes_same(struct inodes *in, uint64_t ino, struct span raw, struct err *err)
{
	struct inode_slot *slot;
	uint64_t hash;
	int rc = mix_bytes(in->mix, raw.p, raw.len, &hash, err);

	if (rc == 0 && in->n >= in->cap / 4 * 3)
		rc = grow(in, err);
	if (rc != 0)
		return rc;
	slot = slot_of(in, ino);
	if (slot->ino != 0)
		return slot->hash == hash;
	*slot = (struct inode_slot){.ino = ino, .hash = hash};
	in->n++;
	return 1;
}
