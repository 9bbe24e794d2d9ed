/*
 * The record. Only now does anything go: until here, new packs and indexes lie
 * about that nothing refers to. While the log is locked, what was added to it
 * meanwhile is marked too, and whatever that needs is taken off the list.
 */
#include "snapshot/prune/prune_internal.h"

#include <stdlib.h>
#include <string.h>

/* Rounds before the lock is taken, so that little is left to do under it. */
#define ROUNDS 3

/* --- what was added meanwhile ------------------------------------------- */

static int
mark_new(struct prune *p, struct err *err)
{
	size_t n, count = log_count(p->log);
	const uint8_t(*indexes)[OBJECT_NAME_LEN] = log_indexes(p->log, &n);
	int rc = mark_indexes(&p->mark, indexes, n, err);

	p->mark.late = true;
	for (size_t i = count; rc == 0 && i > 0; i--) {
		const struct snapshot *s = log_snapshot(p->log, i - 1);

		if (s->seq <= p->seen)
			break;
		rc = mark_snapshot(&p->mark, s, true, err);
	}
	return rc;
}

int
prune_catch_up(struct prune *p, struct err *err)
{
	bool changed;
	int rc = log_refresh(p->log, &changed, err);

	if (rc == 0)
		rc = log_whole(p->log, err);
	if (rc != 0)
		return rc;
	if (prune_newest(p) == p->seen)
		return 0;
	rc = mark_new(p, err);
	p->seen = prune_newest(p);
	return rc;
}

/* --- the record --------------------------------------------------------- */

static bool
same_set(const struct prune *p)
{
	size_t n;
	const uint8_t(*now)[OBJECT_NAME_LEN] = log_indexes(p->log, &n);

	return n == p->set.n &&
	       (n == 0 || memcmp(now, p->set.v, n * sizeof(*now)) == 0);
}

static bool
same_sentence(const struct sentence *last, const struct condemned_list *list)
{
	if (last->clear.ncondemned != list->n)
		return false;
	for (size_t i = 0; i < list->n; i++) {
		struct condemned c = record_condemned(&last->clear, i);

		if (record_condemned_compare(&c, &list->v[i]) != 0 ||
		    c.gone != list->v[i].gone)
			return false;
	}
	return true;
}

static bool
any_back(const struct live *l)
{
	for (uint32_t i = 0; i < l->npacks; i++)
		if (l->packs[i].back)
			return true;
	return false;
}

static bool
set_moved(const struct prune *p)
{
	size_t n;
	const uint8_t(*now)[OBJECT_NAME_LEN] = log_indexes(p->log, &n);

	return n != p->were.n ||
	       (n > 0 && memcmp(now, p->were.v, n * sizeof(*now)) != 0);
}

static void
describe(const struct prune *p, struct record_prune *r)
{
	const struct prune_result *out = p->out;
	const struct live *l = &p->live;

	r->leaving_objects = out->leaving.n;
	r->leaving_bytes = out->leaving.bytes;
	r->written_packs = out->written.n;
	r->written_bytes = out->written.bytes;
	r->dead_bytes = out->kept_dead.bytes;
	for (uint32_t i = 0; i < l->npacks; i++)
		if (l->packs[i].fate != LIVE_KEEP)
			r->gone_chunks += l->packs[i].chunks - l->packs[i].live;
}

static int
append(struct prune *p, const struct condemned_list *list, struct err *err)
{
	const struct record_lists lists = {
	    .indexes = (const uint8_t(*)[OBJECT_NAME_LEN])p->set.v,
	    .nindexes = p->set.n,
	    .condemned = list->v,
	    .ncondemned = list->n,
	};
	struct record_prune r = {
	    .gone_objects = list->gone.n, .gone_bytes = list->gone.bytes};
	size_t before = log_records(p->log);
	int rc;

	describe(p, &r);
	rc = log_append_prune(p->log, &r, &lists, err);
	if (log_records(p->log) > before)
		p->out->record = prune_newest(p);
	return rc;
}

static int
commit_locked(struct prune *p, struct err *err)
{
	SENTENCE_AUTO struct sentence last = {0};
	struct condemned_list list = {0};
	int rc = prune_catch_up(p, err);

	if (rc == 0)
		rc = prune_learn(p, err);
	if (rc == 0 && (set_moved(p) || any_back(&p->live)))
		rc = rewrite_later(p, err);
	if (rc == 0)
		rc = sentence_last(p, &last, err);
	if (rc == 0)
		rc = condemn(p, &last, &list, err);
	if (rc == 0 && (!same_set(p) || !same_sentence(&last, &list)))
		rc = append(p, &list, err);
	free(list.v);
	/* From here on, what is learned are the packs that others rescue. */
	present_clear(&p->since);
	return rc;
}

int
prune_commit(struct prune *p, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	int rc = 0;

	for (int i = 0; rc == 0 && i < ROUNDS; i++)
		rc = prune_catch_up(p, err);
	if (rc == 0)
		rc = prune_stopped(p, err);
	if (rc == 0)
		rc = store_lock_dataset(
		    p->store, p->ds->id, STORE_LOCK_APPEND, &lock, err);
	return rc == 0 ? commit_locked(p, err) : rc;
}
