/*
 * Packs that no index lists: runs that ended without a snapshot have left them.
 * The next run takes them up again where it can, so they stay for a day; and
 * they go only while no backup runs, which no backup begins until they are
 * gone.
 */
#include "snapshot/prune/prune_internal.h"

#include <time.h>

#define DAY_S ((int64_t)24 * 3600)
/* Who wants to begin a backup waits that long, and not much longer. */
#define SLICE_S 1

static int64_t
seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static int
is_old(
    struct prune *p, const struct object_ref *ref, bool *old, struct err *err)
{
	struct err why;
	int64_t when;
	int rc = store_time(p->store, ref, &when, &why);

	*old = rc == 0 && when + DAY_S < access_now(p->access);
	if (rc == 0 || rc == ERR_NOT_FOUND)
		return 0;
	return err_copy(err, &why);
}

/* An index_listed_fn. */
static int
add_listed(void *arg, const struct object_ref *ref, uint64_t size,
    UNUSED enum pack_kind kind, struct err *err)
{
	return present_add(arg, ref->name, size, err);
}

/*
 * What an index lists is no orphan, also when no record names that index: it
 * goes when the index has gone.
 */
static int
list_listed(struct prune *p, struct present *listed, struct err *err)
{
	PRESENT_AUTO struct present indexes = {0};
	int rc = present_list(&indexes, p->store, OBJECT_INDEX, p->ds->id, err);

	for (size_t i = 0; rc == 0 && i < indexes.n; i++) {
		struct object_ref ref;

		prune_ref(p, OBJECT_INDEX, indexes.v[i].name, &ref);
		rc = index_peek(p->store, &ref, add_listed, listed, err);
	}
	present_sort(listed);
	return rc;
}

/* Those of the packs that are there. */
static int
find_old(struct prune *p, struct present *orphans, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->packs.n; i++) {
		const struct present_object *o = &p->packs.v[i];
		struct object_ref ref;
		bool old;

		if (live_pack_number(&p->live, o->name) != LIVE_NONE ||
		    present_find(&p->later, o->name) != NULL)
			continue;
		prune_ref(p, OBJECT_PACK, o->name, &ref);
		rc = is_old(p, &ref, &old, err);
		if (rc == 0 && old)
			rc = present_add(orphans, o->name, o->size, err);
	}
	return rc;
}

/* A run that has ended since may have taken one up. */
static int
remove_some(struct prune *p, const struct present *orphans, struct err *err)
{
	int64_t end = seconds() + SLICE_S;
	bool changed;
	int rc = log_refresh(p->log, &changed, err);

	if (rc == 0)
		rc = log_whole(p->log, err);
	if (rc == 0)
		rc = prune_learn(p, err);
	for (size_t i = 0; rc == 0 && i < orphans->n && seconds() <= end; i++) {
		const struct present_object *o = &orphans->v[i];
		struct object_ref ref;
		struct err why;

		if (present_find(&p->later, o->name) != NULL)
			continue;
		prune_ref(p, OBJECT_PACK, o->name, &ref);
		rc = store_remove(p->store, &ref, &why);
		if (rc == 0) {
			prune_add(&p->out->orphans, o->size);
			prune_add(&p->out->removed, o->size);
		} else if (rc == ERR_NOT_FOUND) {
			rc = 0;
		} else {
			(void)err_copy(err, &why);
		}
	}
	return rc;
}

static int
find_orphans(struct prune *p, struct present *orphans, struct err *err)
{
	PRESENT_AUTO struct present old = {0}, listed = {0};
	int rc = find_old(p, &old, err);

	if (rc == 0 && old.n > 0)
		rc = list_listed(p, &listed, err);
	for (size_t i = 0; rc == 0 && i < old.n; i++)
		if (present_find(&listed, old.v[i].name) == NULL)
			rc = present_add(
			    orphans, old.v[i].name, old.v[i].size, err);
	return rc;
}

int
remove_orphans(struct prune *p, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	PRESENT_AUTO struct present orphans = {0};
	struct err why;
	int rc = find_orphans(p, &orphans, err);

	if (rc != 0 || orphans.n == 0)
		return rc;
	rc = store_lock_dataset(
	    p->store, p->ds->id, STORE_LOCK_RUN, &lock, &why);
	if (rc == ERR_LOCKED)
		return 0;
	return rc == 0 ? remove_some(p, &orphans, err) : err_copy(err, &why);
}
