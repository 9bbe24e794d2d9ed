/* A prune, pass by pass: one is enough but where the store is full. */
#include "snapshot/prune/prune_internal.h"

#include <string.h>

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
	int rc = prune_pass(p, err);

	*sum = *p->out;
	while (rc == 0 && !p->opt->dry_run && (room = room_now(p)) > 0) {
		const struct prune_count no_room = sum->no_room;
		struct err why = {0};

		next_pass(p, room);
		rc = prune_pass(p, &why);
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
