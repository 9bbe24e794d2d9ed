#include "snapshot/replicate/send_internal.h"

/* What an admin does not want in a place must not go on from there, either. */
static int
check_own(const struct party *p, int64_t now, struct err *err)
{
	char site[STORE_SITE_MAX];
	struct statement st;
	bool replica;
	int rc = store_replica(access_store(p->access), &replica, site, err);

	if (rc != 0 || !replica)
		return rc;
	if (p->site == NULL)
		return err_set(err, ERR_DENIED,
		    "this store is a replica: it is sent on by its site's key"
		    " alone");
	rc =
	    site_find_key(p->access, &sitedir_key(p->site)->pub.sign, &st, err);
	if (rc == 0)
		rc = site_allowed(p->access, &st, now, err);
	return rc != 0 ? err_wrap(err, "this site may not send on") : 0;
}

int
place_check(const struct sender *s, struct statement *st, struct err *err)
{
	const struct access *a = s->party->access;
	int rc = site_find_key(a, &s->meeting->peer, st, err);

	if (rc == 0)
		rc = site_allowed(a, st, party_time(), err);
	return rc != 0 ? rc : check_own(s->party, party_time(), err);
}

int
place_check_again(const struct sender *s, struct err *err)
{
	struct statement st;
	bool changed;
	int rc = access_refresh(s->party->access, &changed, err);

	return rc != 0 ? rc : place_check(s, &st, err);
}
