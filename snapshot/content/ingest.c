/*
 * Taking chunks in: the run as a whole, and the question every chunk asks: is
 * it new?
 */
#include "snapshot/content/ingest_internal.h"

#include <stdlib.h>
#include <string.h>

int
ingest_new(struct store *store, const struct keyring *kr, struct ingest **out,
    struct err *err)
{
	AUTO(ingest) struct ingest *in = calloc(1, sizeof(*in));
	int ret;

	*out = NULL;
	if (in == NULL)
		return err_nomem(err);
	in->store = store;
	in->kr = kr;
	in->ks = keyring_latest(kr);
	in->index_max = INDEX_FULL;
	in->joined_max = INDEX_JOINED;
	pthread_mutex_init(&in->mu, NULL);
	pthread_mutex_init(&in->pack_seen_mu, NULL);
	for (unsigned i = 0; i < PACK_KINDS; i++)
		pthread_mutex_init(&in->pack_mu[i], NULL);
	pthread_rwlock_init(&in->known_lock, NULL);
	pthread_mutex_init(&in->filter_mu, NULL);
	if (in->ks == NULL)
		return err_set(err, ERR_DENIED, "no key to write with");
	if ((ret = index_pages_new(INDEX_PAGES, &in->pages, err)) != 0)
		return ret;
	ret = packrun_new(
	    &in->ks->seal_pub, in->ks->dataset, in->ks->epoch, &in->run, err);
	if (ret != 0)
		return ret;
	if ((ret = index_builder_new(&in->built, err)) != 0)
		return ret;
	if ((ret = committer_new(in, &in->committer, err)) != 0)
		return ret;
	*out = STEAL(in);
	return 0;
}

void
ingest_free(struct ingest *in)
{
	if (in == NULL)
		return;
	committer_free(in->committer);
	for (unsigned i = 0; i < PACK_KINDS; i++) {
		open_pack_free(in->open[i]);
		pthread_mutex_destroy(&in->pack_mu[i]);
	}
	ingest_forget_known(in, 0);
	free(in->known);
	index_pages_free(in->pages);
	name_set_clear(&in->claimed);
	name_set_clear(&in->packs_there);
	name_set_clear(&in->packs_gone);
	name_set_clear(&in->packs_used);
	name_set_clear(&in->packs_leaving);
	name_set_clear(&in->packs_own);
	index_builder_free(in->built);
	packrun_free(in->run);
	pthread_rwlock_destroy(&in->known_lock);
	pthread_mutex_destroy(&in->filter_mu);
	pthread_mutex_destroy(&in->pack_seen_mu);
	pthread_mutex_destroy(&in->mu);
	free(in);
}

void
ingest_on_pack(struct ingest *in, ingest_pack_fn *fn, void *arg)
{
	in->on_pack = fn;
	in->on_pack_arg = arg;
}

int
ingest_condemned(
    struct ingest *in, const uint8_t pack[OBJECT_NAME_LEN], struct err *err)
{
	int ret;

	pthread_mutex_lock(&in->pack_seen_mu);
	name_set_remove_object(&in->packs_there, pack);
	ret = name_set_add_object(&in->packs_gone, pack, err);
	pthread_mutex_unlock(&in->pack_seen_mu);
	return ret < 0 ? ret : 0;
}

int
ingest_resume(
    struct ingest *in, const uint8_t *note, size_t len, struct err *err)
{
	AUTO(open_pack) struct open_pack *p = NULL;
	struct object_ref ref = {.cls = OBJECT_PACK};
	struct err why;
	uint64_t size;
	int ret;

	ret = ingest_note_decode(note, len, ref.name, &size, &p, &why);
	if (ret != 0)
		return ret == ERR_CORRUPT ? 0 : err_copy(err, &why);
	memcpy(ref.dataset, in->ks->dataset, sizeof(ref.dataset));
	if ((ret = ingest_pack_there(in, ref.name, size, err)) != 1)
		return ret;
	if ((ret = ingest_index_pack(in, &ref, size, p, err)) != 0)
		return ret;
	for (size_t i = 0; i < p->nnames; i++) {
		ret = name_set_add(&in->claimed, &p->names[i], err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

struct ingest_totals
ingest_totals(struct ingest *in)
{
	struct ingest_totals t;

	pthread_mutex_lock(&in->mu);
	t = in->totals;
	pthread_mutex_unlock(&in->mu);
	return t;
}
