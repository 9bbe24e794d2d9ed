#include "snapshot/state/state_internal.h"

#include "crypto/box.h"
#include "crypto/namer.h"
#include "snapshot/state/private.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char schema[] =
    "CREATE TABLE current("
    "  id INTEGER NOT NULL PRIMARY KEY CHECK(id = 1),"
    "  generation INTEGER NOT NULL,"
    "  box BLOB" /* the snapshot's id and source; NULL: none yet */
    ") STRICT;"
    "INSERT INTO current(id, generation) VALUES(1, 1);"
    "CREATE TABLE dir("
    "  id INTEGER NOT NULL PRIMARY KEY,"
    "  key BLOB NOT NULL,"
    "  born INTEGER NOT NULL,"
    "  last INTEGER NOT NULL,"
    "  UNIQUE(key, born)"
    ") STRICT;"
    "CREATE TABLE page("
    "  dir INTEGER NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  box BLOB NOT NULL,"
    "  PRIMARY KEY(dir, number)"
    ") STRICT;"
    "CREATE TABLE pending("
    "  id INTEGER NOT NULL PRIMARY KEY,"
    "  pack BLOB NOT NULL UNIQUE,"
    "  box BLOB NOT NULL"
    ") STRICT;";

static const char *const statements[STATE_STATEMENTS] = {
    [STATE_CURRENT_GET] = "SELECT generation, box FROM current",
    [STATE_CURRENT_SET] = "UPDATE current SET generation = ?, box = ?",
    [STATE_SWEEP_PAGES] = "DELETE FROM page WHERE dir IN"
			  " (SELECT id FROM dir WHERE born > ?)",
    [STATE_SWEEP_DIRS] = "DELETE FROM dir WHERE born > ?",
    [STATE_SWEEP_KEPT] = "UPDATE dir SET last = ?1 WHERE last > ?1",
    [STATE_DROP_PAGES] = "DELETE FROM page WHERE dir IN"
			 " (SELECT id FROM dir WHERE last < ?)",
    [STATE_DROP_DIRS] = "DELETE FROM dir WHERE last < ?",
    [STATE_DROP_PENDING] = "DELETE FROM pending",
    [STATE_PAGE_GET] = "SELECT page.box FROM dir JOIN page"
		       " ON page.dir = dir.id AND page.number = ?3"
		       " WHERE dir.key = ?1 AND dir.born <= ?2",
    [STATE_PAGE_PUT] = "INSERT OR REPLACE INTO page(dir, number, box)"
		       " VALUES(?, ?, ?)",
    [STATE_DIR_ADD] = "INSERT OR IGNORE INTO dir(key, born, last)"
		      " VALUES(?1, ?2, ?2)",
    [STATE_DIR_FIND] = "SELECT id FROM dir WHERE key = ? AND born = ?",
    [STATE_DIR_KEEP] = "UPDATE dir SET last = ?2"
		       " WHERE key = ?1 AND born < ?2 AND NOT EXISTS"
		       " (SELECT 1 FROM dir WHERE key = ?1 AND born = ?2)",
    [STATE_DIR_UNKEEP] = "UPDATE dir SET last = ?2 - 1"
			 " WHERE key = ?1 AND born < ?2",
    [STATE_PENDING_ADD] = "INSERT INTO pending(pack, box) VALUES(?, ?)"
			  " ON CONFLICT DO UPDATE SET box = excluded.box",
    [STATE_PENDING_NEXT] = "SELECT id, pack, box FROM pending"
			   " WHERE id > ? ORDER BY id LIMIT 1",
};

static const struct sql_kind kind = {
    .application = 0x56525673, /* "VRVs" */
    .version = 1,
    .durable = false,
    .schema = schema,
    .statements = statements,
    .nstatements = STATE_STATEMENTS,
};

static int
format_path(
    char out[STATE_PATH_MAX], const char *a, const char *b, struct err *err)
{
	int len = snprintf(out, STATE_PATH_MAX, "%s%s", a, b);

	if (len < 0 || len >= STATE_PATH_MAX)
		return err_set(err, ERR_USAGE, "path too long: '%s%s'", a, b);
	return 0;
}

int
state_default_dir(char out[STATE_PATH_MAX], struct err *err)
{
	const char *dir = getenv("XDG_STATE_HOME");
	struct passwd pw;
	struct passwd *found = NULL;
	char buf[STATE_PATH_MAX];

	/* A relative one is to be ignored, says the specification. */
	if (dir != NULL && dir[0] == '/')
		return format_path(out, dir, "/varve", err);
	if (geteuid() == 0)
		return format_path(out, "/var/lib/varve", "", err);
	dir = getenv("HOME");
	if ((dir == NULL || dir[0] != '/') &&
	    getpwuid_r(geteuid(), &pw, buf, sizeof(buf), &found) == 0 &&
	    found != NULL)
		dir = found->pw_dir;
	if (dir == NULL || dir[0] != '/')
		return err_set(err, ERR_USAGE,
		    "no home directory to keep this machine's state in: set"
		    " XDG_STATE_HOME");
	return format_path(out, dir, "/.local/state/varve", err);
}

/* --- boxes ------------------------------------------------------------- */

static void
box_context(const struct state *s, const void *what, size_t len, struct wr *w)
{
	wr_bytes(w, s->store, STORE_ID_LEN);
	wr_bytes(w, s->dataset, DATASET_ID_LEN);
	wr_bytes(w, what, len);
}

int
state_seal(struct state *s, const char *label, const void *what, size_t whatlen,
    const void *pt, size_t len, struct wr *out, struct err *err)
{
	WR_AUTO struct wr ad = {0};

	box_context(s, what, whatlen, &ad);
	if (ad.failed)
		return err_nomem(err);
	return box_seal(
	    &s->keys->box, label, ad.buf, ad.len, pt, len, out, err);
}

int
state_open_box(struct state *s, const char *label, const void *what,
    size_t whatlen, const uint8_t *box, size_t len, struct wr *out,
    struct err *err)
{
	WR_AUTO struct wr ad = {0};
	int rc;

	box_context(s, what, whatlen, &ad);
	if (ad.failed)
		return err_nomem(err);
	rc = box_open(&s->keys->box, label, ad.buf, ad.len, box, len, out, err);
	if (rc == ERR_AUTH || rc == ERR_CORRUPT)
		return err_set(
		    err, ERR_CORRUPT, "'%s': a row is damaged", s->path);
	return rc;
}

int
state_note(struct state *s, int rc)
{
	if (rc == ERR_CORRUPT)
		s->damaged = true;
	return rc;
}

/* --- opening ----------------------------------------------------------- */

/* Out of the way, but kept: somebody may want to know what happened to it. */
static int
set_aside(const char *path, struct err *err)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char from[STATE_PATH_MAX + 8];
	char to[STATE_PATH_MAX + 64];

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		(void)snprintf(from, sizeof(from), "%s%s", path, suffixes[i]);
		(void)snprintf(to, sizeof(to), "%s.damaged-%jd%s", path,
		    (intmax_t)time(NULL), suffixes[i]);
		if (rename(from, to) != 0 && errno != ENOENT)
			return err_errno(
			    err, "cannot set damaged '%s' aside", from);
	}
	return 0;
}

static int
read_generation(struct state *s, struct err *err)
{
	int rc = sql_row(s->sql, STATE_CURRENT_GET, err);

	if (rc > 0)
		s->generation =
		    sqlite3_column_int64(s->sql->st[STATE_CURRENT_GET], 0);
	sql_reset(s->sql, STATE_CURRENT_GET);
	if (rc == 0)
		return err_set(
		    err, ERR_CORRUPT, "'%s': no generation", s->path);
	return rc < 0 ? rc : 0;
}

static int
open_database(struct state *s, struct err *err)
{
	int rc = sql_open(s->path, &kind, &s->sql, err);

	return rc != 0 ? rc : read_generation(s, err);
}

static int
make_keys(struct state *s, const struct keyset *ks, struct err *err)
{
	int rc;

	s->keys = secret_alloc(sizeof(*s->keys));
	if (s->keys == NULL)
		return err_nomem(err);
	rc = namer_local_key(&ks->id, "state", &s->keys->box, err);
	if (rc == 0)
		rc = namer_local_key(
		    &ks->id, "state names", &s->keys->names, err);
	return rc;
}

static void
hex_id(const uint8_t *id, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", id[i]);
}

/* DIR/STORE/DATASET.db, and DATASET.lock beside it. */
static int
prepare_files(struct state *s, const char *dir, struct err *err)
{
	char store[2 * STORE_ID_LEN + 1];
	char dataset[2 * DATASET_ID_LEN + 1];
	char base[STATE_PATH_MAX];
	char path[STATE_PATH_MAX];
	int len;
	int rc;

	hex_id(s->store, STORE_ID_LEN, store);
	hex_id(s->dataset, DATASET_ID_LEN, dataset);
	rc = format_path(base, dir, "/", err);
	if (rc == 0)
		rc = format_path(path, base, store, err);
	if (rc == 0)
		rc = private_dir(path, err);
	if (rc != 0)
		return rc;
	len = snprintf(base, sizeof(base), "%s/%s", path, dataset);
	if (len < 0 || (size_t)len >= sizeof(base))
		return err_set(err, ERR_USAGE, "path too long: '%s'", path);
	rc = format_path(s->path, base, ".db", err);
	if (rc == 0)
		rc = format_path(path, base, ".lock", err);
	return rc != 0 ? rc : private_lock(path, &s->lock, err);
}

static int
state_new(struct state **out, struct err *err)
{
	struct state *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return err_nomem(err);
	if (pthread_mutex_init(&s->mu, NULL) != 0) {
		free(s);
		return err_nomem(err);
	}
	s->lock = -1;
	*out = s;
	return 0;
}

int
state_open(const char *dir, const uint8_t store[STORE_ID_LEN],
    const struct keyset *ks, struct state **out, struct err *err)
{
	AUTO(state) struct state *s = NULL;
	struct err why;
	int rc = state_new(&s, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	memcpy(s->store, store, STORE_ID_LEN);
	memcpy(s->dataset, ks->dataset, DATASET_ID_LEN);
	rc = make_keys(s, ks, err);
	if (rc == 0)
		rc = prepare_files(s, dir, err);
	if (rc != 0)
		return rc;
	rc = open_database(s, &why);
	if (rc == ERR_CORRUPT) {
		sql_close(STEAL(s->sql));
		rc = set_aside(s->path, err);
		if (rc == 0)
			rc = open_database(s, err);
	} else if (rc != 0) {
		(void)err_copy(err, &why);
	}
	if (rc != 0)
		return rc;
	*out = STEAL(s);
	return 0;
}

void
state_close(struct state *s)
{
	if (s == NULL)
		return;
	if (s->sql != NULL && s->writing)
		state_rollback(s);
	sql_close(s->sql);
	/* Whoever opens it next makes a new one; else it would fail again. */
	if (s->damaged)
		(void)set_aside(s->path, NULL);
	if (s->lock >= 0)
		(void)close(s->lock);
	secret_free(s->keys);
	(void)pthread_mutex_destroy(&s->mu);
	free(s);
}
