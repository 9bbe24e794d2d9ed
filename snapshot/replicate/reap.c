#include "snapshot/replicate/reap.h"

#include "snapshot/content/index.h"
#include "snapshot/content/name_set.h"
#include "snapshot/log/log.h"
#include "snapshot/replicate/doomed.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a dataset's log says, as far as it was read. */
struct doom {
	struct reap_log {
		uint8_t dataset[STORE_DATASET_LEN];
		uint64_t mark;
		int64_t next; /* nothing may go before */
		uint64_t kept, kept_bytes;
	} log;
	struct store *store;
	struct doomed_set set;
	size_t prunes;
	uint64_t snapshot;       /* seq of the newest so far */
	struct name_set indexes; /* of the record before */
	/* Of the newest prune record's set, and of all sets after it. */
	struct name_set current;
	bool any;   /* a prune record has come */
	bool blind; /* one of the current ones isn't here */
};

struct reaper {
	struct reap_log *logs;
	size_t n;
};

int
reaper_new(struct reaper **out, struct err *err)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? 0 : err_nomem(err);
}

void
reaper_free(struct reaper *r)
{
	if (r == NULL)
		return;
	free(r->logs);
	free(r);
}

static void
doom_clear(struct doom *d)
{
	doomed_clear(&d->set);
	name_set_clear(&d->indexes);
	name_set_clear(&d->current);
}

/* --- reading the log ---------------------------------------------------- */

static int
on_prune(struct doom *d, const struct record_clear *clear, struct err *err)
{
	d->prunes++;
	d->any = true;
	name_set_clear(&d->current);
	for (size_t i = 0; i < clear->ncondemned; i++) {
		struct condemned c = record_condemned(clear, i);
		struct doomed *o = doomed_find(&d->set, c.cls, c.name);
		int rc =
		    o == NULL ? doomed_add(&d->set, c.cls, c.name, &o, err) : 0;

		if (rc != 0)
			return rc;
		/* A new row. */
		if (o->listed == 0 || o->listed != d->prunes - 1) {
			o->since = clear->head.seq;
			o->newest = d->snapshot;
		}
		o->listed = d->prunes;
		o->gone = c.gone;
	}
	return 0;
}

/* A pack that a snapshot's own index lists: it has been taken up again. */
static int
rescue(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, UNUSED struct err *err)
{
	const struct doom *d = arg;
	struct doomed *o = doomed_find(&d->set, OBJECT_PACK, ref->name);

	if (o != NULL) {
		o->listed = 0;
		o->gone = false;
	}
	return 0;
}

static int
peek(struct doom *d, const uint8_t name[OBJECT_NAME_LEN],
    index_listed_fn *visit, struct err *err)
{
	struct object_ref ref = {.cls = OBJECT_INDEX};

	memcpy(ref.dataset, d->log.dataset, STORE_DATASET_LEN);
	memcpy(ref.name, name, OBJECT_NAME_LEN);
	return index_peek(d->store, &ref, visit, d, err);
}

/* An index that is no longer here lists nothing that could be rescued by it. */
static int
on_snapshot(struct doom *d, const struct record_clear *clear, struct err *err)
{
	d->snapshot = clear->head.seq;
	for (size_t i = 0; d->any && i < clear->nindexes; i++) {
		struct chunk_name name;
		struct doomed *o;
		int rc;

		memcpy(&name, clear->indexes[i], sizeof(name));
		if (name_set_has(&d->indexes, &name))
			continue;
		o = doomed_find(&d->set, OBJECT_INDEX, clear->indexes[i]);
		if (o != NULL) {
			o->listed = 0;
			o->gone = false;
		}
		rc = peek(d, clear->indexes[i], rescue, err);
		if (rc != 0 && rc != ERR_NOT_FOUND)
			return rc;
	}
	return 0;
}

static int
remember_indexes(
    struct doom *d, const struct record_clear *clear, struct err *err)
{
	int rc = 0;

	name_set_clear(&d->indexes);
	for (size_t i = 0; i < clear->nindexes && rc >= 0; i++) {
		struct chunk_name name;

		memcpy(&name, clear->indexes[i], sizeof(name));
		rc = name_set_add(&d->indexes, &name, err);
		if (rc >= 0 && d->any)
			rc = name_set_add(&d->current, &name, err);
	}
	return rc < 0 ? rc : 0;
}

/* Signed by who may, every one was taken; so only the words matter here. */
static int
on_record(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct doom *d = arg;
	struct record_clear clear;
	uint8_t *buf;
	size_t len;
	int rc = store_get(d->store, ref, RECORD_MAX, &buf, &len, err);

	if (rc != 0)
		return rc;
	rc = record_peek(buf, len, &clear, err);
	if (rc == 0 && clear.head.type == RECORD_PRUNE)
		rc = on_prune(d, &clear, err);
	else if (rc == 0 && clear.head.type == RECORD_SNAPSHOT)
		rc = on_snapshot(d, &clear, err);
	if (rc == 0)
		rc = remember_indexes(d, &clear, err);
	free(buf);
	return rc;
}

/* --- what is still needed ----------------------------------------------- */

static int
mark_needed(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    UNUSED enum pack_kind kind, UNUSED struct err *err)
{
	const struct doom *d = arg;
	struct doomed *o = doomed_find(&d->set, OBJECT_PACK, ref->name);

	if (o != NULL)
		o->needed = true;
	return 0;
}

/*
 * What a writer's record says takes nothing off the list: an admin's set counts
 * until another admin's takes its place. While one of these indexes is not
 * here, nobody knows what it needs.
 */
static int
find_needed(struct doom *d, struct err *err)
{
	static const struct chunk_name none;
	int rc = 0;

	for (size_t i = 0; i < d->current.cap && rc == 0; i++) {
		const struct chunk_name *name = &d->current.slots[i];
		struct doomed *o;
		uint8_t index[OBJECT_NAME_LEN];

		if (memcmp(name, &none, sizeof(none)) == 0)
			continue;
		memcpy(index, name, sizeof(index));
		o = doomed_find(&d->set, OBJECT_INDEX, index);
		if (o != NULL)
			o->needed = true;
		rc = peek(d, index, mark_needed, err);
		if (rc == ERR_NOT_FOUND) {
			d->blind = true;
			rc = 0;
		}
	}
	return rc;
}

/* --- removing ----------------------------------------------------------- */

/* When an object may go; what isn't known to have come, comes now. */
static int
due(struct sitedb *db, const struct doom *d, const struct doomed *o,
    int64_t now, int64_t lock, int64_t *out, struct err *err)
{
	uint64_t seq = o->newest != 0 ? o->newest : o->since;
	int64_t arrived = now;
	int rc = sitedb_arrival(db, d->log.dataset, seq, &arrived, err);

	if (rc == ERR_NOT_FOUND) {
		arrived = now;
		rc = sitedb_arrived(db, d->log.dataset, seq, now, err);
	}
	*out = arrived + lock;
	return rc;
}

static int
remove_one(struct doom *d, const struct doomed *o, int64_t when,
    const struct site_time *now, struct reap_result *out, struct err *err)
{
	struct object_ref ref = {.cls = o->cls};
	uint64_t size;
	int rc;

	memcpy(ref.dataset, d->log.dataset, STORE_DATASET_LEN);
	memcpy(ref.name, o->name, OBJECT_NAME_LEN);
	rc = store_size(d->store, &ref, &size, err);
	if (rc != 0)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	if (d->blind || now->behind || now->now < when) {
		d->log.kept++;
		d->log.kept_bytes += size;
		/* What is not here yet comes with a new record. */
		if (!d->blind && when < d->log.next)
			d->log.next = when;
		return 0;
	}
	rc = store_remove(d->store, &ref, err);
	if (rc == ERR_NOT_FOUND)
		return 0;
	out->removed += rc == 0;
	out->removed_bytes += rc == 0 ? size : 0;
	return rc;
}

/* By the newest prune record: what older ones said may be overruled. */
static bool
is_gone(const struct doom *d, const struct doomed *o)
{
	return o->gone && !o->needed && o->listed == d->prunes;
}

static int
remove_due(struct party *p, struct doom *d, const struct site_time *now,
    struct reap_result *out, struct err *err)
{
	struct sitedb *db = sitedir_db(p->site);
	int64_t lock, when;
	int rc = sitedb_lock(db, &lock, err);

	d->log.next = INT64_MAX;
	for (size_t i = 0; i < d->set.n && rc == 0; i++) {
		const struct doomed *o = d->set.all[i];

		if (!is_gone(d, o))
			continue;
		rc = due(db, d, o, now->now, lock, &when, err);
		if (rc == 0)
			rc = remove_one(d, o, when, now, out, err);
	}
	return rc;
}

/* --- a dataset ---------------------------------------------------------- */

static int
find_log(struct reaper *r, const uint8_t dataset[STORE_DATASET_LEN],
    struct reap_log **out, struct err *err)
{
	struct reap_log *v;

	for (size_t i = 0; i < r->n; i++) {
		*out = &r->logs[i];
		if (memcmp((*out)->dataset, dataset, STORE_DATASET_LEN) == 0)
			return 0;
	}
	v = reallocarray(r->logs, r->n + 1, sizeof(*v));
	if (v == NULL)
		return err_nomem(err);
	r->logs = v;
	*out = &v[r->n++];
	memset(*out, 0, sizeof(**out));
	memcpy((*out)->dataset, dataset, STORE_DATASET_LEN);
	return 0;
}

/* The lock is held: the log doesn't grow, and nothing is taken meanwhile. */
static int
reap_locked(struct party *p, struct reap_log *log, const struct site_time *now,
    struct reap_result *out, struct err *err)
{
	struct doom d = {.store = access_store(p->access), .log = *log};
	int rc = store_log_mark(d.store, log->dataset, &d.log.mark, err);

	d.log.kept = d.log.kept_bytes = 0;
	d.log.next = INT64_MAX;
	if (rc == 0)
		rc = store_list(
		    d.store, OBJECT_LOG, log->dataset, on_record, &d, err);
	if (rc == 0 && d.set.n > 0)
		rc = find_needed(&d, err);
	if (rc == 0 && d.set.n > 0)
		rc = remove_due(p, &d, now, out, err);
	if (rc == 0)
		*log = d.log;
	doom_clear(&d);
	return rc;
}

struct reaping {
	struct reaper *reaper;
	struct party *party;
	struct site_time now;
	struct reap_result *out;
};

static int
reap_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct reaping *g = arg;
	struct store *s = access_store(g->party->access);
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(store_lock) struct store_lock *reaping = NULL;
	struct reap_log *log = NULL;
	uint64_t mark;
	int rc = find_log(g->reaper, ref->dataset, &log, err);

	if (rc == 0)
		rc = store_log_mark(s, ref->dataset, &mark, err);
	if (rc == 0 && (mark != log->mark || g->now.now >= log->next) &&
	    !g->now.behind) {
		/* This one also clears up what dead receivers left. */
		rc = store_lock_replica(
		    s, ref->dataset, STORE_LOCK_PRUNE, &reaping, err);
		if (rc == 0)
			rc = store_lock_replica(
			    s, ref->dataset, STORE_LOCK_APPEND, &lock, err);
		/* Somebody else is at it: the next time will do. */
		if (rc == ERR_LOCKED)
			return 0;
		if (rc == 0)
			rc = reap_locked(g->party, log, &g->now, g->out, err);
	}
	g->out->kept += log->kept;
	g->out->kept_bytes += log->kept_bytes;
	if (log->kept > 0 && log->next < g->out->next)
		g->out->next = log->next;
	return rc;
}

int
reaper_run(
    struct reaper *r, struct party *p, struct reap_result *out, struct err *err)
{
	struct reaping g = {.reaper = r, .party = p, .out = out};
	int rc;

	memset(out, 0, sizeof(*out));
	out->next = INT64_MAX;
	rc = sitedb_clock(sitedir_db(p->site), party_time(), &g.now, err);
	if (rc != 0)
		return rc;
	out->behind = g.now.behind;
	return store_list_datasets(
	    access_store(p->access), reap_dataset, &g, err);
}

void
reaper_note(
    const struct party *p, const char *client, const struct reap_result *r)
{
	time_t at = (time_t)r->next;
	char until[32] = "later";
	struct tm tm;
	struct err why;

	if (r->next != INT64_MAX && gmtime_r(&at, &tm) != NULL)
		(void)strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)err_set(&why, ERR_DENIED,
	    "%ju pruned objects (%ju bytes) are not removed before %s: the"
	    " site's retention lock",
	    (uintmax_t)r->kept, (uintmax_t)r->kept_bytes, until);
	party_refused(p, client, true, &why);
}
