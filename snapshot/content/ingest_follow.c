/*
 * A prune that ended while the run went on has made other indexes the dataset's,
 * and packs that nothing needed are in none of them any more. They are still
 * there, for it saw this run. Those that the run relies on are rescued: they are
 * listed again, with the run's own. So are those that are leaving, although they
 * are listed: a site that has no keys must see that they are needed again.
 */
#include "snapshot/content/ingest_internal.h"

#include <stdlib.h>
#include <string.h>

/* Which packs of a known index to list. */
struct following {
	struct ingest *in;
	const struct name_set *listed; /* packs of the dataset's indexes */
	const struct known *k;
	size_t taken, left;
};

/*
 * Of an index of the run's own, all but what it only took over from those that
 * were known; of these, what the run relies on.
 */
static int
take_pack(void *arg, uint32_t pack, UNUSED struct err *err)
{
	struct following *f = arg;
	const struct index_summary *s = index_get_summary(f->k->ix);
	const uint8_t *name = s->packs[pack].name;
	bool listed = name_set_has_object(f->listed, name);
	bool used = name_set_has_object(&f->in->packs_used, name);
	bool leaving = name_set_has_object(&f->in->packs_leaving, name);
	bool take;

	if (f->k->own)
		take = listed || used ||
		       name_set_has_object(&f->in->packs_own, name);
	else
		take = used && (!listed || leaving);
	f->taken += take;
	f->left += !take;
	return take;
}

static void
count_packs(struct following *f)
{
	size_t n = index_packs(f->k->ix);

	f->taken = f->left = 0;
	for (uint32_t i = 0; i < n; i++)
		(void)take_pack(f, i, NULL);
}

/* The indexes to be made one of, in ${parts}; others' names to ${names}. */
static size_t
sort_out(struct following *f, struct index_part *parts,
    uint8_t (*names)[OBJECT_NAME_LEN], size_t *n)
{
	size_t nparts = 0;

	for (size_t i = 0; i < f->in->nknown; i++) {
		struct following *one = &f[i];

		one->k = &one->in->known[i];
		if (one->k->ix == NULL)
			continue;
		count_packs(one);
		if (one->k->own && one->left == 0)
			memcpy(names[(*n)++], one->k->name, OBJECT_NAME_LEN);
		else if (one->taken > 0)
			parts[nparts++] = (struct index_part){
			    .ix = one->k->ix, .pack = take_pack, .arg = one};
	}
	return nparts;
}

/* One more name in ${names}, if there is anything to be listed. */
static int
write_rest(struct ingest *in, const struct index_part *parts, size_t nparts,
    uint8_t (*names)[OBJECT_NAME_LEN], size_t *n, struct err *err)
{
	struct object_ref ref;
	int ret = index_join_some(in->store, in->ks, parts, nparts, &ref, err);

	if (ret == 0)
		memcpy(names[(*n)++], ref.name, OBJECT_NAME_LEN);
	return ret < 0 ? ret : 0;
}

static int
follow(struct ingest *in, struct following *f,
    uint8_t (*names)[OBJECT_NAME_LEN], size_t *n, struct err *err)
{
	struct index_part *parts = calloc(in->nknown + 1, sizeof(*parts));
	size_t nparts;
	int ret = 0;

	if (parts == NULL)
		return err_nomem(err);
	nparts = sort_out(f, parts, names, n);
	if (nparts > 0)
		ret = write_rest(in, parts, nparts, names, n, err);
	free(parts);
	return ret;
}

/* --- packs that are leaving --------------------------------------------- */

int
ingest_leaving(struct ingest *in, const uint8_t pack[OBJECT_NAME_LEN],
    bool used, struct err *err)
{
	int ret;

	pthread_mutex_lock(&in->pack_seen_mu);
	ret = name_set_add_object(&in->packs_leaving, pack, err);
	if (ret >= 0 && used)
		ret = name_set_add_object(&in->packs_used, pack, err);
	pthread_mutex_unlock(&in->pack_seen_mu);
	return ret < 0 ? ret : 0;
}

void
ingest_forget_leaving(struct ingest *in)
{
	pthread_mutex_lock(&in->pack_seen_mu);
	name_set_clear(&in->packs_leaving);
	pthread_mutex_unlock(&in->pack_seen_mu);
}

bool
ingest_uses_leaving(struct ingest *in)
{
	static const struct chunk_name none;
	bool uses = false;

	pthread_mutex_lock(&in->pack_seen_mu);
	for (size_t i = 0; i < in->packs_leaving.cap && !uses; i++) {
		const struct chunk_name *name = &in->packs_leaving.slots[i];

		uses = memcmp(name, &none, sizeof(none)) != 0 &&
		       name_set_has(&in->packs_used, name);
	}
	pthread_mutex_unlock(&in->pack_seen_mu);
	return uses;
}

/* --- the set ------------------------------------------------------------ */

int
ingest_follow(struct ingest *in, const uint8_t (*now)[OBJECT_NAME_LEN],
    size_t nnow, uint8_t (**indexes)[OBJECT_NAME_LEN], size_t *n,
    struct err *err)
{
	struct following *f = calloc(in->nknown + 1, sizeof(*f));
	uint8_t(*names)[OBJECT_NAME_LEN];
	struct name_set listed = {0};
	int ret;

	*indexes = NULL;
	*n = 0;
	names = calloc(nnow + in->nknown + 1, sizeof(*names));
	if (f == NULL || names == NULL) {
		free(f);
		free(names);
		return err_nomem(err);
	}
	for (size_t i = 0; i <= in->nknown; i++)
		f[i] = (struct following){.in = in, .listed = &listed};
	if (nnow > 0)
		memcpy(names, now, nnow * sizeof(*names));
	*n = nnow;
	ret = index_listed_all(
	    in->store, in->ks->dataset, now, nnow, &listed, err);
	if (ret == 0)
		ret = follow(in, f, names, n, err);
	name_set_clear(&listed);
	free(f);
	if (ret == 0)
		*indexes = names;
	else
		free(names);
	return ret;
}
