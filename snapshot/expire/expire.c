#include "snapshot/expire/expire.h"

#include "snapshot/expire/keep_log.h"

#include <stdlib.h>
#include <string.h>

void
expire_plan_clear(struct expire_plan *p)
{
	log_free(p->log);
	free(p->snapshots);
	free(p->items);
	memset(p, 0, sizeof(*p));
}

/* Nobody appends while the lock is held, and the log is as it is then. */
static int
load_locked(struct access *a, const struct dataset *ds, struct heads *heads,
    struct store_lock **lock, struct log **out, struct err *err)
{
	int rc = store_lock_dataset(
	    access_store(a), ds->id, STORE_LOCK_APPEND, lock, err);

	*out = NULL;
	if (rc != 0)
		return err_wrap(
		    err, "cannot add to the log of dataset '%s'", ds->name);
	return log_load(a, ds, heads, out, err);
}

/* --- what goes ------------------------------------------------------------ */

static int
list_snapshots(struct expire_plan *p, struct err *err)
{
	size_t n = log_count(p->log);

	if (n == 0)
		return 0;
	p->snapshots = calloc(n, sizeof(*p->snapshots));
	p->items = calloc(n, sizeof(*p->items));
	if (p->snapshots == NULL || p->items == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct snapshot *s = log_snapshot(p->log, i);

		p->snapshots[i] = s;
		p->items[i].time = s->time;
		p->items[i].held = s->held != 0;
	}
	p->n = n;
	return 0;
}

static int
plan(struct expire_plan *p, const struct rules *rules, struct moment now,
    struct err *err)
{
	const struct rules *own = log_rules(p->log);
	int rc = log_whole(p->log, err);

	/* What is lost may be a hold. */
	if (rc != 0)
		return err_wrap(err, "nothing of dataset '%s' may expire",
		    log_dataset(p->log)->name);
	rc = list_snapshots(p, err);
	if (rc != 0)
		return rc;
	if (rules == NULL && own != NULL && rules_any(own))
		rules = own;
	if (rules == NULL)
		return 0;
	p->ruled = true;
	p->rules = *rules;
	rc = keep_log_apply(p->items, p->n, rules, now, err);
	for (size_t i = 0; rc == 0 && i < p->n; i++)
		p->gone += p->items[i].why == 0;
	return rc;
}

/* By no rules at all, everything would go: nobody can mean that. */
static int
check_rules(const struct rules *rules, struct err *err)
{
	if (rules == NULL || rules_any(rules))
		return 0;
	return err_set(err, ERR_USAGE, "rules that keep nothing");
}

int
expire_look(struct access *a, const struct dataset *ds, struct heads *heads,
    const struct rules *rules, struct moment now, struct expire_plan *out,
    struct err *err)
{
	int rc = check_rules(rules, err);

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = log_load(a, ds, heads, &out->log, err);
	return rc != 0 ? rc : plan(out, rules, now, err);
}

static int
sign_away(struct expire_plan *p, struct err *err)
{
	const struct snapshot **gone = calloc(p->gone, sizeof(*gone));
	char text[RULES_TEXT];
	size_t n = 0;
	int rc;

	if (gone == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].why == 0)
			gone[n++] = p->snapshots[i];
	rc = log_append_expire(
	    p->log, gone, n, rules_text(&p->rules, text), err);
	free(gone);
	return rc;
}

int
expire_run(struct access *a, const struct dataset *ds, struct heads *heads,
    const struct rules *rules, struct moment now, struct expire_plan *out,
    struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	int rc = check_rules(rules, err);

	memset(out, 0, sizeof(*out));
	if (rc == 0)
		rc = load_locked(a, ds, heads, &lock, &out->log, err);
	if (rc == 0)
		rc = plan(out, rules, now, err);
	if (rc != 0 || out->gone == 0)
		return rc;
	return sign_away(out, err);
}

/* --- one record ----------------------------------------------------------- */

static const struct snapshot *
find(const struct log *l, const uint8_t id[OBJECT_NAME_LEN])
{
	for (size_t i = log_count(l); i > 0; i--) {
		const struct snapshot *s = log_snapshot(l, i - 1);

		if (memcmp(s->id, id, OBJECT_NAME_LEN) == 0)
			return s;
	}
	return NULL;
}

int
expire_hold(struct access *a, const struct dataset *ds, struct heads *heads,
    const uint8_t id[OBJECT_NAME_LEN], bool on, const char *why,
    struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *l = NULL;
	const struct snapshot *s;
	int rc = load_locked(a, ds, heads, &lock, &l, err);

	if (rc != 0)
		return rc;
	s = find(l, id);
	if (s == NULL)
		return err_set(err, ERR_NOT_FOUND,
		    "the snapshot of dataset '%s' has expired meanwhile",
		    ds->name);
	if (!on && s->held == 0)
		return err_set(err, ERR_USAGE,
		    "the snapshot of dataset '%s' is not held", ds->name);
	return log_append_hold(l, s, on, why, err);
}

int
expire_set_rules(struct access *a, const struct dataset *ds,
    struct heads *heads, const struct rules *rules, struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *l = NULL;
	int rc = load_locked(a, ds, heads, &lock, &l, err);

	return rc != 0 ? rc : log_append_rules(l, rules, err);
}

/* --- the store's default -------------------------------------------------- */

int
expire_default(const struct access *a, struct rules *out, struct err *err)
{
	struct defaults d;
	struct rd r;
	int rc = access_defaults(a, &d, err);

	memset(out, 0, sizeof(*out));
	if (rc != 0)
		return rc;
	r = rd_init(d.rules, d.len);
	rules_read(&r, out);
	if (!rd_done(&r))
		return err_set(err, ERR_CORRUPT,
		    "the store's default rules are malformed");
	return 0;
}

int
expire_set_default(struct access *a, const struct rules *rules, struct err *err)
{
	WR_AUTO struct wr w = {0};

	rules_write(rules, &w);
	if (w.failed)
		return err_nomem(err);
	return access_set_defaults(a, w.buf, w.len, err);
}

int
expire_inherit(struct access *a, const struct dataset *ds, struct heads *heads,
    struct err *err)
{
	AUTO(store_lock) struct store_lock *lock = NULL;
	AUTO(log) struct log *l = NULL;
	struct rules rules;
	struct err why;
	int rc = expire_default(a, &rules, &why);

	if (rc != 0)
		return rc == ERR_NOT_FOUND ? 0 : err_copy(err, &why);
	if (access_identity(a) == NULL || !rules_any(&rules))
		return 0;
	rc = load_locked(a, ds, heads, &lock, &l, err);
	if (rc != 0 || log_records(l) > 0)
		return rc;
	return log_append_rules(l, &rules, err);
}
