/* Locks: who may add to a dataset's log, here and now. */
#include "snapshot/store/store_ops.h"

#include <string.h>

/* A record that is added before the promotion's would be a second history. */
static int
check_not_left(
    struct store *s, const uint8_t dataset[STORE_DATASET_LEN], struct err *err)
{
	bool left;
	int rc = store_left(s, dataset, &left, err);

	if (rc != 0 || !left)
		return rc;
	return err_set(err, ERR_CORRUPT,
	    "it was not taken over when store '%s' was promoted, for its log"
	    " was damaged: run 'varve promote' again, which says what is wrong,"
	    " and takes it over once it is mended",
	    s->address);
}

int
store_lock_dataset(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    enum store_lock_kind kind, struct store_lock **out, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	int rc = store_check_primary(s, err);

	*out = NULL;
	if (rc != 0 || (rc = s->ops->lock(s, dataset, kind, &lock, err)) != 0)
		return rc;
	/* It may have become one before the lock was had. */
	rc = store_check_primary(s, err);
	if (rc == 0)
		rc = check_not_left(s, dataset, err);
	if (rc == 0)
		*out = STEAL(lock);
	return rc;
}

int
store_lock_replica(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    enum store_lock_kind kind, struct store_lock **out, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	char site[STORE_SITE_MAX];
	bool replica;
	int rc;

	*out = NULL;
	if ((rc = s->ops->lock(s, dataset, kind, &lock, err)) != 0 ||
	    (rc = store_replica(s, &replica, site, err)) != 0)
		return rc;
	if (!replica)
		return err_set(err, ERR_DENIED,
		    "store '%s' is a primary: it takes nothing from another"
		    " ('varve demote' makes it a replica)",
		    s->address);
	*out = STEAL(lock);
	return 0;
}

int
store_lock_promotion(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    struct store_lock **out, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	char site[STORE_SITE_MAX];
	bool replica, left;
	int rc;

	*out = NULL;
	if ((rc = s->ops->lock(s, dataset, STORE_LOCK_APPEND, &lock, err)) !=
		0 ||
	    (rc = store_replica(s, &replica, site, err)) != 0 ||
	    (rc = store_left(s, dataset, &left, err)) != 0)
		return rc;
	if (!replica && !left)
		return err_set(err, ERR_DENIED,
		    "store '%s' is its primary already", s->address);
	*out = STEAL(lock);
	return 0;
}

void
store_unlock(struct store_lock *lock)
{
	if (lock != NULL)
		lock->store->ops->unlock(lock);
}

int
store_lock_note(
    struct store_lock *lock, const void *buf, size_t len, struct err *err)
{
	if (len == 0 || len > STORE_NOTE_MAX)
		return err_set(err, ERR_BUG, "a note of %zu bytes", len);
	return lock->store->ops->lock_note(lock, buf, len, err);
}

int
store_lock_look(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    enum store_lock_kind kind, struct store_lock_state *out, struct err *err)
{
	memset(out, 0, sizeof(*out));
	return s->ops->lock_look(s, dataset, kind, out, err);
}
