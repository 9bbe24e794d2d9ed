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
	ret = name_set_add_object(&in->packs_own, ref->name, err);
	if (ret >= 0)
		ret = index_pack(in->built, ref, size, p, err);
	if (ret == 0 && index_builder_entries(in->built) >= in->index_max)
		ret = ingest_write_index(in, err);
	pthread_mutex_unlock(&in->mu);
	return ret;
}

/* An index_name_fn. */
static int
unclaim(void *arg, const struct chunk_name *name, UNUSED struct err *err)
{
	name_set_remove(arg, name);
	return 0;
}

/*
 * The names claimed by chunks that are still on their way stay claimed; those
 * that the new index lists are found there from now on.
 */
static int
change_over(struct ingest *in, struct index *ix, struct err *err)
{
	AUTO(index_builder) struct index_builder *b = STEAL(in->built);
	int ret;

	if ((ret = ingest_add_known(in, ix, b, err)) != 0) {
		index_close(ix);
		return ret;
	}
	if ((ret = index_builder_each(b, unclaim, &in->claimed, err)) != 0)
		return ret;
	return index_builder_new(&in->built, err);
}

int
ingest_write_index(struct ingest *in, struct err *err)
{
	struct object_ref ref;
	struct index *ix;
	int ret;

	if (index_builder_entries(in->built) == 0)
		return 0;
	ret = index_builder_store(in->built, in->ks, in->store, &ref, err);
	if (ret != 0)
		return ret;
	ret = index_open_sharing(in->store, &ref, in->kr, in->pages, &ix, err);
	return ret == 0 ? change_over(in, ix, err) : ret;
}

/* An index_page_fn. */
static int
pass_page(UNUSED void *arg, UNUSED const struct index_summary *s,
    UNUSED const uint8_t *page, UNUSED size_t n, UNUSED struct err *err)
{
	return 0;
}

/* An index_pack_fn. */
static int
pass_pack(UNUSED void *arg, UNUSED const struct object_ref *ref,
    UNUSED uint64_t size, UNUSED enum pack_kind kind,
    UNUSED const struct segment_place *places, UNUSED size_t n,
    UNUSED struct err *err)
{
	return 0;
}

/* Whether all of it can be read: what is half in a builder can't be taken out. */
static bool
is_whole(struct index *ix)
{
	struct err why;

	return index_each_pack(ix, pass_pack, NULL, &why) == 0 &&
	       index_each_page(ix, pass_page, NULL, &why) == 0;
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
		    have + more > in->index_max || !is_whole(last))
			break;
		if ((ret = index_merge(last, in->built, err)) != 0)
			return ret;
		ingest_forget_known(in, in->nknown - 1);
	}
	return 0;
}

/*
 * How many of the indexes before ${end} to make one of: down to the oldest that
 * is at most twice as large as all newer ones of them together. So their number
 * stays about the logarithm of the number of chunks, and no entry is written
 * more often than that.
 */
static size_t
count_to_join(const struct ingest *in, size_t end)
{
	size_t entries = 0, join = 0;

	for (size_t n = 0; n < end; n++) {
		const struct known *k = &in->known[end - 1 - n];
		size_t more = k->ix != NULL ? index_entries(k->ix) : 0;

		if (k->ix == NULL || entries + more > in->joined_max)
			break;
		if (n > 0 && more <= 2 * entries)
			join = n + 1;
		entries += more;
	}
	return join;
}

/*
 * Of these, those that no record has named and none will. One that can't be
 * removed is in nobody's way, and goes when the store is pruned.
 */
static void
drop_own(const struct ingest *in, const struct known *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct err why;

		if (v[i].own &&
		    store_remove(in->store, index_ref(v[i].ix), &why) != 0)
			continue;
	}
}

/* Put ${ix} in the place of the ${n} before ${end}. */
static void
replace_known(struct ingest *in, size_t end, size_t n, struct index *ix)
{
	struct known *v = &in->known[end - n];

	drop_own(in, v, n);
	for (size_t i = 0; i < n; i++)
		ingest_forget_one(&v[i]);
	*v = (struct known){.ix = ix, .own = true};
	memcpy(v->name, index_ref(ix)->name, sizeof(v->name));
	memmove(v + 1, v + n, (in->nknown - end) * sizeof(*v));
	in->nknown -= n - 1;
}

/* 1: the ${n} before ${end} are one now; 0: they can't be, for damage. */
static int
join_run(struct ingest *in, size_t end, size_t n, struct err *err)
{
	struct object_ref ref;
	struct index **v = calloc(n, sizeof(struct index *));
	struct index *ix;
	struct err why;
	int ret;

	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		v[i] = in->known[end - n + i].ix;
	ret = index_join(in->store, in->ks, v, n, &ref, &why);
	free(v);
	if (ret == ERR_CORRUPT || ret == ERR_NOT_FOUND || ret == ERR_USAGE)
		return 0;
	if (ret != 0)
		return err_copy(err, &why);
	ret = index_open_sharing(in->store, &ref, in->kr, in->pages, &ix, err);
	if (ret != 0)
		return ret;
	replace_known(in, end, n, ix);
	return 1;
}

/*
 * Indexes too large for the builder. A run may have written more of them than
 * fit into one, so what is behind that one is looked at as well. What is damaged
 * stays as it is, but must not keep the newer ones apart: with each run there
 * would be one more, until a record can't name them all.
 */
static int
join_large(struct ingest *in, struct err *err)
{
	for (size_t end = in->nknown; end > 1;) {
		size_t n = count_to_join(in, end);
		int ret = 0;

		while (n > 1 && ret == 0) {
			ret = join_run(in, end, n, err);
			n = ret == 0 ? n / 2 : n;
		}
		if (ret < 0)
			return ret;
		end -= ret > 0 ? n : 1;
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
	/* The last may have been written, full, on the way. */
	if (in->nknown > 0 && in->known[in->nknown - 1].own &&
	    (ret = join_large(in, err)) != 0)
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
