#include "snapshot/site/demote.h"

#include "snapshot/log/record.h"

#include <stdlib.h>
#include <string.h>

/* --- where the histories part ------------------------------------------- */

/* How many of the records the other store has: they are the first ones. */
static int
count_common(const struct record_refs *r, const struct demote_other *other,
    uint64_t theirs, size_t *n, struct err *err)
{
	size_t low = 0, high = r->n;
	bool there;
	int rc;

	while (high > 0 && r->v[high - 1].seq > theirs)
		high--;
	/* Often all of them: ask for the newest first. */
	for (size_t at = high; low < high; at = low + (high - low + 1) / 2) {
		rc = other->has(other->arg, &r->v[at - 1], &there, err);
		if (rc != 0)
			return rc;
		if (there)
			low = at;
		else
			high = at - 1;
	}
	*n = low;
	return 0;
}

/* What can't be read is moved, too; it just isn't counted. */
static int
count_snapshots(struct store *s, const struct record_refs *r, size_t from,
    uint64_t *out, struct err *err)
{
	*out = 0;
	for (size_t i = from; i < r->n; i++) {
		struct record_clear clear;
		uint8_t *buf = NULL;
		struct err why;
		size_t len;
		int rc = store_get(s, &r->v[i], RECORD_MAX, &buf, &len, &why);

		if (rc == 0 && record_peek(buf, len, &clear, &why) == 0)
			*out += clear.head.type == RECORD_SNAPSHOT;
		free(buf);
		if (rc == ERR_NOMEM)
			return err_copy(err, &why);
	}
	return 0;
}

struct looking {
	struct store *store;
	const struct demote_other *other;
	struct demote_plan *plan;
};

static int
add_fork(struct demote_plan *p, const struct demote_fork *fork, struct err *err)
{
	void *v = reallocarray(p->forks, p->n + 1, sizeof(*p->forks));

	if (v == NULL)
		return err_nomem(err);
	p->forks = v;
	p->forks[p->n++] = *fork;
	return 0;
}

static int
look_at(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	const struct looking *l = arg;
	const struct demote_other *other = l->other;
	struct demote_fork fork = {0};
	RECORD_REFS_AUTO struct record_refs r = {0};
	size_t common = 0;
	int rc;

	rc = record_refs_list(l->store, ref->dataset, &r, err);
	if (rc == ERR_CORRUPT)
		return err_wrap(err,
		    "a log that can't be listed can't be compared: move away"
		    " what is in its place, and try again");
	if (rc != 0 || r.n == 0)
		return rc;
	memcpy(fork.dataset, ref->dataset, STORE_DATASET_LEN);
	fork.head = r.v[r.n - 1].seq;
	if ((rc = other->head(other->arg, ref->dataset, &fork.theirs, err)) !=
		0 ||
	    (rc = count_common(&r, other, fork.theirs, &common, err)) != 0 ||
	    (rc = count_snapshots(
		 l->store, &r, common, &fork.snapshots, err)) != 0)
		return rc;
	if (common > 0)
		fork.common = r.v[common - 1].seq;
	return add_fork(l->plan, &fork, err);
}

int
demote_look(struct store *s, const struct demote_other *other,
    struct demote_plan *out, struct err *err)
{
	struct looking l = {s, other, out};
	int rc;

	*out = (struct demote_plan){0};
	rc = store_list_datasets(s, look_at, &l, err);
	if (rc != 0)
		demote_plan_clear(out);
	return rc;
}

/*
 * Of those that would lose nothing, one is enough. That there are more records is
 * not: a writer's key makes such, too.
 */
int
demote_ask(
    const struct demote_other *other, struct demote_plan *plan, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < plan->n; i++) {
		struct demote_fork *f = &plan->forks[i];
		int rc;

		f->taken = false;
		if (f->theirs <= f->common || (any && f->head == f->common))
			continue;
		rc = other->took_over(
		    other->arg, f->dataset, f->common, &f->taken, err);
		if (rc != 0)
			return rc;
		any |= f->taken;
	}
	return 0;
}

/* One that it knows nothing of can only be moved. */
static bool
is_behind(const struct demote_fork *f)
{
	return f->theirs > 0 && !f->taken && f->head > f->common;
}

int
demote_check(const struct demote_plan *plan, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < plan->n; i++)
		any |= plan->forks[i].taken;
	if (!any)
		return err_set(err, ERR_DENIED,
		    "the other store has taken nothing over: it is a replica,"
		    " or 'varve promote' was not finished there");
	for (size_t i = 0; i < plan->n; i++) {
		const struct demote_fork *f = &plan->forks[i];

		if (is_behind(f))
			return err_set(err, ERR_DENIED,
			    "the other store has not taken dataset"
			    " '%02x%02x%02x%02x...' over, of which record %ju"
			    " and those after it are only here: mend its log"
			    " there ('varve repair --from' this site), and run"
			    " 'varve promote' again there",
			    f->dataset[0], f->dataset[1], f->dataset[2],
			    f->dataset[3], (uintmax_t)f->common + 1);
	}
	return 0;
}

void
demote_plan_clear(struct demote_plan *p)
{
	free(p->forks);
	*p = (struct demote_plan){0};
}

/* --- going back to there ------------------------------------------------ */

static int
demote_dataset(struct store *s, struct sitedb *db,
    const struct demote_fork *fork, const struct site_time *now,
    const char *aside, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	RECORD_REFS_AUTO struct record_refs refs = {0};
	uint64_t moved;
	int rc =
	    store_lock_replica(s, fork->dataset, STORE_LOCK_APPEND, &lock, err);

	/* Of a replica, none is taken over. */
	if (rc == 0)
		rc = store_set_left(s, fork->dataset, false, err);
	if (rc == 0)
		rc = record_refs_list(s, fork->dataset, &refs, err);
	if (rc == 0)
		rc = aside_move(
		    s, db, &refs, fork->common, now->borne, aside, &moved, err);
	if (rc != 0)
		return rc;
	if (fork->common == 0)
		return 0;
	return sitedb_arrived(db, fork->dataset, fork->common, now->borne, err);
}

/* Who runs now would lose what it did: it can't publish it any more. */
static int
check_idle(struct store *s, const struct demote_fork *fork, struct err *err)
{
	static const enum store_lock_kind kinds[] = {
	    STORE_LOCK_RUN, STORE_LOCK_PRUNE};
	struct store_lock_state st;
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds) && rc == 0; i++) {
		rc = store_lock_look(s, fork->dataset, kinds[i], &st, err);
		if (rc == 0 && st.held)
			rc = err_set(err, ERR_LOCKED,
			    "a %s is running in store '%s': let it end first",
			    kinds[i] == STORE_LOCK_RUN ? "backup" : "prune",
			    store_address(s));
	}
	return rc;
}

int
demote_run(struct store *s, struct sitedir *site,
    const struct demote_plan *plan, int64_t clock, char aside[DEMOTE_ASIDE],
    struct err *err)
{
	struct site_time now;
	int rc;

	aside_name(clock, aside);
	for (size_t i = 0; i < plan->n; i++)
		if ((rc = check_idle(s, &plan->forks[i], err)) != 0)
			return rc;
	rc = sitedb_clock(sitedir_db(site), clock, &now, err);
	if (rc == 0)
		rc = store_set_replica(
		    s, sitedir_request(site)->site.pub.name, err);
	for (size_t i = 0; i < plan->n && rc == 0; i++)
		rc = demote_dataset(
		    s, sitedir_db(site), &plan->forks[i], &now, aside, err);
	return rc;
}
