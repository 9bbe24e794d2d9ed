#include "snapshot/site/promote.h"
#include "snapshot/site/sitedir.h"

#include <string.h>

/* What a promotion needs to know. */
struct promotion {
	struct access *access;
	struct heads *heads;
	const struct identity_public *site;
	promote_fn *visit;
	void *arg;
};

static int
check(const struct access *a, struct err *err)
{
	struct store *store = access_store(a);
	char site[STORE_SITE_MAX];
	bool replica;
	int rc = store_replica(store, &replica, site, err);

	if (rc != 0)
		return rc;
	if (!replica)
		return err_set(err, ERR_USAGE,
		    "store '%s' is a primary already", store_address(store));
	if (!access_is_admin(a))
		return err_set(err, ERR_DENIED,
		    "only an admin can make store '%s' the primary",
		    store_address(store));
	if (access_identity(a) == NULL)
		return err_set(err, ERR_DENIED,
		    "the recovery key signs no log: grant somebody the role of"
		    " an admin with it, who then promotes");
	return 0;
}

/*
 * Whether the newest change of the primary is to this site: a promotion that
 * was cut off has written that, and goes on with the rest.
 */
static bool
is_done(const struct promotion *p, const struct log *l)
{
	for (size_t i = log_records(l); i-- > 0;) {
		const struct record *r = log_record(l, i);

		if (r->head.type == RECORD_PRIMARY && r->open)
			return memcmp(r->primary.id, p->site->id,
				   IDENTITY_ID_LEN) == 0;
	}
	return false;
}

static int
promote_dataset(
    const struct promotion *p, const struct dataset *ds, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *l = NULL;
	int rc;

	rc = store_lock_replica(
	    access_store(p->access), ds->id, STORE_LOCK_APPEND, &lock, err);
	if (rc == 0)
		rc = log_load(p->access, ds, p->heads, &l, err);
	/* What is lost may be another change. */
	if (rc == 0)
		rc = log_whole(l, err);
	if (rc == 0 && !is_done(p, l))
		rc = log_append_primary(l, p->site->name, p->site->id, err);
	if (rc != 0)
		return err_wrap(err, "dataset '%s'", ds->name);
	return p->visit(p->arg, l, err);
}

int
promote_run(struct access *a, struct heads *heads, promote_fn *visit, void *arg,
    struct err *err)
{
	struct store *store = access_store(a);
	struct site_request request;
	struct promotion p = {
	    .access = a,
	    .heads = heads,
	    .site = &request.site.pub,
	    .visit = visit,
	    .arg = arg,
	};
	int rc;

	if ((rc = check(a, err)) != 0 ||
	    (rc = sitedir_peek(store_path(store), &request, err)) != 0)
		return rc;
	for (size_t i = 0; i < access_datasets(a) && rc == 0; i++)
		rc = promote_dataset(&p, access_dataset(a, i), err);
	return rc != 0 ? rc : store_set_replica(store, NULL, err);
}
