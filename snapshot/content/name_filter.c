#include "snapshot/content/name_filter.h"

#include "crypto/bytes.h"

#include <stdlib.h>

#define BITS_A_NAME 10
#define BLOCK_BITS 512
#define BLOCK_WORDS (BLOCK_BITS / 64)
#define PROBES 6 /* of 9 bits each: where in the block */

struct name_filter {
	size_t nblocks;
	uint64_t *words;
};

static size_t
count_blocks(size_t n)
{
	return n / (BLOCK_BITS / BITS_A_NAME) + 1;
}

size_t
name_filter_size(size_t n)
{
	return count_blocks(n) * BLOCK_WORDS * sizeof(uint64_t);
}

int
name_filter_new(size_t n, struct name_filter **out, struct err *err)
{
	AUTO(name_filter) struct name_filter *f = calloc(1, sizeof(*f));

	*out = NULL;
	if (f == NULL)
		return err_nomem(err);
	f->nblocks = count_blocks(n);
	f->words = aligned_alloc(64, name_filter_size(n));
	if (f->words == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < f->nblocks * BLOCK_WORDS; i++)
		f->words[i] = 0;
	*out = STEAL(f);
	return 0;
}

void
name_filter_free(struct name_filter *f)
{
	if (f == NULL)
		return;
	free(f->words);
	free(f);
}

/* The first 8 bytes choose the block, others the bits in it. */
static uint64_t *
block_of(
    const struct name_filter *f, const struct chunk_name *name, uint64_t *bits)
{
	struct rd r = rd_init(name->b, sizeof(name->b));
	uint64_t hash = rd_u64(&r);

	*bits = rd_u64(&r);
	return f->words + (size_t)(hash % f->nblocks) * BLOCK_WORDS;
}

void
name_filter_add(struct name_filter *f, const struct chunk_name *name)
{
	uint64_t bits, *block = block_of(f, name, &bits);

	for (unsigned i = 0; i < PROBES; i++, bits >>= 9)
		block[bits % BLOCK_BITS / 64] |= UINT64_C(1) << bits % 64;
}

bool
name_filter_may(const struct name_filter *f, const struct chunk_name *name)
{
	uint64_t bits, *block = block_of(f, name, &bits);

	for (unsigned i = 0; i < PROBES; i++, bits >>= 9)
		if ((block[bits % BLOCK_BITS / 64] & UINT64_C(1)
							 << bits % 64) == 0)
			return false;
	return true;
}
