#include "snapshot/log/log_internal.h"

#include <stdlib.h>
#include <string.h>

int
log_remember(struct log *l, struct err *err)
{
	const struct head_seen *before = &l->recalled;
	struct head_seen head = {
	    .seq = log_number(l),
	    .changes = l->changes,
	    .latest = log_latest(l),
	    .next_ino = l->hidden == 0 ? l->next_ino : 0,
	    .settled = l->settled,
	};

	if (l->gap != NULL && before->seq > 0) {
		if (head.changes < before->changes)
			head.changes = before->changes;
		if (head.latest < before->latest)
			head.latest = before->latest;
	}

	if (l->heads == NULL || l->nrecords == 0)
		return 0;
	memcpy(head.name, l->records[l->nrecords - 1]->name, OBJECT_NAME_LEN);
	return heads_set(l->heads, l->ds->id, &head, err);
}

/* --- another primary ----------------------------------------------------- */

/*
 * The change that this machine has not seen, and that what it saw gave way to.
 */
static const struct record *
find_change(const struct log *l, const struct head_seen *lost)
{
	for (size_t i = 0; i < l->nrecords; i++) {
		const struct record *r = l->records[i];

		if (r->open && r->head.type == RECORD_PRIMARY &&
		    r->primary.change > lost->changes)
			return r->head.seq <= lost->seq ? r : NULL;
	}
	return NULL;
}

/* Whether an admin has said, since it was seen, that another counts. */
static bool
is_settled(const struct log *l, const struct head_seen *lost)
{
	const struct record *r;
	struct settlement st;

	if (!log_settled_since(l->access, l->ds->id, lost, &st))
		return false;
	r = log_record_at(l, st.seq);
	return r != NULL && !r->lost &&
	       memcmp(r->name, st.name, OBJECT_NAME_LEN) == 0;
}

/*
 * The end of the log lies before what was seen, so it can't be told whether the
 * one goes on to the other: a replica is read all the same, and tells of it.
 */
static int
accept_lag(struct log *l, const struct log_list *list, struct err *err)
{
	uint64_t seen = list->lost.seq;
	uint64_t shown = record_refs_last(&list->all);

	if (!log_may_lag(access_store(l->access), seen, shown))
		return err_copy(err, &list->why);
	l->behind = (struct log_behind){.seen = seen, .shown = shown};
	return 0;
}

/*
 * A record that was seen may be missing only where the primary changed, an
 * admin has settled which of two histories counts, or a replica has yet to get
 * it.
 */
static int
accept_loss(struct log *l, const struct log_list *list, struct err *err)
{
	const struct record *r;

	if (list->lost.seq == 0)
		return 0;
	r = find_change(l, &list->lost);
	if (r == NULL && is_settled(l, &list->lost)) {
		(void)err_set(&l->warning, ERR_CORRUPT,
		    "an admin has settled that another history of dataset '%s'"
		    " counts than this machine saw up to record %ju",
		    l->ds->name, (uintmax_t)list->lost.seq);
		return 0;
	}
	if (r == NULL)
		return accept_lag(l, list, err);
	(void)err_set(&l->warning, ERR_CORRUPT,
	    "dataset '%s' has another primary, '%s', from record %ju on: what"
	    " this machine saw of its log from there to record %ju is not in"
	    " this store",
	    l->ds->name, r->primary.site, (uintmax_t)r->head.seq,
	    (uintmax_t)list->lost.seq);
	return 0;
}

/* --- the whole ------------------------------------------------------------ */

/* Where nothing follows what was seen, without regard to that. */
static int
read_all(struct log *l, struct log_list *list, struct err *err)
{
	size_t before = l->nrecords;
	int rc = log_read(l, list, err);

	if (rc != 0 || !list->passed || log_number(l) >= list->seen.seq)
		return rc;
	log_truncate(l, before);
	l->damage.code = 0;
	log_list_lose(list);
	return log_read(l, list, err);
}

/*
 * What lies behind a gap that begins behind what was seen does not show that it
 * follows that. It is read, but not remembered in its place; nor is the log of a
 * replica that is behind, whatever has been settled meanwhile.
 */
static bool
is_to_remember(const struct log *l, const struct log_list *list)
{
	if (l->behind.seen != 0 || log_number(l) < list->seen.seq)
		return false;
	for (size_t i = l->nrecords; l->gap != NULL && i > 0; i--) {
		const struct record *r = l->records[i - 1];

		if (r->head.seq <= list->seen.seq)
			break;
		if (r->lost)
			return false;
	}
	return true;
}

/*
 * Until the newest is found to be signed, none of them counts. A log of which
 * nothing can be used is no empty log; nor does one count that falls short of
 * what was seen, unless the rest is there, and its bytes are damaged.
 */
static int
read_listed(struct log *l, struct log_list *list, struct err *err)
{
	size_t before = l->nrecords;
	int rc = read_all(l, list, err);
	bool short_of = log_number(l) < list->seen.seq;

	l->behind = (struct log_behind){0};
	if (rc == 0 && l->damage.code != 0 &&
	    (l->nrecords == 0 || (short_of && !l->end_lost)))
		rc = err_copy(err, &l->damage);
	if (rc == 0)
		rc = accept_loss(l, list, err);
	if (rc == 0 && l->nrecords > before && is_to_remember(l, list))
		rc = log_remember(l, err);
	log_settle(l);
	if (l->behind.seen != 0 && log_head(l) != NULL) {
		l->behind.any = true;
		l->behind.newest = log_head(l)->time;
	}
	return rc;
}

static int
read_news(struct log *l, struct err *err)
{
	LOG_LIST_AUTO struct log_list list = {0};
	const struct err damage = l->damage;
	const struct log_behind behind = l->behind;
	size_t before = l->nrecords;
	int rc = log_list_read(l, &list, err);

	if (rc != 0)
		return rc;
	l->damage.code = 0;
	rc = read_listed(l, &list, err);
	if (rc != 0) {
		log_truncate(l, before);
		l->damage = damage;
		l->behind = behind;
	}
	return rc;
}

int
log_refresh(struct log *l, bool *changed, struct err *err)
{
	size_t before = l->nrecords;
	uint64_t mark = 0;
	int rc = 0;

	*changed = false;
	if (l->marked)
		rc = store_log_mark(
		    access_store(l->access), l->ds->id, &mark, err);
	if (rc != 0 || (l->marked && mark == l->mark))
		return rc;
	rc = read_news(l, err);
	if (rc != 0)
		return rc;
	/* A damaged end is looked at again: its signer's grant may arrive. */
	if (l->damage.code == 0)
		l->mark = mark;
	*changed = l->nrecords != before;
	return 0;
}

static int
log_new(struct access *a, const struct dataset *ds, struct heads *heads,
    struct log **out, struct err *err)
{
	AUTO(log) struct log *l = calloc(1, sizeof(*l));

	*out = NULL;
	if (l == NULL)
		return err_nomem(err);
	l->access = a;
	l->ds = ds;
	l->heads = heads;
	log_settled(a, ds->id, &l->settled);
	log_numbers_reset(l);
	*out = STEAL(l);
	return 0;
}

int
log_load(struct access *a, const struct dataset *ds, struct heads *heads,
    struct log **out, struct err *err)
{
	AUTO(log) struct log *l = NULL;
	int rc = log_new(a, ds, heads, &l, err);

	*out = NULL;
	/* First: what is added meanwhile shows at the next refresh. */
	if (rc == 0)
		rc = store_log_mark(access_store(a), ds->id, &l->mark, err);
	if (rc == 0) {
		l->marked = true;
		rc = read_news(l, err);
	}
	if (rc != 0)
		return rc;
	*out = STEAL(l);
	return 0;
}

/* --- a tail --------------------------------------------------------------- */

#define TAIL_MIN 8    /* records to look at first for a snapshot ... */
#define TAIL_GROWTH 8 /* ... and how many times as many then */

/* The last ${back} of those that were seen, and all after them. */
static int
read_tail(struct log *l, struct log_list *list, uint64_t back, struct err *err)
{
	uint64_t seen = list->seen.seq;

	log_truncate(l, 0);
	l->damage.code = 0;
	l->base = seen > back ? seen - back : 0;
	if (l->base > 0)
		l->known = list->seen;
	else
		memset(&l->known, 0, sizeof(l->known));
	l->changes = l->known.changes;
	log_numbers_reset(l);
	return read_listed(l, list, err);
}

int
log_load_tail(struct access *a, const struct dataset *ds, struct heads *heads,
    struct log **out, struct err *err)
{
	LOG_LIST_AUTO struct log_list list = {0};
	AUTO(log) struct log *l = NULL;
	uint64_t back = TAIL_MIN;
	int rc = log_new(a, ds, heads, &l, err);

	*out = NULL;
	if (rc == 0)
		rc = log_list_read(l, &list, err);
	/* What is not as it should be, or not known, takes a look at all of it. */
	if (rc == 0 &&
	    (!record_refs_plain(&list.all) || list.seen.next_ino == 0))
		back = UINT64_MAX;
	while (rc == 0) {
		rc = read_tail(l, &list, back, err);
		if (rc != 0 || l->base == 0 || l->nsnapshots > 0)
			break;
		back *= TAIL_GROWTH;
	}
	if (rc != 0)
		return rc;
	*out = STEAL(l);
	return 0;
}
