/*
 * The run's index. It gathers the chunks of every pack that is durable. At the
 * end it takes small older indexes in, so that their number stays about the
 * logarithm of the number of runs: an index is merged while it has at most
 * twice the entries gathered so far. Order is kept, oldest first: where two
 * list one chunk (its first pack had gone), the later one counts; and in a
 * builder the first one added, which is this run's.
 */
#include "snapshot/content/ingest_internal.h"

#include <stdlib.h>
#include <string.h>

/* Fill ${b} with a pack and its chunks. */
static int
index_pack(struct index_builder *b, const struct object_ref *ref, uint64_t size,
    const struct open_pack *p, struct err *err)
{
	uint32_t pack;
	int ret;

	ret = index_builder_pack(
	    b, ref, size, p->kind, p->places, p->nplaces, &pack, err);
	for (size_t i = 0; i < p->nnames && ret == 0; i++)
		ret = index_builder_chunk(
		    b, &p->names[i], pack, p->segments[i], err);
	return ret;
}

int
ingest_index_pack(struct ingest *in, const struct object_ref *ref,
    uint64_t size, const struct open_pack *p, struct err *err)
{
	int ret;

	pthread_mutex_lock(&in->mu);
	ret = index_pack(in->built, ref, size, p, err);
	if (ret == 0 && index_builder_entries(in->built) >= in->index_max)
		ret = ingest_write_index(in, err);
	pthread_mutex_unlock(&in->mu);
	return ret;
}

static int
add_known(struct ingest *in, struct index *ix, struct err *err)
{
	struct known *known;

	pthread_rwlock_wrlock(&in->known_lock);
	known = realloc(in->known, (in->nknown + 1) * sizeof(*known));
	if (known != NULL) {
		in->known = known;
		known[in->nknown].ix = ix;
		memcpy(known[in->nknown++].name, index_ref(ix)->name,
		    sizeof(known->name));
	}
	pthread_rwlock_unlock(&in->known_lock);
	if (known == NULL) {
		index_close(ix);
		return err_nomem(err);
	}
	return 0;
}

/*
 * The names claimed by chunks that are still on their way must stay claimed;
 * those that the new index lists are found there from now on. The set is only
 * emptied of what has been indexed.
 */
static int
forget_indexed(struct ingest *in, struct index *ix, struct err *err)
{
	struct name_set old = in->claimed;
	static const struct chunk_name zero;
	struct chunk_place place;
	struct err why;
	int ret = 0;

	memset(&in->claimed, 0, sizeof(in->claimed));
	for (size_t i = 0; i < old.cap && ret >= 0; i++) {
		if (memcmp(&old.slots[i], &zero, sizeof(zero)) == 0)
			continue;
		ret = index_find(ix, &old.slots[i], &place, &why);
		if (ret == ERR_NOT_FOUND)
			ret = name_set_add(&in->claimed, &old.slots[i], err);
		else if (ret != 0)
			err_copy(err, &why);
	}
	name_set_clear(&old);
	return ret < 0 ? ret : 0;
}

int
ingest_write_index(struct ingest *in, struct err *err)
{
	WR_AUTO struct wr w = {0};
	struct object_ref ref = {.cls = OBJECT_INDEX};
	struct index *ix;
	int ret;

	if (index_builder_entries(in->built) == 0)
		return 0;
	memcpy(ref.dataset, in->ks->dataset, sizeof(ref.dataset));
	if ((ret = index_builder_finish(in->built, in->ks, &w, err)) != 0)
		return ret;
	if ((ret = store_put(in->store, &ref, w.buf, w.len, err)) != 0)
		return ret;
	index_builder_free(STEAL(in->built));
	if ((ret = index_builder_new(&in->built, err)) != 0)
		return ret;
	if ((ret = index_open(in->store, &ref, in->kr, &ix, err)) != 0)
		return ret;
	if ((ret = add_known(in, ix, err)) != 0)
		return ret;
	return forget_indexed(in, ix, err);
}

/* From the newest one back, so that none is passed over by an older one. */
static int
merge_small(struct ingest *in, struct err *err)
{
	int ret;

	while (in->nknown > 0) {
		struct index *last = in->known[in->nknown - 1].ix;
		size_t have = index_builder_entries(in->built);
		size_t more = last != NULL ? index_entries(last) : 0;

		if (last == NULL || have == 0 || more > 2 * have ||
		    have + more > in->index_max)
			break;
		if ((ret = index_merge(last, in->built, err)) != 0)
			return ret;
		index_close(last);
		in->nknown--;
	}
	return 0;
}

int
ingest_close(struct ingest *in, struct err *err)
{
	return ingest_close_packs(in, err);
}

int
ingest_finish(struct ingest *in, uint8_t (**indexes)[OBJECT_NAME_LEN],
    size_t *n, struct err *err)
{
	uint8_t(*names)[OBJECT_NAME_LEN];
	int ret;

	*indexes = NULL;
	*n = 0;
	if ((ret = ingest_close(in, err)) != 0)
		return ret;
	if ((ret = merge_small(in, err)) != 0)
		return ret;
	if ((ret = ingest_write_index(in, err)) != 0)
		return ret;
	names = calloc(in->nknown + 1, sizeof(*names));
	if (names == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < in->nknown; i++)
		memcpy(names[i], in->known[i].name, sizeof(names[i]));
	*indexes = names;
	*n = in->nknown;
	return 0;
}
