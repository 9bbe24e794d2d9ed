#include "snapshot/store/record_refs.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 3

void
record_refs_clear(struct record_refs *r)
{
	free(r->v);
	*r = (struct record_refs){0};
}

static int
add_ref(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct record_refs *r = arg;

	if (r->n == r->cap) {
		size_t cap = r->cap == 0 ? 256 : 2 * r->cap;
		struct object_ref *v = reallocarray(r->v, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		r->v = v;
		r->cap = cap;
	}
	r->v[r->n++] = *ref;
	return 0;
}

int
record_refs_list(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    struct record_refs *r, struct err *err)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < TRIES; i++) {
		r->n = 0;
		rc = store_list(s, OBJECT_LOG, dataset, add_ref, r, err);
		if (record_refs_plain(r))
			break;
	}
	return rc;
}

bool
record_refs_plain(const struct record_refs *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].seq != i + 1)
			return false;
	return true;
}

bool
record_refs_single(const struct record_refs *r)
{
	for (size_t i = 1; i < r->n; i++)
		if (r->v[i].seq == r->v[i - 1].seq)
			return false;
	return true;
}

size_t
record_refs_find(const struct record_refs *r, uint64_t seq)
{
	size_t low = 0;
	size_t high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->v[mid].seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint64_t
record_refs_last(const struct record_refs *r)
{
	return r->n == 0 ? 0 : r->v[r->n - 1].seq;
}
