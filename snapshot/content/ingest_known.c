/*
 * The indexes that are known: those of the last snapshot, and those that this
 * run has written. A new chunk is looked up in each, and found in none, which
 * with many indexes would be most of a run's work. So once an index has been
 * asked in vain often enough to pay for it, its names go into a filter, which
 * from then on answers in its stead.
 */
#include "snapshot/content/ingest_internal.h"

#include <stdlib.h>
#include <string.h>

/* All filters together: of 26 million chunks. */
#define FILTERS_MAX ((size_t)32 << 20)
/*
 * Asked in vain once for so many pages, and so often at least: then reading all
 * of them is worth it.
 */
#define PAGES_A_MISS 8
#define MISSES_MIN 64

/* --- learning ----------------------------------------------------------- */

/* An index_pack_fn. */
static int
seek_pack(void *arg, const struct object_ref *ref, uint64_t size,
    UNUSED enum pack_kind kind, UNUSED const struct segment_place *places,
    UNUSED size_t n, struct err *err)
{
	return packs_sought_add(arg, ref->name, size, err);
}

/* A version that is not known may be a bit that changed. */
static bool
is_damage(int rc)
{
	return rc == ERR_CORRUPT || rc == ERR_NOT_FOUND || rc == ERR_AUTH ||
	       rc == ERR_VERSION;
}

/*
 * Open it, and say which packs to look for. It stays in the set even if it can't
 * be used: it may come back.
 */
static int
know(struct ingest *in, const uint8_t name[OBJECT_NAME_LEN],
    struct packs_sought *sought, struct err *err)
{
	struct known *k = &in->known[in->nknown];
	struct object_ref ref = {.cls = OBJECT_INDEX};
	struct err why;
	int ret;

	memcpy(ref.dataset, in->ks->dataset, sizeof(ref.dataset));
	memcpy(ref.name, name, sizeof(ref.name));
	memset(k, 0, sizeof(*k));
	memcpy(k->name, name, sizeof(k->name));
	ret = index_open_sharing(
	    in->store, &ref, in->kr, in->pages, &k->ix, &why);
	if (ret == 0) {
		in->nknown++;
		ret = index_each_pack(k->ix, seek_pack, sought, &why);
	} else if (is_damage(ret)) {
		in->nknown++;
	}
	if (!is_damage(ret))
		return ret == 0 ? 0 : err_copy(err, &why);
	in->lost++;
	in->lost_indexes++;
	index_close(STEAL(k->ix));
	return 0;
}

int
ingest_known(struct ingest *in, const uint8_t (*names)[OBJECT_NAME_LEN],
    size_t n, struct err *err)
{
	PACKS_SOUGHT_AUTO struct packs_sought sought = {.in = in};
	struct known *known;
	int ret = 0;

	if (n == 0)
		return 0;
	known = realloc(in->known, (in->nknown + n) * sizeof(*known));
	if (known == NULL)
		return err_nomem(err);
	in->known = known;
	for (size_t i = 0; i < n && ret == 0; i++)
		ret = know(in, names[i], &sought, err);
	return ret != 0 ? ret : packs_sought_look(&sought, &in->lost, err);
}

int
ingest_known_besides(struct ingest *in, const uint8_t (*names)[OBJECT_NAME_LEN],
    size_t n, struct err *err)
{
	uint64_t lost = in->lost;
	int ret = ingest_known(in, names, n, err);

	in->lost = lost;
	return ret;
}

uint64_t
ingest_lost(const struct ingest *in)
{
	return in->lost;
}

uint64_t
ingest_lost_indexes(const struct ingest *in)
{
	return in->lost_indexes;
}

void
ingest_forget_one(struct known *k)
{
	index_close(k->ix);
	name_filter_free(k->filter);
}

void
ingest_forget_known(struct ingest *in, size_t n)
{
	while (in->nknown > n)
		ingest_forget_one(&in->known[--in->nknown]);
}

/* --- filters ------------------------------------------------------------ */

static int
add_name(void *arg, const struct chunk_name *name, UNUSED struct err *err)
{
	name_filter_add(arg, name);
	return 0;
}

/* An index_page_fn. */
static int
add_page(void *arg, UNUSED const struct index_summary *s, const uint8_t *page,
    size_t n, UNUSED struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct index_entry e = index_page_entry(page, i);

		name_filter_add(arg, &e.name);
	}
	return 0;
}

/* Room for a filter of ${n} names; NULL, and no failure, when there is none. */
static int
make_filter(
    struct ingest *in, size_t n, struct name_filter **out, struct err *err)
{
	size_t size = name_filter_size(n);
	int ret = 0;

	*out = NULL;
	pthread_mutex_lock(&in->filter_mu);
	if (size <= FILTERS_MAX - in->filters)
		ret = name_filter_new(n, out, err);
	if (*out != NULL)
		in->filters += size;
	pthread_mutex_unlock(&in->filter_mu);
	return ret;
}

/*
 * An index was asked in vain. A filter that can't be made is done without: what
 * is wrong with the index shows when it is asked.
 */
static void
note_miss(struct ingest *in, struct known *k)
{
	AUTO(name_filter) struct name_filter *f = NULL;
	size_t n = index_entries(k->ix);
	size_t misses = atomic_fetch_add(&k->misses, 1) + 1;
	struct err why;

	/* One thread comes by at just that number. */
	if (misses != n / INDEX_PAGE_ENTRIES / PAGES_A_MISS + MISSES_MIN ||
	    make_filter(in, n, &f, &why) != 0 || f == NULL)
		return;
	if (index_each_page(k->ix, add_page, f, &why) == 0)
		atomic_store(&k->filter, STEAL(f));
}

int
ingest_add_known(struct ingest *in, struct index *ix,
    const struct index_builder *b, struct err *err)
{
	AUTO(name_filter) struct name_filter *f = NULL;
	struct known *known;
	int ret = make_filter(in, index_entries(ix), &f, err);

	if (ret == 0 && f != NULL)
		ret = index_builder_each(b, add_name, f, err);
	if (ret != 0)
		return ret;
	pthread_rwlock_wrlock(&in->known_lock);
	known = realloc(in->known, (in->nknown + 1) * sizeof(*known));
	if (known != NULL) {
		in->known = known;
		known += in->nknown++;
		memset(known, 0, sizeof(*known));
		known->ix = ix;
		known->own = true;
		known->filter = STEAL(f);
		memcpy(known->name, index_ref(ix)->name, sizeof(known->name));
	}
	pthread_rwlock_unlock(&in->known_lock);
	return known != NULL ? 0 : err_nomem(err);
}

/* --- asking ------------------------------------------------------------- */

/* The run relies on that pack from now on. */
static int
use_pack(
    struct ingest *in, const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	int ret;

	pthread_mutex_lock(&in->pack_seen_mu);
	ret = name_set_add_object(&in->packs_used, name, err);
	pthread_mutex_unlock(&in->pack_seen_mu);
	return ret < 0 ? ret : 1;
}

/* 1 when this one lists it, in a pack that is really there. */
static int
ask(struct ingest *in, struct known *k, const struct chunk_name *name,
    struct err *err)
{
	const struct name_filter *f = atomic_load(&k->filter);
	struct chunk_place place;
	struct err why;
	bool found;
	int ret;

	if (k->ix == NULL || (f != NULL && !name_filter_may(f, name)))
		return 0;
	ret = index_lookup(k->ix, name, &place, &found, &why);
	if (is_damage(ret))
		return 0; /* a damaged page lists nothing */
	if (ret != 0)
		return err_copy(err, &why);
	if (found) {
		ret = ingest_pack_there(in, place.pack, place.pack_size, err);
		return ret == 1 ? use_pack(in, place.pack, err) : ret;
	}
	if (f == NULL)
		note_miss(in, k);
	return 0;
}

int
ingest_is_known(
    struct ingest *in, const struct chunk_name *name, struct err *err)
{
	int ret = 0;

	pthread_rwlock_rdlock(&in->known_lock);
	for (size_t i = in->nknown; i > 0 && ret == 0; i--)
		ret = ask(in, &in->known[i - 1], name, err);
	pthread_rwlock_unlock(&in->known_lock);
	return ret;
}
