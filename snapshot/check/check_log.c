#include "snapshot/check/check_chain.h"
#include "snapshot/store/object_ref.h"

#include <stdlib.h>

/* --- listing ------------------------------------------------------------ */

/* Before listing: another process may add a record and remember it. */
static int
recall(struct chain *ch, struct err *err)
{
	struct heads *heads = ch->s->c->heads;
	struct err why;
	int rc = ERR_NOT_FOUND;

	if (heads != NULL)
		rc = heads_get(heads, ch->s->id, &ch->seen, &why);
	return rc == 0 || rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
}

/* --- the whole log ------------------------------------------------------ */

static bool
has_name(const struct chain *ch, uint64_t seq, const uint8_t *name)
{
	for (size_t i = ch->all.n; i > 0 && ch->all.v[i - 1].seq >= seq; i--)
		if (ch->all.v[i - 1].seq == seq &&
		    memcmp(ch->all.v[i - 1].name, name, OBJECT_NAME_LEN) == 0)
			return true;
	return false;
}

/* Whether an admin has said since then that another history counts. */
static bool
is_settled(const struct chain *ch)
{
	struct settlement st;

	return log_settled_since(ch->s->c->access, ch->s->id, &ch->seen, &st) &&
	       has_name(ch, st.seq, st.name);
}

static void
tell_lag(struct chain *ch)
{
	const struct log_behind b = {
	    .seen = ch->seen.seq,
	    .shown = chain_seq_before(ch, ch->all.n),
	    .any = ch->any,
	    .newest = ch->newest,
	};

	ch->behind = true;
	/* Without keys, log_gone() tells of those that have no record. */
	if (ch->all.n > 0 || ch->s->ds != NULL)
		check_lag(ch->s->c, ch->s->id, ch->s->ds, &b);
}

/*
 * Another primary's log need not hold what the one before it had; nor need a
 * replica hold yet what was seen elsewhere.
 */
static void
check_seen(struct chain *ch)
{
	uint64_t last = chain_seq_before(ch, ch->all.n);
	uint64_t seen = ch->seen.seq;
	struct object_ref ref;

	if (seen == 0 || has_name(ch, seen, ch->seen.name) || ch->moved ||
	    is_settled(ch))
		return;
	if (log_may_lag(ch->s->c->store, seen, last)) {
		tell_lag(ch);
		return;
	}
	ch->damaged = true;
	scope_ref(ch->s, OBJECT_LOG, ch->seen.name, &ref);
	ref.seq = seen;
	if (seen > last)
		check_say(ch->s->c, &ref,
		    "missing: this machine has seen it, the log ends at record "
		    "%ju",
		    (uintmax_t)last);
	else
		check_say(ch->s->c, &ref,
		    "missing: this machine has seen it, the log was rewritten");
}

/* Without keys, nothing says how late a snapshot's time is. */
static int
remember(const struct chain *ch, struct err *err)
{
	struct head_seen head = {
	    .seq = ch->all.n,
	    .changes = ch->changes,
	    .latest = INT64_MAX,
	};

	log_settled(ch->s->c->access, ch->s->id, &head.settled);
	memcpy(head.name, ch->all.v[ch->all.n - 1].name, OBJECT_NAME_LEN);
	return heads_set(ch->s->c->heads, ch->s->id, &head, err);
}

/*
 * What is left to check of a log whose records are sound is what loading it
 * finds, as everybody does who reads snapshots. It also remembers the head.
 */
static int
load_log(struct chain *ch, struct err *err)
{
	AUTO(log) struct log *log = NULL;
	struct scope *s = ch->s;
	struct err why;
	int rc;

	if (s->ds != NULL) {
		rc = log_load(s->c->access, s->ds, s->c->heads, &log, &why);
		if (rc == 0)
			rc = log_sound(log, &why);
		ch->damaged = rc != 0 && rc != ERR_DENIED;
		if (rc == ERR_DENIED)
			return 0;
		return check_unlisted(s->c, OBJECT_LOG, s->id, rc, &why, err);
	}
	if (s->c->heads == NULL || ch->all.n == 0 || ch->behind)
		return 0;
	return remember(ch, err);
}

/* Those that have expired need not be whole, nor be there. */
static void
drop_expired(struct scope *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->nsnapshots; i++) {
		if (s->snapshots[i]->expired == 0)
			s->snapshots[kept++] = s->snapshots[i];
		else
			snapshot_free(s->snapshots[i]);
	}
	s->nsnapshots = kept;
}

/* Of several records of one number the one that was seen is looked at first. */
static void
put_seen_first(struct chain *ch)
{
	size_t first = record_refs_find(&ch->all, ch->seen.seq);
	struct object_ref *v = ch->all.v;

	for (size_t i = first; i < ch->all.n && v[i].seq == ch->seen.seq; i++) {
		const struct object_ref ref = v[i];

		if (memcmp(ref.name, ch->seen.name, OBJECT_NAME_LEN) != 0)
			continue;
		v[i] = v[first];
		v[first] = ref;
		return;
	}
}

/*
 * Who was granted some epochs can't look into records of the others. To an admin
 * all are open, so what doesn't open has lost its key set, or never had one.
 */
static void
tell_closed(struct chain *ch)
{
	struct check *c = ch->s->c;
	const struct object_ref *first;

	if (ch->closed == 0)
		return;
	first = &ch->all.v[ch->first_closed];
	if (!access_is_admin(c->access)) {
		c->out->closed += ch->s->ds->may_read;
		return;
	}
	ch->damaged = true;
	if (ch->closed == 1)
		check_say(c, first,
		    "sealed under epoch %u, of which the store has no key set",
		    ch->closed_epoch);
	else
		check_say(c, first,
		    "sealed under epoch %u, of which the store has no key set; "
		    "%ju records after it don't open either",
		    ch->closed_epoch, (uintmax_t)ch->closed - 1);
}

static int
check_chain(struct chain *ch, struct err *err)
{
	int rc = 0;

	put_seen_first(ch);
	ch->alien = calloc(ch->all.n + 1, sizeof(*ch->alien));
	if (ch->alien == NULL)
		return err_nomem(err);
	for (size_t i = 0; rc == 0 && i < ch->all.n; i++)
		rc = chain_check(ch, i, err);
	if (rc != 0)
		return rc;
	tell_closed(ch);
	check_seen(ch);
	if (!ch->damaged)
		rc = load_log(ch, err);
	drop_expired(ch->s);
	ch->s->partial = ch->damaged;
	return rc;
}

int
check_log(struct scope *s, struct err *err)
{
	struct chain ch = {.s = s};
	struct err why;
	int rc = recall(&ch, err);

	if (rc == 0) {
		rc = record_refs_list(s->c->store, s->id, &ch.all, &why);
		s->partial = rc != 0;
		rc = rc == 0 ? check_chain(&ch, err)
			     : check_unlisted(
				   s->c, OBJECT_LOG, s->id, rc, &why, err);
	}
	record_refs_clear(&ch.all);
	free(ch.alien);
	return rc;
}
