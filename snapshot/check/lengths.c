#include "snapshot/check/lengths.h"

#include <stdlib.h>

#define CHUNKS_A_WORD 4 /* 16 bits a chunk */
#define WORDS_MIN 64
#define WORDS_MAX ((size_t)32 * 1024 * 1024)
#define PROBES 6

int
lengths_init(
    struct lengths *l, const struct mix *mix, uint64_t chunks, struct err *err)
{
	l->mix = mix;
	l->n = WORDS_MIN;
	while (l->n < WORDS_MAX && l->n < chunks / CHUNKS_A_WORD)
		l->n *= 2;
	l->words = calloc(l->n, sizeof(*l->words));
	return l->words == NULL ? err_nomem(err) : 0;
}

void
lengths_clear(struct lengths *l)
{
	free(l->words);
	memset(l, 0, sizeof(*l));
}

/* The bits of a chunk: ${first}, and so on in ${step}s. */
static void
bits_of(const struct lengths *l, const struct chunk_name *name, uint32_t len,
    uint64_t *first, uint64_t *step)
{
	*first = mix_number(l->mix, mix_name(l->mix, name->b), len);
	*step = mix_number(l->mix, *first, len) | 1;
}

void
lengths_add(struct lengths *l, const struct chunk_name *name, uint32_t len)
{
	uint64_t bit, step;

	bits_of(l, name, len, &bit, &step);
	for (int i = 0; i < PROBES; i++, bit += step)
		atomic_fetch_or_explicit(&l->words[bit / 64 & (l->n - 1)],
		    (uint64_t)1 << bit % 64, memory_order_relaxed);
}

bool
lengths_has(
    const struct lengths *l, const struct chunk_name *name, uint32_t len)
{
	uint64_t bit, step;

	bits_of(l, name, len, &bit, &step);
	for (int i = 0; i < PROBES; i++, bit += step) {
		uint64_t word = atomic_load_explicit(
		    &l->words[bit / 64 & (l->n - 1)], memory_order_relaxed);

		if ((word >> bit % 64 & 1) == 0)
			return false;
	}
	return true;
}
