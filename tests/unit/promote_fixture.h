#ifndef TESTS_UNIT_PROMOTE_FIXTURE_H
#define TESTS_UNIT_PROMOTE_FIXTURE_H

/* A replica with datasets, at the site 'dr', which takes over. */
#include "snapshot/site/promote.h"
#include "tests/unit/access_fixture.h"
#include "tests/unit/log_fixture.h"
#include "tests/unit/site_fixture.h"

#define NOW START

/* Alice's store stands at the site 'dr'. */
static inline UNUSED struct identity_public
make_site(struct world *w)
{
	AUTO(sitedir) struct sitedir *d = site_new(w->path, "dr", NOW, -1);

	return sitedir_key(d)->pub;
}

static inline UNUSED const struct dataset *
backed_up(struct world *w, const char *name, size_t snapshots)
{
	const struct dataset *ds = world_dataset(w, name);
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *l = NULL;

	assert_ok(store_lock_dataset(
	    access_store(w->alice), ds->id, STORE_LOCK_APPEND, &lock, &err));
	assert_ok(log_load(w->alice, ds, NULL, &l, &err));
	for (size_t i = 0; i < snapshots; i++)
		assert_ok(log_append(l, snapshot_at(NOW + 100 * (int64_t)i, 0),
		    fixture_indexes, ARRAY_LEN(fixture_indexes), &err));
	return ds;
}

static inline UNUSED void
become_replica(struct world *w)
{
	assert_ok(store_set_replica(access_store(w->alice), "dr", &err));
}

static inline UNUSED bool
is_replica(struct world *w)
{
	char site[STORE_SITE_MAX];
	bool replica;

	assert_ok(store_replica(access_store(w->alice), &replica, site, &err));
	return replica;
}

/* How many records of a dataset say that the primary changed. */
static inline UNUSED size_t
changes(struct world *w, const struct dataset *ds)
{
	AUTO(log) struct log *l = NULL;
	size_t n = 0;

	assert_ok(log_load(w->alice, ds, NULL, &l, &err));
	for (size_t i = 0; i < log_records(l); i++)
		n += log_record(l, i)->head.type == RECORD_PRIMARY;
	return n;
}

#endif
