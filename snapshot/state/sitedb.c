#include "snapshot/state/sitedb.h"
#include "snapshot/state/sql.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* Names of settings: never given to anything else. */
enum { SETTING_LOCK = 1, SETTING_CLOCK = 2 };

enum {
	SETTING_GET,
	SETTING_RAISE,
	BORNE_GET,
	BORNE_SET,
	ARRIVAL_ADD,
	ARRIVAL_GET,
	ARRIVAL_FORGET,
	REFUSAL_ADD,
	REFUSAL_DROP_CLIENT,
	REFUSAL_DROP_KIND,
	REFUSAL_LIST,
	NSTATEMENTS
};

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
static const struct sql_kind kind = {
    .application = 0x56525674, /* "VRVt" */
    .version = 1,
    .durable = true,
    .schema = schema,
    .statements = statements,
    .nstatements = NSTATEMENTS,
    .advice =
	"what the site knows is damaged: bring the file back from a copy; or"
	" move it away and set the lock again, which then counts from now for"
	" all that is here",
};

#define CLOCK_STEP 10 /* seconds that may pass before they are written down */

struct sitedb {
	pthread_mutex_t mu;
	struct sql *sql; /* guarded by mu */
};

int
sitedb_open(const char *path, struct sitedb **out, struct err *err)
{
	AUTO(sql) struct sql *q = NULL;
	struct sitedb *db;
	int rc = sql_open(path, &kind, &q, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	db = calloc(1, sizeof(*db));
	if (db == NULL)
		return err_nomem(err);
	if (pthread_mutex_init(&db->mu, NULL) != 0) {
		free(db);
		return err_nomem(err);
	}
	db->sql = STEAL(q);
	*out = db;
	return 0;
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

static int
setting_get(
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

/* Only ever up. */
static int
setting_raise(struct sql *q, int name, int64_t value, struct err *err)
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
	rc = setting_get(
	    db->sql, SETTING_LOCK, SITEDB_LOCK_DEFAULT, seconds, err);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&kind, rc, err);
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
	rc = setting_get(db->sql, SETTING_LOCK, -1, &old, err);
	if (rc == 0 && seconds < old)
		rc = err_set(err, ERR_DENIED,
		    "the retention lock is %jd s (%jd days): it can be"
		    " lengthened, never shortened",
		    (intmax_t)old, (intmax_t)(old / 86400));
	if (rc == 0 && seconds > old)
		rc = setting_raise(db->sql, SETTING_LOCK, seconds, err);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&kind, rc, err);
}

/* --- the clock ---------------------------------------------------------- */

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* Any 63 bits of it will do; where there is none, each look is a new start. */
static int64_t
read_boot(void)
{
	char text[64] = "";
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	FILE *f = fopen(BOOT_ID, "re");

	if (f == NULL)
		return 0;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	(void)fclose(f);
	for (const char *p = text; *p != '\0'; p++)
		hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	return text[0] != '\0' ? (int64_t)(hash >> 1) : 0;
}

void
site_clock_now(int64_t wall, struct site_clock *out)
{
	struct timespec up = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	*out = (struct site_clock){
	    .wall = wall, .up = (int64_t)up.tv_sec, .boot = read_boot()};
}

static int
borne_set(
    struct sql *q, int64_t time, const struct site_clock *c, struct err *err)
{
	sql_int(q, BORNE_SET, 1, time);
	sql_int(q, BORNE_SET, 2, c->up);
	sql_int(q, BORNE_SET, 3, c->boot);
	return sql_run(q, BORNE_SET, err);
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* mu is held. The first time, the clock is believed. */
static int
borne_get(
    struct sql *q, const struct site_clock *c, int64_t *time, struct err *err)
{
	int64_t was = 0, up = 0, boot = 0;
	int rc = sql_row(q, BORNE_GET, err);

	if (rc > 0) {
		was = sqlite3_column_int64(q->st[BORNE_GET], 0);
		up = sqlite3_column_int64(q->st[BORNE_GET], 1);
		boot = sqlite3_column_int64(q->st[BORNE_GET], 2);
	}
	sql_reset(q, BORNE_GET);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		*time = c->wall;
		return borne_set(q, c->wall, c, err);
	}
	*time = was;
	if (boot == 0 || c->boot != boot || c->up < up)
		return borne_set(q, was, c, err);
	if (c->wall > was)
		*time = least(c->wall, was + (c->up - up));
	return *time - was >= CLOCK_STEP ? borne_set(q, *time, c, err) : 0;
}

int
sitedb_bear_out(struct sitedb *db, const struct site_clock *clock, int64_t time,
    struct err *err)
{
	int64_t borne;
	int rc;

	time = least(time, clock->wall);
	(void)pthread_mutex_lock(&db->mu);
	rc = borne_get(db->sql, clock, &borne, err);
	if (rc == 0 && time > borne)
		rc = borne_set(db->sql, time, clock, err);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&kind, rc, err);
}

int
sitedb_clock(
    struct sitedb *db, int64_t clock, struct site_time *out, struct err *err)
{
	struct site_clock c;

	site_clock_now(clock, &c);
	return sitedb_clock_at(db, &c, out, err);
}

int
sitedb_clock_at(struct sitedb *db, const struct site_clock *c,
    struct site_time *out, struct err *err)
{
	int64_t clock = c->wall, high, borne = 0;
	int rc;

	(void)pthread_mutex_lock(&db->mu);
	rc = setting_get(db->sql, SETTING_CLOCK, 0, &high, err);
	if (rc == 0 && clock > high && clock - high >= CLOCK_STEP)
		rc = setting_raise(db->sql, SETTING_CLOCK, clock, err);
	if (rc == 0)
		rc = borne_get(db->sql, c, &borne, err);
	(void)pthread_mutex_unlock(&db->mu);
	*out = (struct site_time){
	    .borne = borne,
	    .now = clock > high ? clock : high,
	    .back = clock < high ? high - clock : 0,
	    .behind = clock < high && high - clock > SITEDB_CLOCK_SLACK,
	};
	return sql_explain(&kind, rc, err);
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
	return sql_explain(&kind, rc, err);
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
	return sql_explain(&kind, rc > 0 ? 0 : rc, err);
}

int
sitedb_forget(struct sitedb *db, const uint8_t dataset[SITEDB_DATASET_LEN],
    uint64_t seq, struct err *err)
{
	int rc = check_seq(seq, err);

	if (rc != 0)
		return rc;
	(void)pthread_mutex_lock(&db->mu);
	sql_blob(db->sql, ARRIVAL_FORGET, 1, dataset, SITEDB_DATASET_LEN);
	sql_int(db->sql, ARRIVAL_FORGET, 2, (int64_t)seq);
	rc = sql_run(db->sql, ARRIVAL_FORGET, err);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&kind, rc, err);
}

/* --- what was refused --------------------------------------------------- */

static size_t
text_len(const char *text)
{
	return strnlen(text, SITEDB_TEXT_MAX);
}

static int
drop_refusals(struct sql *q, const struct sitedb_refusal *r, struct err *err)
{
	int rc;

	sql_blob(q, REFUSAL_DROP_CLIENT, 1, r->client, text_len(r->client));
	sql_int(q, REFUSAL_DROP_CLIENT, 2, SITEDB_REFUSALS_CLIENT);
	rc = sql_run(q, REFUSAL_DROP_CLIENT, err);
	if (rc != 0)
		return rc;
	sql_int(q, REFUSAL_DROP_KIND, 1, r->known);
	sql_int(q, REFUSAL_DROP_KIND, 2,
	    r->known ? SITEDB_REFUSALS_KNOWN : SITEDB_REFUSALS_STRANGER);
	return sql_run(q, REFUSAL_DROP_KIND, err);
}

int
sitedb_refuse(
    struct sitedb *db, const struct sitedb_refusal *r, struct err *err)
{
	int rc;

	(void)pthread_mutex_lock(&db->mu);
	sql_int(db->sql, REFUSAL_ADD, 1, r->time);
	sql_int(db->sql, REFUSAL_ADD, 2, r->known);
	sql_blob(db->sql, REFUSAL_ADD, 3, r->client, text_len(r->client));
	sql_blob(db->sql, REFUSAL_ADD, 4, r->what, text_len(r->what));
	rc = sql_run(db->sql, REFUSAL_ADD, err);
	if (rc == 0)
		rc = drop_refusals(db->sql, r, err);
	(void)pthread_mutex_unlock(&db->mu);
	return sql_explain(&kind, rc, err);
}

/* Column ${at} as a string of its own. */
static void
column_text(struct sql *q, int at, char out[SITEDB_TEXT_MAX + 1])
{
	size_t len;
	const uint8_t *p = sql_column(q, REFUSAL_LIST, at, &len);

	if (len > SITEDB_TEXT_MAX)
		len = SITEDB_TEXT_MAX;
	if (p != NULL)
		memcpy(out, p, len);
	out[p != NULL ? len : 0] = '\0';
}

int
sitedb_refusals(struct sitedb *db, size_t max, sitedb_refusal_fn *visit,
    void *arg, struct err *err)
{
	char client[SITEDB_TEXT_MAX + 1];
	char what[SITEDB_TEXT_MAX + 1];
	int rc;

	if (max > SITEDB_REFUSALS_MAX)
		max = SITEDB_REFUSALS_MAX;
	(void)pthread_mutex_lock(&db->mu);
	sql_int(db->sql, REFUSAL_LIST, 1, (int64_t)max);
	while ((rc = sql_row(db->sql, REFUSAL_LIST, err)) > 0) {
		sqlite3_stmt *st = db->sql->st[REFUSAL_LIST];
		const struct sitedb_refusal r = {
		    .client = client,
		    .known = sqlite3_column_int(st, 5) != 0,
		    .what = what,
		    .time = sqlite3_column_int64(st, 0),
		    .since = sqlite3_column_int64(st, 3),
		    .times = (uint64_t)sqlite3_column_int64(st, 4),
		};

		column_text(db->sql, 1, client);
		column_text(db->sql, 2, what);
		rc = visit(arg, &r, err);
		if (rc != 0)
			break;
	}
	sql_reset(db->sql, REFUSAL_LIST);
	(void)pthread_mutex_unlock(&db->mu);
	return rc;
}
