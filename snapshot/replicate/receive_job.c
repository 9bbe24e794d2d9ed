#include "snapshot/replicate/receive_internal.h"

#include <stdlib.h>
#include <string.h>

int
blobs_add(struct blobs *b, const struct object_ref *ref, uint8_t *buf,
    size_t len, struct err *err)
{
	if (b->n == b->cap) {
		size_t cap = b->cap == 0 ? 16 : 2 * b->cap;
		struct blob *v = reallocarray(b->v, cap, sizeof(*v));

		if (v == NULL) {
			free(buf);
			return err_nomem(err);
		}
		b->v = v;
		b->cap = cap;
	}
	b->v[b->n++] = (struct blob){*ref, buf, len};
	b->bytes += len;
	return 0;
}

void
blobs_clear(struct blobs *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->v[i].buf);
	free(b->v);
	memset(b, 0, sizeof(*b));
}

int
job_group(struct job *j, const uint8_t dataset[STORE_DATASET_LEN],
    struct blobs *records, struct err *err)
{
	struct job_group *g;

	if (j->ngroups == j->capgroups) {
		size_t cap = j->capgroups == 0 ? 16 : 2 * j->capgroups;

		g = reallocarray(j->groups, cap, sizeof(*g));
		if (g == NULL)
			return err_nomem(err);
		j->groups = g;
		j->capgroups = cap;
	}
	g = &j->groups[j->ngroups++];
	memcpy(g->dataset, dataset, STORE_DATASET_LEN);
	g->records = *records;
	j->record_bytes += records->bytes;
	j->nrecords += records->n;
	memset(records, 0, sizeof(*records));
	return 0;
}

int
job_take(struct job *from, struct job *to, struct err *err)
{
	struct store_batch *whole;
	int rc = store_batch_split(from->objects, &whole, err);

	if (rc != 0) {
		store_batch_free(whole);
		return rc;
	}
	*to = *from;
	to->objects = whole;
	*from = (struct job){.objects = from->objects};
	return 0;
}

bool
job_is_full(const struct job *j)
{
	return store_batch_count(j->objects) >= JOB_OBJECTS ||
	       store_batch_bytes(j->objects) >= JOB_BYTES ||
	       j->keys.n >= JOB_KEYS || j->keys.bytes >= JOB_KEYS_BYTES ||
	       j->nrecords >= JOB_RECORDS ||
	       j->record_bytes >= JOB_RECORDS_BYTES;
}

bool
job_is_empty(const struct job *j)
{
	return j->came == 0 && j->ngroups == 0 && !j->done;
}

void
job_clear(struct job *j)
{
	store_batch_free(j->objects);
	blobs_clear(&j->keys);
	for (size_t i = 0; i < j->ngroups; i++)
		blobs_clear(&j->groups[i].records);
	free(j->groups);
	memset(j, 0, sizeof(*j));
}
