/* What an admin has said counts, in place of what has come before. */
#include "snapshot/replicate/receive_internal.h"

#include <string.h>

#define LOCK_TRIES 6

/* Each try waits for some seconds: others hold it for a few records. */
int
receive_lock(struct receiver *r, const uint8_t dataset[STORE_DATASET_LEN],
    struct store_lock **out, struct err *err)
{
	struct err why;
	int rc = ERR_LOCKED;

	for (int i = 0; i < LOCK_TRIES && rc == ERR_LOCKED; i++)
		rc = store_lock_replica(
		    r->store, dataset, STORE_LOCK_APPEND, out, &why);
	return rc == 0 ? 0 : err_copy(err, &why);
}

static void
tell(struct receiver *r, const struct settled *s)
{
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = s->by.seq};
	char text[OBJECT_REF_TEXT];
	struct err what;

	memcpy(ref.dataset, s->by.dataset, STORE_DATASET_LEN);
	memcpy(ref.name, s->by.name, OBJECT_NAME_LEN);
	object_ref_text(&ref, text);
	(void)err_set(&what, ERR_CORRUPT,
	    "%ju record%s moved to '%s': an admin has settled that '%s' counts",
	    (uintmax_t)s->records, s->records == 1 ? " was" : "s were",
	    s->aside, text);
	receive_note(r, NULL, &what);
}

int
receive_settle(struct receiver *r, struct log_tail *t, struct err *err)
{
	struct sitedb *db = sitedir_db(r->party->site);
	struct settlement by;
	struct settled settled;
	struct site_time now;
	struct err why;
	int rc =
	    access_settlement(r->party->access, t->dataset, &by, NULL, &why);

	if (rc != 0)
		return rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
	rc = sitedb_clock(db, party_time(), &now, err);
	if (rc == 0)
		rc = settle_run(r->store, &by, db, now.now, &settled, err);
	if (rc == 0 && settled.records > 0) {
		t->read = false;
		t->receipt = t->gap = 0;
		tell(r, &settled);
	}
	return rc;
}

static int
settle_one(struct receiver *r, const uint8_t dataset[STORE_DATASET_LEN],
    struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	struct log_tail t = {.read = false};
	struct settlement by;
	struct err why;
	bool pending = false;
	int rc = access_settlement(r->party->access, dataset, &by, NULL, &why);

	if (rc != 0)
		return rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
	rc = settle_pending(r->store, &by, &pending, err);
	if (rc != 0 || !pending)
		return rc;
	memcpy(t.dataset, dataset, STORE_DATASET_LEN);
	rc = receive_lock(r, dataset, &lock, err);
	return rc != 0 ? rc : receive_settle(r, &t, err);
}

/* Where it can't be done, what comes of the dataset is not taken, either. */
static int
settle_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct receiver *r = arg;
	struct err why;
	int rc = settle_one(r, ref->dataset, &why);

	if (rc == 0 || receive_is_ours(rc))
		return rc == 0 ? 0 : err_copy(err, &why);
	receive_note(r, NULL, &why);
	return 0;
}

int
receive_settle_all(struct receiver *r, struct err *err)
{
	return store_list_datasets(r->store, settle_dataset, r, err);
}
