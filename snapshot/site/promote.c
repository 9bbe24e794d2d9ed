#include "snapshot/site/promote.h"
#include "snapshot/site/sitedir.h"

#include <errno.h>
#include <string.h>

/* What a promotion needs to know. */
struct promotion {
	struct access *access;
	struct store *store;
	const struct promote_options *opt;
	const struct identity_public *site;
	promote_fn *visit;
	void *arg;
	bool replica; /* it is one still; else, only what was left counts */
	size_t sound; /* datasets that can be taken over, ... */
	size_t unfit; /* ... and that can't */
	char aside[ASIDE_NAME];
};

static int
check(
    const struct access *a, const struct promote_options *opt, struct err *err)
{
	if (!access_is_admin(a))
		return err_set(err, ERR_DENIED,
		    "only an admin can make store '%s' the primary",
		    store_address(access_store(a)));
	if (opt->up_to_readable && opt->site == NULL)
		return err_set(err, ERR_BUG,
		    "records are moved aside only where the site is known");
	if (access_identity(a) == NULL)
		return err_set(err, ERR_DENIED,
		    "the recovery key signs no log: grant somebody the role of"
		    " an admin with it, who then promotes");
	return 0;
}

/* --- looking at a log ---------------------------------------------------- */

/*
 * Whether it is the log that is not as it should be. What the system or another
 * process has to do with may be over soon, and keeps all from being done.
 */
static bool
is_of_log(const struct err *why)
{
	switch (why->code) {
	case ERR_CORRUPT:
	case ERR_AUTH:
	case ERR_NOT_FOUND:
	case ERR_VERSION:
		return true;
	case ERR_IO:
		return why->errnum == EIO;
	case ERR_DENIED:
		/* A record of an epoch that there is no key set of. */
		return why->errnum == 0;
	default:
		return false;
	}
}

/* That records are missing at its end, the log itself can't show. */
static int
check_arrived(const struct promotion *p, const struct log *l, struct err *why,
    struct err *err)
{
	const struct dataset *ds = log_dataset(l);
	uint64_t newest = 0;
	struct err local;
	int rc;

	if (p->opt->site == NULL)
		return 0;
	rc = sitedb_newest(p->opt->site, ds->id, &newest, &local);
	if (rc != 0 && rc != ERR_NOT_FOUND)
		return err_copy(err, &local);
	if (newest > log_records(l))
		(void)err_set(why, ERR_CORRUPT,
		    "log of dataset '%s' was cut back: record %ju has arrived"
		    " at this site, the store shows %zu",
		    ds->name, (uintmax_t)newest, log_records(l));
	return 0;
}

/*
 * *${out}: what can be used of the log, or NULL. ${why}->code is 0 when it is
 * whole, and no failure otherwise: it is the dataset's own trouble.
 */
static int
inspect(const struct promotion *p, const struct dataset *ds, struct log **out,
    struct err *why, struct err *err)
{
	struct heads *heads = p->opt->up_to_readable ? NULL : p->opt->heads;
	int rc = log_load(p->access, ds, heads, out, why);

	/* What is lost may be another change. */
	if (rc == 0)
		rc = log_sound(*out, why);
	if (rc == 0) {
		why->code = 0;
		return check_arrived(p, *out, why, err);
	}
	if (is_of_log(why))
		return 0;
	(void)err_copy(err, why);
	return err_wrap(err, "dataset '%s'", ds->name);
}

/*
 * Its end is what is wrong with it, and may be moved aside; but nobody gives up
 * what a newer version can read.
 */
static bool
can_be_cut(
    const struct promotion *p, const struct log *l, const struct err *why)
{
	return p->opt->up_to_readable && why->code != ERR_VERSION &&
	       l != NULL && log_records(l) > 0 && log_gap(l) == NULL;
}

static int
look_at(struct promotion *p, const struct dataset *ds, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *l = NULL;
	struct err why = {0};
	int rc = store_lock_promotion(p->store, ds->id, &lock, err);

	if (rc == 0)
		rc = inspect(p, ds, &l, &why, err);
	if (rc != 0)
		return rc;
	if (why.code == 0 || can_be_cut(p, l, &why))
		p->sound++;
	else
		p->unfit++;
	return 0;
}

/* What promote_dataset() would meet; nothing is changed. */
static int
tell(struct promotion *p, const struct dataset *ds, struct err *err)
{
	AUTO(log) struct log *l = NULL;
	struct err why = {0};
	struct promoted found = {.dataset = ds, .aside = p->aside};
	int rc = inspect(p, ds, &l, &why, err);

	found.log = l;
	found.why = why.code != 0 ? &why : NULL;
	return rc != 0 ? rc : p->visit(p->arg, &found, err);
}

/* --- one dataset --------------------------------------------------------- */

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

/* What is behind the newest record that can be used goes; ${l} is read anew. */
static int
cut(const struct promotion *p, const struct dataset *ds, struct log **l,
    struct err *why, uint64_t *moved, struct err *err)
{
	RECORD_REFS_AUTO struct record_refs refs = {0};
	uint64_t keep = log_records(*l);
	struct site_time now;
	int rc = sitedb_clock(p->opt->site, p->opt->clock, &now, err);

	if (rc == 0)
		rc = record_refs_list(p->store, ds->id, &refs, err);
	if (rc == 0)
		rc = aside_move(p->store, p->opt->site, &refs, keep, now.borne,
		    p->aside, moved, err);
	/* That nothing is behind it may be what is wrong. */
	if (rc == 0)
		rc = sitedb_restart(p->opt->site, ds->id, keep, now.borne, err);
	if (rc != 0)
		return rc;
	log_free(STEAL(*l));
	why->code = 0;
	return inspect(p, ds, l, why, err);
}

/*
 * What this machine has seen beyond that is given up. The change of the primary
 * explains it; but where what was seen was itself one of that number, nothing does.
 */
static int
give_up_seen(
    const struct promotion *p, const struct dataset *ds, struct err *err)
{
	AUTO(log) struct log *l = NULL;
	struct err why;

	if (log_load(p->access, ds, p->opt->heads, &l, &why) != ERR_CORRUPT)
		return 0;
	return heads_forget(p->opt->heads, ds->id, err);
}

static int
take_over(const struct promotion *p, struct log *l, struct err *err)
{
	int rc = 0;

	if (!is_done(p, l))
		rc = log_append_primary(l, p->site->name, p->site->id, err);
	if (rc == 0 && p->opt->up_to_readable && p->opt->heads != NULL)
		rc = give_up_seen(p, log_dataset(l), err);
	if (rc != 0)
		return rc;
	return store_set_left(p->store, log_dataset(l)->id, false, err);
}

static int
promote_dataset(struct promotion *p, const struct dataset *ds, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *l = NULL;
	struct promoted done = {.dataset = ds, .aside = p->aside};
	struct err why = {0};
	int rc = store_lock_promotion(p->store, ds->id, &lock, err);

	if (rc == 0)
		rc = inspect(p, ds, &l, &why, err);
	if (rc == 0 && why.code != 0 && can_be_cut(p, l, &why))
		rc = cut(p, ds, &l, &why, &done.moved, err);
	if (rc == 0)
		rc = why.code == 0
			 ? take_over(p, l, err)
			 : store_set_left(p->store, ds->id, true, err);
	if (rc != 0)
		return err_wrap(err, "dataset '%s'", ds->name);
	done.log = l;
	done.why = why.code != 0 ? &why : NULL;
	return p->visit(p->arg, &done, err);
}

/* --- all of them --------------------------------------------------------- */

typedef int each_fn(
    struct promotion *p, const struct dataset *ds, struct err *err);

/* Of a primary, those that were left. */
static int
each(struct promotion *p, each_fn *fn, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < access_datasets(p->access) && rc == 0; i++) {
		const struct dataset *ds = access_dataset(p->access, i);
		bool left = true;

		if (!p->replica)
			rc = store_left(p->store, ds->id, &left, err);
		if (rc == 0 && left)
			rc = fn(p, ds, err);
	}
	return rc;
}

/*
 * One whose keys this key can't have, for they are damaged or the dataset was
 * erased: should they come back, it is left like the others.
 */
static int
leave_unknown(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	const struct promotion *p = arg;

	for (size_t i = 0; i < access_datasets(p->access); i++)
		if (memcmp(access_dataset(p->access, i)->id, ref->dataset,
			STORE_DATASET_LEN) == 0)
			return 0;
	return store_set_left(p->store, ref->dataset, true, err);
}

static int
lift(struct promotion *p, struct err *err)
{
	int rc = store_list_datasets(p->store, leave_unknown, p, err);

	return rc != 0 ? rc : store_set_replica(p->store, NULL, err);
}

/* What can be said before anything is done. */
static int
refuse(struct promotion *p, struct err *err)
{
	int rc;

	if (p->sound > 0 || (p->replica && p->unfit == 0))
		return 0;
	if (p->unfit == 0)
		return err_set(err, ERR_USAGE,
		    "store '%s' is a primary already, and has taken every"
		    " dataset over",
		    store_address(p->store));
	if (!p->replica)
		return 0;
	rc = each(p, tell, err);
	if (rc != 0)
		return rc;
	return err_set(err, ERR_CORRUPT,
	    "of store '%s' no dataset can be taken over: it stays a replica,"
	    " and nothing was changed",
	    store_address(p->store));
}

int
promote_run(struct access *a, const struct promote_options *opt,
    promote_fn *visit, void *arg, struct err *err)
{
	struct site_request request;
	struct promotion p = {
	    .access = a,
	    .store = access_store(a),
	    .opt = opt,
	    .site = &request.site.pub,
	    .visit = visit,
	    .arg = arg,
	};
	char site[STORE_SITE_MAX];
	int rc;

	if ((rc = check(a, opt, err)) != 0 ||
	    (rc = store_replica(p.store, &p.replica, site, err)) != 0 ||
	    (rc = each(&p, look_at, err)) != 0 || (rc = refuse(&p, err)) != 0 ||
	    (rc = sitedir_peek(store_path(p.store), &request, err)) != 0)
		return rc;
	if (opt->dry_run)
		return each(&p, tell, err);
	aside_name(opt->clock, p.aside);
	rc = each(&p, promote_dataset, err);
	return rc != 0 || !p.replica ? rc : lift(&p, err);
}
