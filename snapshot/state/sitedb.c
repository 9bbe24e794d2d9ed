#include "snapshot/state/sitedb_internal.h"

#include <stdlib.h>

/*
 * An arrival is a row for the newest record of a batch: a record arrived with
 * the first row at or after it.
 */
static const char schema[] = "CREATE TABLE setting("
			     "  name INTEGER NOT NULL PRIMARY KEY,"
			     "  value INTEGER NOT NULL"
			     ") STRICT;"
			     "CREATE TABLE borne("
			     "  id INTEGER NOT NULL PRIMARY KEY CHECK(id = 1),"
			     "  time INTEGER NOT NULL,"
			     "  up INTEGER NOT NULL,"
			     "  boot INTEGER NOT NULL"
			     ") STRICT;"
			     "CREATE TABLE arrival("
			     "  dataset BLOB NOT NULL,"
			     "  seq INTEGER NOT NULL,"
			     "  time INTEGER NOT NULL,"
			     "  PRIMARY KEY(dataset, seq)"
			     ") WITHOUT ROWID, STRICT;"
			     "CREATE TABLE refusal("
			     "  id INTEGER NOT NULL PRIMARY KEY,"
			     "  since INTEGER NOT NULL,"
			     "  time INTEGER NOT NULL,"
			     "  times INTEGER NOT NULL,"
			     "  known INTEGER NOT NULL,"
			     "  client BLOB NOT NULL,"
			     "  what BLOB NOT NULL,"
			     "  UNIQUE(client, what)"
			     ") STRICT;";

static const char *const statements[NSTATEMENTS] = {
    [SETTING_GET] = "SELECT value FROM setting WHERE name = ?",
    [SETTING_RAISE] = "INSERT INTO setting(name, value) VALUES(?, ?)"
		      " ON CONFLICT DO UPDATE SET value = excluded.value"
		      " WHERE excluded.value > value",
    [BORNE_GET] = "SELECT time, up, boot FROM borne",
    [BORNE_SET] = "REPLACE INTO borne(id, time, up, boot) VALUES(1, ?, ?, ?)",
    [ARRIVAL_ADD] =
	"INSERT OR IGNORE INTO arrival(dataset, seq, time) VALUES(?, ?, ?)",
    [ARRIVAL_GET] = "SELECT time FROM arrival WHERE dataset = ? AND seq >= ?"
		    " ORDER BY seq LIMIT 1",
    [ARRIVAL_NEWEST] = "SELECT seq FROM arrival WHERE dataset = ? AND seq > 0"
		       " ORDER BY seq DESC LIMIT 1",
    [ARRIVAL_SET] = "REPLACE INTO arrival(dataset, seq, time) VALUES(?, ?, ?)",
    [ARRIVAL_DROP] = "DELETE FROM arrival WHERE dataset = ? AND seq < ?",
    [ARRIVAL_FORGET] = "DELETE FROM arrival WHERE dataset = ? AND seq > ?",
    [REFUSAL_ADD] =
	"INSERT INTO refusal(since, time, times, known, client, what)"
	" VALUES(?1, ?1, 1, ?2, ?3, ?4)"
	" ON CONFLICT(client, what) DO UPDATE SET"
	" id = (SELECT max(id) + 1 FROM refusal),"
	" time = excluded.time, times = times + 1, known = excluded.known",
    [REFUSAL_DROP_CLIENT] =
	"DELETE FROM refusal WHERE id IN (SELECT id FROM refusal"
	" WHERE client = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
    [REFUSAL_DROP_KIND] =
	"DELETE FROM refusal WHERE id IN (SELECT id FROM refusal"
	" WHERE known = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
    [REFUSAL_LIST] = "SELECT time, client, what, since, times, known"
		     " FROM refusal ORDER BY id DESC LIMIT ?",
};

/* The lock's end hangs on it: never made anew by itself. */
const struct sql_kind sitedb_kind = {
    .application = 0x56525674, /* "VRVt" */
    .version = 1,
    .durable = true,
    .schema = schema,
    .statements = statements,
    .nstatements = NSTATEMENTS,
    .advice =
	"what the site knows is damaged: bring the file back from a copy; or"
	" move it away and set the lock again ('varve serve DIRECTORY --init"
	" --lock TIME'), which then counts from now for all that is here",
};

/* ${q} is taken over, also on failure. */
static int
sitedb_of(struct sql *q, struct sitedb **out, struct err *err)
{
	struct sitedb *db = calloc(1, sizeof(*db));

	if (db == NULL || pthread_mutex_init(&db->mu, NULL) != 0) {
		free(db);
		sql_close(q);
		return err_nomem(err);
	}
	db->sql = q;
	*out = db;
	return 0;
}

int
sitedb_make(const char *path, struct sitedb **out, struct err *err)
{
	struct sql *q;
	int rc = sql_open(path, &sitedb_kind, &q, err);

	*out = NULL;
	return rc != 0 ? rc : sitedb_of(q, out, err);
}

int
sitedb_open(const char *path, struct sitedb **out, struct err *err)
{
	struct sql *q;
	struct err why;
	int rc = sql_open_made(path, &sitedb_kind, &q, &why);

	*out = NULL;
	if (rc == ERR_NOT_FOUND)
		return err_set(err, ERR_CORRUPT,
		    "%s, which holds the site's retention lock and its clock:"
		    " bring the file back from a copy; or 'varve serve"
		    " DIRECTORY --init --lock TIME' makes it anew, with a lock"
		    " that counts from now for all that is here",
		    why.text);
	return rc != 0 ? err_copy(err, &why) : sitedb_of(q, out, err);
}

void
sitedb_close(struct sitedb *db)
{
	if (db == NULL)
		return;
	sql_close(db->sql);
	(void)pthread_mutex_destroy(&db->mu);
	free(db);
}

/* --- settings ----------------------------------------------------------- */

int
sitedb_setting_get(
    struct sql *q, int name, int64_t unset, int64_t *value, struct err *err)
{
	int rc;

	*value = unset;
	sql_int(q, SETTING_GET, 1, name);
	rc = sql_row(q, SETTING_GET, err);
	if (rc > 0)
		*value = sqlite3_column_int64(q->st[SETTING_GET], 0);
	sql_reset(q, SETTING_GET);
	return rc < 0 ? rc : 0;
}

int
sitedb_setting_raise(struct sql *q, int name, int64_t value, struct err *err)
{
	sql_int(q, SETTING_RAISE, 1, name);
	sql_int(q, SETTING_RAISE, 2, value);
	return sql_run(q, SETTING_RAISE, err);
}

int
sitedb_lock(struct sitedb *db, int64_t *seconds, struct err *err)
{
	int rc;

	(void)pthread_mutex_lock(&db->mu);
	rc = sitedb_setting_get(
	    db->sql, SETTING_LOCK, SITEDB_LOCK_DEFAULT, seconds, err);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&sitedb_kind, rc, err);
}

int
sitedb_lengthen(struct sitedb *db, int64_t seconds, struct err *err)
{
	int64_t old;
	int rc;

	if (seconds < 0 || seconds > SITEDB_LOCK_MAX)
		return err_set(
		    err, ERR_USAGE, "a lock is at most a hundred years");
	(void)pthread_mutex_lock(&db->mu);
	rc = sitedb_setting_get(db->sql, SETTING_LOCK, -1, &old, err);
	if (rc == 0 && seconds < old)
		rc = err_set(err, ERR_DENIED,
		    "the retention lock is %jd s (%jd days): it can be"
		    " lengthened, never shortened",
		    (intmax_t)old, (intmax_t)(old / 86400));
	if (rc == 0 && seconds > old)
		rc = sitedb_setting_raise(db->sql, SETTING_LOCK, seconds, err);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&sitedb_kind, rc, err);
}

/* --- arrivals ----------------------------------------------------------- */

static int
check_seq(uint64_t seq, struct err *err)
{
	if (seq > INT64_MAX)
		return err_set(
		    err, ERR_USAGE, "no log has record %ju", (uintmax_t)seq);
	return 0;
}

int
sitedb_arrived(struct sitedb *db, const uint8_t dataset[SITEDB_DATASET_LEN],
    uint64_t seq, int64_t when, struct err *err)
{
	int rc = check_seq(seq, err);

	if (rc != 0)
		return rc;
	(void)pthread_mutex_lock(&db->mu);
	sql_blob(db->sql, ARRIVAL_ADD, 1, dataset, SITEDB_DATASET_LEN);
	sql_int(db->sql, ARRIVAL_ADD, 2, (int64_t)seq);
	sql_int(db->sql, ARRIVAL_ADD, 3, when);
	rc = sql_run(db->sql, ARRIVAL_ADD, err);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&sitedb_kind, rc, err);
}

int
sitedb_arrival(struct sitedb *db, const uint8_t dataset[SITEDB_DATASET_LEN],
    uint64_t seq, int64_t *when, struct err *err)
{
	int rc = check_seq(seq, err);

	*when = 0;
	if (rc != 0)
		return rc;
	(void)pthread_mutex_lock(&db->mu);
	sql_blob(db->sql, ARRIVAL_GET, 1, dataset, SITEDB_DATASET_LEN);
	sql_int(db->sql, ARRIVAL_GET, 2, (int64_t)seq);
	rc = sql_row(db->sql, ARRIVAL_GET, err);
	if (rc > 0)
		*when = sqlite3_column_int64(db->sql->st[ARRIVAL_GET], 0);
	else if (rc == 0)
		rc = err_set(err, ERR_NOT_FOUND,
		    "when record %ju arrived is not known", (uintmax_t)seq);
	sql_reset(db->sql, ARRIVAL_GET);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&sitedb_kind, rc > 0 ? 0 : rc, err);
}

int
sitedb_newest(struct sitedb *db, const uint8_t dataset[SITEDB_DATASET_LEN],
    uint64_t *seq, struct err *err)
{
	int rc;

	*seq = 0;
	(void)pthread_mutex_lock(&db->mu);
	sql_blob(db->sql, ARRIVAL_NEWEST, 1, dataset, SITEDB_DATASET_LEN);
	rc = sql_row(db->sql, ARRIVAL_NEWEST, err);
	if (rc > 0)
		*seq = (uint64_t)sqlite3_column_int64(
		    db->sql->st[ARRIVAL_NEWEST], 0);
	else if (rc == 0)
		rc = err_set(
		    err, ERR_NOT_FOUND, "no record is known to have arrived");
	sql_reset(db->sql, ARRIVAL_NEWEST);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&sitedb_kind, rc > 0 ? 0 : rc, err);
}

/* With mu held: one of the statements that have a dataset and a number. */
static int
run_arrival(struct sitedb *db, int statement,
    const uint8_t dataset[SITEDB_DATASET_LEN], uint64_t seq, struct err *err)
{
	size_t at = (size_t)statement;

	sql_blob(db->sql, at, 1, dataset, SITEDB_DATASET_LEN);
	sql_int(db->sql, at, 2, (int64_t)seq);
	return sql_run(db->sql, at, err);
}

/* In this order: whatever has been done of it, nothing has come earlier. */
int
sitedb_restart(struct sitedb *db, const uint8_t dataset[SITEDB_DATASET_LEN],
    uint64_t seq, int64_t when, struct err *err)
{
	int rc = check_seq(seq, err);

	if (rc != 0)
		return rc;
	(void)pthread_mutex_lock(&db->mu);
	if (seq > 0) {
		sql_int(db->sql, ARRIVAL_SET, 3, when);
		rc = run_arrival(db, ARRIVAL_SET, dataset, seq, err);
	}
	if (rc == 0)
		rc = run_arrival(db, ARRIVAL_DROP, dataset, seq, err);
	if (rc == 0)
		rc = run_arrival(db, ARRIVAL_FORGET, dataset, seq, err);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&sitedb_kind, rc, err);
}
