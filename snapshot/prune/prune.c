/*
 * One pass of a prune, from start to end. Up to the record it only adds; from the
 * record on it only takes away what the record says.
 */
#include "snapshot/prune/prune_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- what the files share ----------------------------------------------- */

int
prune_stopped(const struct prune *p, struct err *err)
{
	if (p->opt->stop != NULL && atomic_load(p->opt->stop))
		return err_set(err, ERR_CANCELLED, "stopped");
	return 0;
}

void
prune_step(const struct prune *p, enum prune_step step)
{
	if (p->opt->on_step != NULL)
		p->opt->on_step(p->opt->arg, step);
}

void
prune_add(struct prune_count *c, uint64_t bytes)
{
	c->n++;
	c->bytes += bytes;
}

void
prune_ref(const struct prune *p, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], struct object_ref *ref)
{
	*ref = (struct object_ref){.cls = cls};
	memcpy(ref->dataset, p->ds->id, sizeof(ref->dataset));
	memcpy(ref->name, name, sizeof(ref->name));
}

uint64_t
prune_newest(const struct prune *p)
{
	size_t n = log_records(p->log);

	return n == 0 ? 0 : log_record(p->log, n - 1)->head.seq;
}

int
names_add(
    struct names *names, const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	if (names->n == names->cap) {
		size_t cap = names->cap == 0 ? 16 : 2 * names->cap;
		uint8_t(*v)[OBJECT_NAME_LEN] =
		    reallocarray(names->v, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		names->v = v;
		names->cap = cap;
	}
	memcpy(names->v[names->n++], name, OBJECT_NAME_LEN);
	return 0;
}

bool
names_have(const struct names *names, const uint8_t name[OBJECT_NAME_LEN])
{
	for (size_t i = 0; i < names->n; i++)
		if (memcmp(names->v[i], name, OBJECT_NAME_LEN) == 0)
			return true;
	return false;
}

void
names_clear(struct names *names)
{
	free(names->v);
	memset(names, 0, sizeof(*names));
}

/* --- beginning ---------------------------------------------------------- */

static int
list_objects(struct prune *p, struct err *err)
{
	int rc;

	present_clear(&p->packs);
	present_clear(&p->indexes);
	rc = present_list(&p->packs, p->store, OBJECT_PACK, p->ds->id, err);
	if (rc == 0)
		rc = present_list(
		    &p->indexes, p->store, OBJECT_INDEX, p->ds->id, err);
	return rc;
}

/*
 * Until the log is the same before and after the look for a running backup.
 * Then all that its records need was there to be listed, and whoever begins
 * after the look knows at least what is known here.
 */
static int
settle(struct prune *p, struct err *err)
{
	bool changed = true;
	int rc = 0;

	while (rc == 0 && changed) {
		rc = list_objects(p, err);
		if (rc == 0 && p->lock != NULL)
			rc = prune_running(p, err);
		else if (rc == 0)
			rc =
			    running_look(p->store, p->ds->id, &p->running, err);
		if (rc == 0)
			rc = log_refresh(p->log, &changed, err);
	}
	if (rc == 0 && log_whole(p->log, err) != 0)
		rc = err_wrap(err, "what is still needed is not known");
	p->alone = !p->running.any;
	p->seen = prune_newest(p);
	return rc;
}

static int
begin(struct prune *p, struct err *err)
{
	const uint8_t(*indexes)[OBJECT_NAME_LEN];
	size_t n;
	int rc = log_load(p->access, p->ds, p->heads, &p->log, err);

	if (rc == 0)
		rc = settle(p, err);
	if (rc != 0)
		return rc;
	indexes = log_indexes(p->log, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = names_add(&p->were, indexes[i], err);
	p->live.store = p->store;
	p->live.kr = p->ds->keys;
	memcpy(p->live.dataset, p->ds->id, sizeof(p->live.dataset));
	if (rc == 0)
		rc = live_open(&p->live, indexes, n, &p->packs, err);
	return rc == 0 ? open_dropped(p, err) : rc;
}

/* --- marking ------------------------------------------------------------ */

/* What a running backup builds on may have expired since it began. */
static const struct snapshot *
base_of_running(const struct prune *p)
{
	if (!p->running.told)
		return NULL;
	for (size_t i = log_records(p->log); i > 0; i--) {
		const struct record *r = log_record(p->log, i - 1);

		if (r->head.type == RECORD_SNAPSHOT && r->open &&
		    memcmp(r->name, p->running.base, OBJECT_NAME_LEN) == 0)
			return r->snapshot;
	}
	return NULL;
}

static int
mark_all(struct prune *p, struct err *err)
{
	size_t n = log_count(p->log);
	const struct snapshot *base = base_of_running(p);
	int rc = 0;

	p->out->snapshots = n;
	if (p->opt->progress != NULL)
		p->opt->progress->snapshots_total = n + (base != NULL);
	for (size_t i = n; rc == 0 && i > 0; i--)
		rc = mark_snapshot(
		    &p->mark, log_snapshot(p->log, i - 1), i == n, err);
	if (rc == 0 && base != NULL)
		rc = mark_snapshot(&p->mark, base, false, err);
	return rc == 0 ? mark_finish(&p->mark, err) : rc;
}

static int
find_out(struct prune *p, struct err *err)
{
	int rc = mark_init(&p->mark, &p->live, p->opt, err);

	if (rc == 0)
		rc = mark_indexes(&p->mark,
		    (const uint8_t(*)[OBJECT_NAME_LEN])p->were.v, p->were.n,
		    err);
	if (rc == 0)
		rc = mark_all(p, err);
	if (rc == 0)
		rc = live_count(&p->live, err);
	if (rc == 0)
		rc = plan_packs(p, err);
	if (rc == 0)
		prune_step(p, PRUNE_MARKED);
	return rc;
}

/* --- the whole ---------------------------------------------------------- */

static int
take_away(struct prune *p, struct err *err)
{
	int rc = prune_look_around(p, err);

	if (rc == 0)
		rc = remove_condemned(p, err);
	if (rc == 0)
		rc = remove_orphans(p, err);
	if (rc == 0)
		prune_step(p, PRUNE_REMOVED);
	return rc;
}

/*
 * The store is full. People prune when it is, so what nobody needs has to go
 * without the room that a repack takes.
 */
static int
give_up_repack(struct prune *p, struct err *err)
{
	int rc = undo_repack(p, &p->fitted, err);

	p->gave_up = true;
	plan_no_repack(p);
	return rc == 0 ? rewrite_indexes(p, err) : rc;
}

static int
write_anew(struct prune *p, struct err *err)
{
	bool repacks = p->out->repacked.n + p->out->merged.n > 0;
	struct err why = {0};
	int rc;

	p->removed = p->out->removed.bytes;
	rc = repack_packs(p, &why);
	if (rc == 0)
		rc = rewrite_indexes(p, &why);
	if (rc == ERR_FULL && repacks)
		rc = give_up_repack(p, &why);
	if (rc == 0)
		prune_step(p, PRUNE_WRITTEN);
	return rc == 0 ? 0 : err_copy(err, &why);
}

int
prune_pass(struct prune *p, struct err *err)
{
	int rc = begin(p, err);

	if (rc != 0)
		return rc;
	prune_step(p, PRUNE_BEGUN);
	if (p->opt->dry_run)
		return find_out(p, err);
	rc = remove_condemned(p, err);
	if (rc != 0)
		return rc;
	prune_step(p, PRUNE_FINISHED);
	rc = find_out(p, err);
	if (rc != 0 || p->out->lost_chunks > 0)
		return rc;
	rc = write_anew(p, err);
	if (rc == 0)
		rc = prune_commit(p, err);
	if (rc != 0)
		return rc;
	prune_step(p, PRUNE_CONDEMNED);
	return take_away(p, err);
}
