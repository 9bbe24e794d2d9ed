#include "snapshot/access/peer.h"
#include "snapshot/log/log.h"
#include "snapshot/store/record_refs.h"

#include <string.h>

struct looking {
	struct store *store;
	struct heads *heads; /* may be NULL */
	struct sitedb *site; /* of a replica; may be NULL */
	bool replica;
	log_gone_fn *visit;
	void *arg;
};

/* How ${rc} says that something is known: 1, or 0. */
static int
known(int rc, const struct err *why, struct err *err)
{
	if (rc == 0)
		return 1;
	return rc == ERR_NOT_FOUND ? 0 : err_copy(err, why);
}

/* The newest record that is known of: 1, or 0. */
static int
recall(const struct looking *l, struct object_ref *ref, enum log_gone_how *how,
    struct err *err)
{
	struct head_seen seen = {0};
	struct err why;
	int rc = 0;

	*how = LOG_GONE_ARRIVED;
	if (l->site != NULL)
		rc =
		    known(sitedb_newest(l->site, ref->dataset, &seen.seq, &why),
			&why, err);
	if (rc == 0 && l->heads != NULL) {
		*how = l->replica ? LOG_GONE_BEHIND : LOG_GONE_SEEN;
		rc = known(
		    heads_get(l->heads, ref->dataset, &seen, &why), &why, err);
	}
	memcpy(ref->name, seen.name, OBJECT_NAME_LEN);
	ref->seq = seen.seq;
	return rc;
}

static int
look(void *arg, const uint8_t dataset[DATASET_ID_LEN], struct err *err)
{
	const struct looking *l = arg;
	RECORD_REFS_AUTO struct record_refs refs = {0};
	struct object_ref ref = {.cls = OBJECT_LOG};
	enum log_gone_how how;
	struct err why;
	int rc;

	memcpy(ref.dataset, dataset, STORE_DATASET_LEN);
	rc = recall(l, &ref, &how, err);
	if (rc <= 0)
		return rc;
	rc = record_refs_list(l->store, dataset, &refs, &why);
	/* It is there, whatever else is the matter with it. */
	if (rc == ERR_CORRUPT || refs.n > 0)
		return 0;
	if (rc != 0)
		return err_copy(err, &why);
	return l->visit(l->arg, &ref, how, err);
}

int
log_gone(const struct access *a, struct heads *heads, struct sitedb *site,
    log_gone_fn *visit, void *arg, struct err *err)
{
	struct looking l = {
	    .store = access_store(a),
	    .heads = heads,
	    .visit = visit,
	    .arg = arg,
	};
	char name[STORE_SITE_MAX];
	int rc = store_replica(l.store, &l.replica, name, err);

	if (rc != 0)
		return rc;
	if (l.replica)
		l.site = site;
	return l.site == NULL && l.heads == NULL
		   ? 0
		   : access_visit_key_sets(a, look, &l, err);
}
