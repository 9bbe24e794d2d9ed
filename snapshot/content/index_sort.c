#include "snapshot/content/index_format.h"

#include <stdlib.h>
#include <string.h>

/*
 * Sorting millions of entries: a byte of the name deals them out, in place, into
 * 256 buckets (McIlroy, Bostic and McIlroy, 'Engineering Radix Sort', 1993), and
 * so on with the next byte. Names are hashes, so few bytes leave little to
 * compare; any others cost what qsort() costs.
 */
#define BUCKETS 256
#define DEPTH_MAX 4
#define SMALL 64

struct bucket {
	size_t next; /* where the next entry goes */
	size_t end;
};

static int
compare(const void *a, const void *b)
{
	const struct index_entry *x = a, *y = b;
	int cmp = memcmp(&x->name, &y->name, sizeof(x->name));

	if (cmp != 0)
		return cmp;
	return (x->segment > y->segment) - (x->segment < y->segment);
}

static void
measure(struct bucket *buckets, const struct index_entry *entries, size_t n,
    unsigned depth)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		buckets[entries[i].name.b[depth]].end++;
	for (size_t i = 0; i < BUCKETS; i++) {
		buckets[i].next = at;
		at += buckets[i].end;
		buckets[i].end = at;
	}
}

/* Every entry is moved once: to the next free place of its bucket. */
static void
deal(struct bucket *buckets, struct index_entry *entries, unsigned depth)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (buckets[i].next < buckets[i].end) {
			struct index_entry *here = &entries[buckets[i].next];
			struct bucket *to = &buckets[here->name.b[depth]];
			struct index_entry *there = &entries[to->next++];
			struct index_entry hold = *there;

			*there = *here;
			*here = hold;
		}
	}
}

/* Entries whose names agree in the first ${depth} bytes. */
static void
sort_from(struct index_entry *entries, size_t n, unsigned depth)
{
	struct bucket buckets[BUCKETS] = {{0}};
	size_t start = 0;

	if (n <= SMALL || depth == DEPTH_MAX) {
		if (n > 1)
			qsort(entries, n, sizeof(*entries), compare);
		return;
	}
	measure(buckets, entries, n, depth);
	deal(buckets, entries, depth);
	for (size_t i = 0; i < BUCKETS; i++) {
		sort_from(entries + start, buckets[i].end - start, depth + 1);
		start = buckets[i].end;
	}
}

void
index_sort(struct index_entry *entries, size_t n)
{
	sort_from(entries, n, 0);
}
