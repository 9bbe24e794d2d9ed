/*
 * A prune from start to end. Up to the record it only adds; from the record on
 * it only takes away what the record says.
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
check_may_prune(const struct prune *p, struct err *err)
{
	if (!access_is_admin(p->access) || !p->ds->may_read)
		return err_set(err, ERR_DENIED, "only an admin may prune");
	if (access_identity(p->access) == NULL)
		return err_set(err, ERR_DENIED,
		    "a prune is signed by a person or a host, and this key is "
		    "neither");
	return 0;
}

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

static int
prune_locked(struct prune *p, struct err *err)
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

/* --- pass by pass --------------------------------------------------------- */

/* But for what the next pass goes on with. */
static void
pass_clear(struct prune *p)
{
	mark_clear(&p->mark);
	live_clear(&p->live);
	present_clear(&p->packs);
	present_clear(&p->indexes);
	present_clear(&p->later);
	present_clear(&p->since);
	present_clear(&p->own);
	names_clear(&p->were);
	names_clear(&p->set);
	names_clear(&p->learned);
	log_free(p->log);
}

static void
add_count(struct prune_count *to, const struct prune_count *c)
{
	to->n += c->n;
	to->bytes += c->bytes;
}

/* What all passes have done; and what there was at first, and is now. */
static void
add_result(struct prune_result *sum, const struct prune_result *pass)
{
	struct prune_result r = *pass;

	r.dead_chunks = sum->dead_chunks;
	r.packs = sum->packs;
	r.damaged += sum->damaged;
	if (r.record == 0)
		r.record = sum->record;
	add_count(&r.dead, &sum->dead);
	add_count(&r.repacked, &sum->repacked);
	add_count(&r.merged, &sum->merged);
	add_count(&r.written, &sum->written);
	add_count(&r.indexes, &sum->indexes);
	add_count(&r.orphans, &sum->orphans);
	add_count(&r.removed, &sum->removed);
	*sum = r;
}

/*
 * How much the next pass may write: what is known to be free now, with an
 * eighth of it left to indexes and the record. 0: another would do no more, or
 * would fill the store while nothing may go.
 */
static uint64_t
room_now(const struct prune *p)
{
	const struct prune_result *r = p->out;
	uint64_t room = p->fitted + r->removed.bytes - p->removed;

	if (r->no_room.n == 0 || r->waiting.n > 0 ||
	    (!p->gave_up && r->repacked.n + r->merged.n == 0))
		return 0;
	if (!p->gave_up && p->room > r->written.bytes)
		room += p->room - r->written.bytes;
	/* It had less than was thought: others write, too. */
	if (p->gave_up && p->room != PRUNE_ROOM_ANY && room > p->room / 2)
		room = p->room / 2;
	room -= room / 8;
	return room < p->least ? 0 : room;
}

static void
next_pass(struct prune *p, uint64_t room)
{
	struct prune_result *out = p->out;

	pass_clear(p);
	*p = (struct prune){.access = p->access,
	    .ds = p->ds,
	    .heads = p->heads,
	    .opt = p->opt,
	    .out = out,
	    .store = p->store,
	    .lock = p->lock,
	    .room = room,
	    .told = p->told};
	memset(out, 0, sizeof(*out));
}

/* Without room to repack all at once, it takes as many passes as need be. */
static int
prune_passes(struct prune *p, struct prune_result *sum, struct err *err)
{
	uint64_t room;
	int rc = prune_locked(p, err);

	*sum = *p->out;
	while (rc == 0 && !p->opt->dry_run && (room = room_now(p)) > 0) {
		const struct prune_count no_room = sum->no_room;
		struct err why = {0};

		next_pass(p, room);
		rc = prune_locked(p, &why);
		add_result(sum, p->out);
		/* What the passes before have given back is given back. */
		if (rc == ERR_FULL) {
			sum->no_room = no_room;
			return 0;
		}
		if (rc != 0)
			return err_copy(err, &why);
	}
	if (rc == ERR_FULL)
		return err_wrap(err,
		    "what goes is recorded first, and there is no room for it: "
		    "free some, and prune again");
	return rc;
}

int
prune_run(struct access *a, const struct dataset *ds, struct heads *heads,
    const struct prune_options *opt, struct prune_result *out, struct err *err)
{
	struct prune_result pass = {0};
	struct prune p = {.access = a,
	    .ds = ds,
	    .heads = heads,
	    .opt = opt,
	    .out = &pass,
	    .store = access_store(a),
	    .room = PRUNE_ROOM_ANY};
	int rc;

	memset(out, 0, sizeof(*out));
	rc = check_may_prune(&p, err);
	if (rc == 0 && !opt->dry_run)
		rc = store_lock_dataset(
		    p.store, ds->id, STORE_LOCK_PRUNE, &p.lock, err);
	if (rc == 0)
		rc = prune_passes(&p, out, err);
	pass_clear(&p);
	names_clear(&p.told);
	store_unlock(p.lock);
	return rc;
}
