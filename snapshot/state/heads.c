#include "snapshot/state/sql.h"
#include "snapshot/state/state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLACE_TABLE                                                            \
	"CREATE TABLE place("                                                  \
	"  address BLOB NOT NULL PRIMARY KEY,"                                 \
	"  fingerprint BLOB NOT NULL"                                          \
	") WITHOUT ROWID, STRICT;"

/*
 * A store's id is what its root says of itself, so it tells only whether two
 * roots claim to be one store. What somebody else put in a store's place has an
 * id of its own: that is found out by the address.
 */
static const char schema[] =
    "CREATE TABLE store("
    "  id BLOB NOT NULL PRIMARY KEY,"
    "  fingerprint BLOB NOT NULL"
    ") WITHOUT ROWID, STRICT;" PLACE_TABLE "CREATE TABLE head("
    "  store BLOB NOT NULL,"
    "  dataset BLOB NOT NULL,"
    "  seq INTEGER NOT NULL,"
    "  name BLOB NOT NULL,"
    "  changes INTEGER NOT NULL,"
    "  latest INTEGER NOT NULL,"
    "  next_ino INTEGER NOT NULL,"
    "  settled INTEGER NOT NULL,"
    "  settled_object BLOB NOT NULL,"
    "  PRIMARY KEY(store, dataset)"
    ") WITHOUT ROWID, STRICT;";

enum {
	STORE_ADD,
	STORE_GET,
	STORE_SET,
	PLACE_ADD,
	PLACE_GET,
	PLACE_SET,
	HEAD_GET,
	HEAD_SET,
	HEAD_FORGET,
	NSTATEMENTS
};

#define NEWLY_SETTLED                                                          \
	"(excluded.settled, excluded.settled_object) >"                        \
	" (settled, settled_object)"

static const char *const statements[NSTATEMENTS] = {
    [STORE_ADD] = "INSERT OR IGNORE INTO store(id, fingerprint) VALUES(?, ?)",
    [STORE_GET] = "SELECT fingerprint FROM store WHERE id = ?",
    [STORE_SET] = "REPLACE INTO store(id, fingerprint) VALUES(?, ?)",
    [PLACE_ADD] =
	"INSERT OR IGNORE INTO place(address, fingerprint) VALUES(?, ?)",
    [PLACE_GET] = "SELECT fingerprint FROM place WHERE address = ?",
    [PLACE_SET] = "REPLACE INTO place(address, fingerprint) VALUES(?, ?)",
    [HEAD_GET] = "SELECT seq, name, changes, latest, next_ino,"
		 " settled, settled_object FROM head"
		 " WHERE store = ? AND dataset = ?",
    [HEAD_FORGET] = "DELETE FROM head WHERE store = ? AND dataset = ?",
    [HEAD_SET] =
	"INSERT INTO head(store, dataset, seq, name, changes, latest,"
	" next_ino, settled, settled_object)"
	" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"
	" ON CONFLICT DO UPDATE SET seq = excluded.seq,"
	" name = excluded.name, changes = excluded.changes,"
	" latest = excluded.latest, next_ino = excluded.next_ino,"
	" settled = max(settled, excluded.settled),"
	" settled_object = CASE WHEN " NEWLY_SETTLED
	" THEN excluded.settled_object ELSE settled_object END"
	" WHERE excluded.changes > changes OR (excluded.changes = changes AND"
	" (" NEWLY_SETTLED " OR excluded.seq > seq))",
};

/*
 * Version 1 knew no addresses, version 2 no changes of the primary, nor how
 * late a snapshot's time may be: as late as can be, to be on the safe side.
 * Version 3 knew no inode numbers, and no settlements. Version 4 had the latest
 * time in seconds. Version 5 knew of a settlement only when it was made: none of
 * that second is newer.
 */
#define HEAD_COLUMNS                                                           \
	"ALTER TABLE head ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;"      \
	"ALTER TABLE head ADD COLUMN latest INTEGER NOT NULL"                  \
	"  DEFAULT 9223372036854775807;"
#define MORE_COLUMNS                                                           \
	"ALTER TABLE head ADD COLUMN next_ino INTEGER NOT NULL DEFAULT 0;"     \
	"ALTER TABLE head ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;"
#define MILLISECONDS                                                           \
	"UPDATE head SET latest = latest * 1000"                               \
	"  WHERE abs(latest / 2) < 4500000000000000;"
#define SETTLED_OBJECT                                                         \
	"ALTER TABLE head ADD COLUMN settled_object BLOB NOT NULL DEFAULT"     \
	" x'ffffffffffffffffffffffffffffffff"                                  \
	"ffffffffffffffffffffffffffffffff';"
static const char *const upgrades[] = {
    PLACE_TABLE, HEAD_COLUMNS, MORE_COLUMNS, MILLISECONDS, SETTLED_OBJECT};

/* Nothing else remembers them, so a damaged file is never replaced. */
static const struct sql_kind kind = {
    .application = 0x56525668, /* "VRVh" */
    .version = 6,
    .durable = true,
    .schema = schema,
    .upgrades = upgrades,
    .statements = statements,
    .nstatements = NSTATEMENTS,
    .advice = "the remembered heads are damaged and can't be rebuilt: bring the"
	      " file back from a copy; or move it away to trust what the stores"
	      " show now",
};

struct heads {
	pthread_mutex_t mu;
	struct sql *sql; /* guarded by mu */
	uint8_t store[STORE_ID_LEN];
};

/* What a fingerprint is remembered by: a store's id, or its address. */
struct pin {
	const void *key;
	size_t len;
	int get, add, set; /* statements */
	const char *what;  /* the key, as messages put it */
};

#define NPINS 2

static void
pins_of(
    const struct root *root, const char *address, struct pin pins[static NPINS])
{
	pins[0] = (struct pin){
	    .key = root->store,
	    .len = STORE_ID_LEN,
	    .get = STORE_GET,
	    .add = STORE_ADD,
	    .set = STORE_SET,
	    .what = "of this id",
	};
	pins[1] = (struct pin){
	    .key = address,
	    .len = strlen(address),
	    .get = PLACE_GET,
	    .add = PLACE_ADD,
	    .set = PLACE_SET,
	    .what = "at this address",
	};
}

/* Enough to tell two apart by eye; the whole is to be compared elsewhere. */
#define SHORT_TEXT 19 /* four groups */

static int
another(const struct pin *pin, const uint8_t known[FINGERPRINT_LEN],
    const struct root *root, struct err *err)
{
	char was[FINGERPRINT_TEXT];
	char is[FINGERPRINT_TEXT];

	root_fingerprint_text(known, was);
	root_fingerprint_text(root->fingerprint, is);
	return err_set(err, ERR_AUTH,
	    "this is not the store %s that this machine has seen: that one has"
	    " the fingerprint %.*s..., this one %.*s...; somebody may have put"
	    " another in its place; if it is meant to be another, confirm it"
	    " with --fingerprint and the whole fingerprint, as 'varve init'"
	    " printed it",
	    pin->what, SHORT_TEXT, was, SHORT_TEXT, is);
}

/* 1 it is the one remembered, 0 none is, ERR_AUTH it is another. */
static int
compare_fingerprint(struct sql *q, const struct pin *pin,
    const struct root *root, struct err *err)
{
	size_t at = (size_t)pin->get;
	const uint8_t *known;
	size_t len;
	int rc;

	sql_blob(q, at, 1, pin->key, pin->len);
	rc = sql_row(q, at, err);
	if (rc > 0) {
		known = sql_column(q, at, 0, &len);
		if (len != FINGERPRINT_LEN)
			rc = err_set(err, ERR_CORRUPT,
			    "'%s': a fingerprint of %zu bytes", q->path, len);
		else if (memcmp(known, root->fingerprint, len) != 0)
			rc = another(pin, known, root, err);
	}
	sql_reset(q, at);
	return rc;
}

static int
write_pin(struct sql *q, const struct pin *pin, int statement,
    const struct root *root, struct err *err)
{
	size_t at = (size_t)statement;

	sql_blob(q, at, 1, pin->key, pin->len);
	sql_blob(q, at, 2, root->fingerprint, FINGERPRINT_LEN);
	return sql_run(q, at, err);
}

/* The first time, believe it; from then on, hold it to that. */
static int
hold_to_pin(struct sql *q, const struct pin *pin, const struct root *root,
    struct err *err)
{
	int rc = compare_fingerprint(q, pin, root, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = write_pin(q, pin, pin->add, root, err);
	if (rc != 0)
		return rc;
	/* Another process may have been first. */
	rc = compare_fingerprint(q, pin, root, err);
	if (rc == 0)
		return err_set(
		    err, ERR_CORRUPT, "'%s': a row is gone", q->path);
	return rc < 0 ? rc : 0;
}

static int
compare_pins(struct sql *q, const struct root *root, const char *address,
    struct err *err)
{
	struct pin pins[NPINS];
	int rc = 0;

	pins_of(root, address, pins);
	for (size_t i = 0; rc >= 0 && i < NPINS; i++)
		rc = compare_fingerprint(q, &pins[i], root, err);
	return rc > 0 ? 0 : rc;
}

/* All are compared before any is written: a stranger leaves no trace. */
static int
hold_to_pins(struct sql *q, const struct root *root, const char *address,
    struct err *err)
{
	struct pin pins[NPINS];
	int rc = compare_pins(q, root, address, err);

	pins_of(root, address, pins);
	for (size_t i = 0; rc == 0 && i < NPINS; i++)
		rc = hold_to_pin(q, &pins[i], root, err);
	return rc;
}

#define FILE_NAME "heads.db"

int
heads_compare(const char *dir, const struct root *root, const char *address,
    struct err *err)
{
	AUTO(sql) struct sql *q = NULL;
	char path[STATE_PATH_MAX];
	int rc;

	/* To open it would make it. */
	(void)snprintf(path, sizeof(path), "%s/%s", dir, FILE_NAME);
	if (access(path, F_OK) != 0)
		return 0;
	rc = sql_open_in(dir, FILE_NAME, &kind, &q, err);
	if (rc == 0)
		rc = sql_explain(
		    &kind, compare_pins(q, root, address, err), err);
	return rc;
}

int
heads_accept(const char *dir, const struct root *root, const char *address,
    struct err *err)
{
	AUTO(sql) struct sql *q = NULL;
	struct pin pins[NPINS];
	int rc = sql_open_in(dir, FILE_NAME, &kind, &q, err);

	pins_of(root, address, pins);
	for (size_t i = 0; rc == 0 && i < NPINS; i++)
		rc = sql_explain(
		    &kind, write_pin(q, &pins[i], pins[i].set, root, err), err);
	return rc;
}

int
heads_open(const char *dir, const struct root *root, const char *address,
    struct heads **out, struct err *err)
{
	AUTO(sql) struct sql *q = NULL;
	struct heads *h;
	int rc = sql_open_in(dir, FILE_NAME, &kind, &q, err);

	*out = NULL;
	if (rc == 0)
		rc = sql_explain(
		    &kind, hold_to_pins(q, root, address, err), err);
	if (rc != 0)
		return rc;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return err_nomem(err);
	if (pthread_mutex_init(&h->mu, NULL) != 0) {
		free(h);
		return err_nomem(err);
	}
	memcpy(h->store, root->store, STORE_ID_LEN);
	h->sql = STEAL(q);
	*out = h;
	return 0;
}

void
heads_close(struct heads *h)
{
	if (h == NULL)
		return;
	sql_close(h->sql);
	(void)pthread_mutex_destroy(&h->mu);
	free(h);
}

static int
read_head(struct sql *q, struct head_seen *out, struct err *err)
{
	const uint8_t *p;
	size_t len;
	int rc = sql_row(q, HEAD_GET, err);

	if (rc == 0)
		return err_set(err, ERR_NOT_FOUND, "no head is remembered");
	if (rc < 0)
		return rc;
	p = sql_column(q, HEAD_GET, 1, &len);
	if (len != OBJECT_NAME_LEN)
		return err_set(
		    err, ERR_CORRUPT, "'%s': a head has no name", q->path);
	memcpy(out->name, p, OBJECT_NAME_LEN);
	p = sql_column(q, HEAD_GET, 6, &len);
	if (len != OBJECT_NAME_LEN)
		return err_set(err, ERR_CORRUPT,
		    "'%s': a settlement has no name", q->path);
	memcpy(out->settled.object, p, OBJECT_NAME_LEN);
	out->seq = (uint64_t)sqlite3_column_int64(q->st[HEAD_GET], 0);
	out->changes = (uint64_t)sqlite3_column_int64(q->st[HEAD_GET], 2);
	out->latest = sqlite3_column_int64(q->st[HEAD_GET], 3);
	out->next_ino = (uint64_t)sqlite3_column_int64(q->st[HEAD_GET], 4);
	out->settled.from = sqlite3_column_int64(q->st[HEAD_GET], 5);
	return 0;
}

int
heads_get(struct heads *h, const uint8_t dataset[DATASET_ID_LEN],
    struct head_seen *out, struct err *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	(void)pthread_mutex_lock(&h->mu);
	sql_blob(h->sql, HEAD_GET, 1, h->store, STORE_ID_LEN);
	sql_blob(h->sql, HEAD_GET, 2, dataset, DATASET_ID_LEN);
	rc = read_head(h->sql, out, err);
	sql_reset(h->sql, HEAD_GET);
	(void)pthread_mutex_unlock(&h->mu);
	return sql_explain(&kind, rc, err);
}

int
heads_set(struct heads *h, const uint8_t dataset[DATASET_ID_LEN],
    const struct head_seen *head, struct err *err)
{
	int rc;

	if (head->seq > INT64_MAX || head->changes > INT64_MAX ||
	    head->next_ino > INT64_MAX)
		return err_set(err, ERR_USAGE, "no log has record %ju",
		    (uintmax_t)head->seq);
	(void)pthread_mutex_lock(&h->mu);
	sql_blob(h->sql, HEAD_SET, 1, h->store, STORE_ID_LEN);
	sql_blob(h->sql, HEAD_SET, 2, dataset, DATASET_ID_LEN);
	sql_int(h->sql, HEAD_SET, 3, (int64_t)head->seq);
	sql_blob(h->sql, HEAD_SET, 4, head->name, OBJECT_NAME_LEN);
	sql_int(h->sql, HEAD_SET, 5, (int64_t)head->changes);
	sql_int(h->sql, HEAD_SET, 6, head->latest);
	sql_int(h->sql, HEAD_SET, 7, (int64_t)head->next_ino);
	sql_int(h->sql, HEAD_SET, 8, head->settled.from);
	sql_blob(h->sql, HEAD_SET, 9, head->settled.object, OBJECT_NAME_LEN);
	rc = sql_run(h->sql, HEAD_SET, err);
	(void)pthread_mutex_unlock(&h->mu);
	return sql_explain(&kind, rc, err);
}

int
heads_forget(
    struct heads *h, const uint8_t dataset[DATASET_ID_LEN], struct err *err)
{
	int rc;

	(void)pthread_mutex_lock(&h->mu);
	sql_blob(h->sql, HEAD_FORGET, 1, h->store, STORE_ID_LEN);
	sql_blob(h->sql, HEAD_FORGET, 2, dataset, DATASET_ID_LEN);
	rc = sql_run(h->sql, HEAD_FORGET, err);
	(void)pthread_mutex_unlock(&h->mu);
	return sql_explain(&kind, rc, err);
}
