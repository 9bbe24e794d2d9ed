#include "snapshot/replicate/reap.h"

#include "snapshot/replicate/doom.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is remembered of a dataset. */
struct reap_log {
	uint8_t dataset[STORE_DATASET_LEN];
	uint64_t mark; /* the store's, of its log when it was read */
	int64_t next;  /* nothing may go before */
	uint64_t kept, kept_bytes;
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

/* --- removing ----------------------------------------------------------- */

/* What goes of one dataset, and what stays for now. */
struct removal {
	struct doom doom;
	struct reap_log log;
	struct store *store;
	struct sitedb *db;
	const struct site_time *now;
	struct reap_result *out;
};

/* When an object may go; what isn't known to have come, comes now. */
static int
due(const struct removal *r, const struct doomed *o, int64_t lock, int64_t *out,
    struct err *err)
{
	uint64_t seq = o->newest != 0 ? o->newest : o->since;
	int64_t arrived = r->now->borne;
	struct err why;
	int rc = sitedb_arrival(r->db, r->log.dataset, seq, &arrived, &why);

	if (rc == ERR_NOT_FOUND) {
		arrived = r->now->borne;
		rc = sitedb_arrived(
		    r->db, r->log.dataset, seq, r->now->borne, err);
	} else if (rc != 0) {
		rc = err_copy(err, &why);
	}
	*out = arrived + lock;
	return rc;
}

static int
remove_one(
    struct removal *r, const struct doomed *o, int64_t when, struct err *err)
{
	struct object_ref ref = {.cls = o->cls};
	struct err why;
	uint64_t size;
	int rc;

	memcpy(ref.dataset, r->log.dataset, STORE_DATASET_LEN);
	memcpy(ref.name, o->name, OBJECT_NAME_LEN);
	rc = store_size(r->store, &ref, &size, &why);
	if (rc != 0)
		return rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
	if (r->doom.blind || r->now->behind || r->now->borne < when) {
		r->log.kept++;
		r->log.kept_bytes += size;
		/* What is not here yet comes with a new record. */
		if (!r->doom.blind && when < r->log.next)
			r->log.next = when;
		return 0;
	}
	rc = store_remove(r->store, &ref, &why);
	if (rc != 0)
		return rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
	r->out->removed++;
	r->out->removed_bytes += size;
	return 0;
}

static int
remove_due(struct removal *r, struct err *err)
{
	int64_t lock, when;
	int rc = sitedb_lock(r->db, &lock, err);

	for (size_t i = 0; i < r->doom.set.n && rc == 0; i++) {
		const struct doomed *o = r->doom.set.all[i];

		if (!doom_is_gone(&r->doom, o))
			continue;
		rc = due(r, o, lock, &when, err);
		if (rc == 0)
			rc = remove_one(r, o, when, err);
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
	struct removal r = {
	    .log = *log,
	    .store = access_store(p->access),
	    .db = sitedir_db(p->site),
	    .now = now,
	    .out = out,
	};
	int rc = store_log_mark(r.store, log->dataset, &r.log.mark, err);

	r.log.kept = r.log.kept_bytes = 0;
	r.log.next = INT64_MAX;
	if (rc == 0)
		rc = doom_read(&r.doom, r.store, log->dataset, err);
	if (rc == 0 && r.doom.set.n > 0)
		rc = remove_due(&r, err);
	if (rc == 0)
		*log = r.log;
	doom_clear(&r.doom);
	return rc;
}

struct reaping {
	struct reaper *reaper;
	struct party *party;
	struct site_time now;
	struct reap_result *out;
	struct err failure; /* the first dataset's that failed; code 0 */
};

static int
look_at(struct reaping *g, const struct object_ref *ref, struct err *err)
{
	struct store *s = access_store(g->party->access);
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(store_lock) struct store_lock *reaping = NULL;
	struct reap_log *log = NULL;
	uint64_t mark;
	int rc = find_log(g->reaper, ref->dataset, &log, err);

	if (rc == 0)
		rc = store_log_mark(s, ref->dataset, &mark, err);
	if (rc == 0 && (mark != log->mark || g->now.borne >= log->next) &&
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

/* What is wrong with one dataset keeps nothing of the others here. */
static int
reap_dataset(void *arg, const struct object_ref *ref, UNUSED uint64_t size,
    struct err *err)
{
	struct reaping *g = arg;
	struct err why;
	int rc = look_at(g, ref, &why);

	if (rc == ERR_NOMEM || rc == ERR_BUG)
		return err_copy(err, &why);
	if (rc != 0 && g->failure.code == 0)
		g->failure = why;
	return 0;
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
	rc =
	    store_list_datasets(access_store(p->access), reap_dataset, &g, err);
	return rc != 0 || g.failure.code == 0 ? rc : err_copy(err, &g.failure);
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
