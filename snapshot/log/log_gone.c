#include "snapshot/access/peer.h"
#include "snapshot/log/log.h"
#include "snapshot/store/record_refs.h"

#include <string.h>

struct looking {
	struct store *store;
	struct heads *heads;
	store_visit_fn *visit;
	void *arg;
};

static int
look(void *arg, const uint8_t dataset[DATASET_ID_LEN], struct err *err)
{
	const struct looking *l = arg;
	RECORD_REFS_AUTO struct record_refs refs = {0};
	struct object_ref ref = {.cls = OBJECT_LOG};
	struct head_seen seen;
	struct err why;
	int rc = heads_get(l->heads, dataset, &seen, &why);

	if (rc != 0)
		return rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
	rc = record_refs_list(l->store, dataset, &refs, &why);
	/* It is there, whatever else is the matter with it. */
	if (rc == ERR_CORRUPT || refs.n > 0)
		return 0;
	if (rc != 0)
		return err_copy(err, &why);
	memcpy(ref.dataset, dataset, STORE_DATASET_LEN);
	memcpy(ref.name, seen.name, OBJECT_NAME_LEN);
	ref.seq = seen.seq;
	return l->visit(l->arg, &ref, 0, err);
}

int
log_gone(const struct access *a, struct heads *heads, store_visit_fn *visit,
    void *arg, struct err *err)
{
	struct looking l = {access_store(a), heads, visit, arg};
	char site[STORE_SITE_MAX];
	bool replica = true;
	int rc = 0;

	if (heads != NULL)
		rc = store_replica(l.store, &replica, site, err);
	return rc != 0 || replica ? rc
				  : access_visit_key_sets(a, look, &l, err);
}
