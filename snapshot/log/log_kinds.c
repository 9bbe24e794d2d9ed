#include "snapshot/log/log_internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * Records other than snapshots. Those that move no chunks have the index set of
 * the record before.
 */

static int
new_record(enum record_type type, struct record **out, struct err *err)
{
	struct record *r = calloc(1, sizeof(*r));

	*out = r;
	if (r == NULL)
		return err_nomem(err);
	r->head.type = type;
	r->open = true;
	return 0;
}

static int
set_text(char **to, const char *from, struct err *err)
{
	*to = strdup(from);
	return *to == NULL ? err_nomem(err) : 0;
}

static int
append_moving_nothing(struct log *l, struct record *r, struct err *err)
{
	struct record_lists lists = {0};

	lists.indexes = log_indexes(l, &lists.nindexes);
	return log_append_record(l, r, &lists, err);
}

static void
name_target(struct record_target *t, const struct snapshot *s)
{
	t->seq = s->seq;
	memcpy(t->id, s->id, OBJECT_NAME_LEN);
}

/* A caller who names what the log would not take back must hear it now. */
static int
check_target(const struct log *l, const struct snapshot *s, struct err *err)
{
	const struct record *r = log_record_at(l, s->seq);

	if (r == NULL || !r->open || r->head.type != RECORD_SNAPSHOT ||
	    r->snapshot != s)
		return err_set(err, ERR_BUG,
		    "record %ju is no snapshot of this log", (uintmax_t)s->seq);
	if (s->expired != 0)
		return err_set(err, ERR_USAGE,
		    "the snapshot of record %ju has expired already",
		    (uintmax_t)s->seq);
	return 0;
}

/* --- expire -------------------------------------------------------------- */

static int
fill_expire(const struct log *l, const struct snapshot *const *snapshots,
    size_t n, struct record_expire *e, struct err *err)
{
	e->targets = calloc(n, sizeof(*e->targets));
	if (e->targets == NULL)
		return err_nomem(err);
	for (e->n = 0; e->n < n; e->n++) {
		const struct snapshot *s = snapshots[e->n];
		int rc = check_target(l, s, err);

		if (rc != 0)
			return rc;
		if (s->held != 0)
			return err_set(err, ERR_USAGE,
			    "the snapshot of record %ju is held: release it"
			    " first",
			    (uintmax_t)s->seq);
		name_target(&e->targets[e->n], s);
	}
	return 0;
}

int
log_append_expire(struct log *l, const struct snapshot *const *snapshots,
    size_t n, const char *why, struct err *err)
{
	AUTO(record) struct record *r = NULL;
	int rc;

	if (n == 0)
		return err_set(err, ERR_BUG, "nothing to expire");
	rc = new_record(RECORD_EXPIRE, &r, err);
	if (rc == 0)
		rc = fill_expire(l, snapshots, n, &r->expire, err);
	if (rc == 0)
		rc = set_text(&r->expire.why, why, err);
	return rc != 0 ? rc : append_moving_nothing(l, STEAL(r), err);
}

/* --- hold ---------------------------------------------------------------- */

int
log_append_hold(struct log *l, const struct snapshot *s, bool on,
    const char *why, struct err *err)
{
	AUTO(record) struct record *r = NULL;
	int rc = check_target(l, s, err);

	if (rc == 0)
		rc = new_record(RECORD_HOLD, &r, err);
	if (rc == 0)
		rc = set_text(&r->hold.why, why, err);
	if (rc != 0)
		return rc;
	name_target(&r->hold.target, s);
	r->hold.on = on;
	return append_moving_nothing(l, STEAL(r), err);
}

/* --- rules --------------------------------------------------------------- */

int
log_append_rules(struct log *l, const struct rules *rules, struct err *err)
{
	struct record *r;
	int rc = new_record(RECORD_RULES, &r, err);

	if (rc != 0)
		return rc;
	r->rules = *rules;
	return append_moving_nothing(l, r, err);
}

/* --- prune --------------------------------------------------------------- */

int
log_append_prune(struct log *l, const struct record_prune *prune,
    const struct record_lists *lists, struct err *err)
{
	struct record *r;
	int rc = new_record(RECORD_PRUNE, &r, err);

	if (rc != 0)
		return rc;
	r->prune = *prune;
	return log_append_record(l, r, lists, err);
}

/* --- primary ------------------------------------------------------------- */

int
log_append_primary(struct log *l, const char *site,
    const uint8_t id[IDENTITY_ID_LEN], struct err *err)
{
	AUTO(record) struct record *r = NULL;
	int rc = new_record(RECORD_PRIMARY, &r, err);

	if (rc == 0)
		rc = set_text(&r->primary.site, site, err);
	if (rc != 0)
		return rc;
	memcpy(r->primary.id, id, IDENTITY_ID_LEN);
	r->primary.change = l->changes + 1;
	return append_moving_nothing(l, STEAL(r), err);
}
