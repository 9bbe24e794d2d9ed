/* Opening a database, and making it. */
#include "snapshot/state/private.h"
#include "snapshot/state/sql.h"
#include "snapshot/state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 10000

/* The one number that a query such as a PRAGMA answers with. */
static int
query_int(struct sql *q, const char *text, int64_t *out, struct err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = 0;

	*out = 0;
	if (sqlite3_prepare_v2(q->db, text, -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		rc = sql_fail(q, err);
	else
		*out = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return rc;
}

/* Whether it is of this kind; *${version}: the schema's, 0: it has none yet. */
static int
check_kind(struct sql *q, const struct sql_kind *kind, int64_t *version,
    struct err *err)
{
	int64_t application;
	int64_t tables;
	int rc = query_int(q, "PRAGMA application_id", &application, err);

	*version = 0;
	if (rc == 0)
		rc = query_int(q, "PRAGMA user_version", version, err);
	if (rc == 0)
		rc = query_int(
		    q, "SELECT count(*) FROM sqlite_schema", &tables, err);
	if (rc != 0)
		return rc;
	if (application == 0 && *version == 0 && tables == 0)
		return 0;
	if (application != kind->application)
		return err_set(err, ERR_CORRUPT,
		    "'%s' is a database of something else", q->path);
	if (*version > kind->version)
		return err_set(err, ERR_VERSION,
		    "'%s' was made by a newer version of this program",
		    q->path);
	if (*version != kind->version)
		return err_set(
		    err, ERR_CORRUPT, "'%s' has no known version", q->path);
	return 0;
}

static int
write_schema(struct sql *q, const struct sql_kind *kind, struct err *err)
{
	char text[96];
	int rc = sql_exec(q, kind->schema, err);

	(void)sqlite3_snprintf((int)sizeof(text), text,
	    "PRAGMA application_id=%d; PRAGMA user_version=%d",
	    kind->application, kind->version);
	return rc != 0 ? rc : sql_exec(q, text, err);
}

/* Another process may be making it at the same time: look again, locked. */
static int
make_schema(struct sql *q, const struct sql_kind *kind, struct err *err)
{
	int64_t version;
	int rc = sql_exec(q, "BEGIN IMMEDIATE", err);

	if (rc != 0)
		return rc;
	rc = check_kind(q, kind, &version, err);
	if (rc == 0 && version == 0)
		rc = write_schema(q, kind, err);
	if (rc == 0)
		return sql_exec(q, "COMMIT", err);
	sql_rollback(q);
	return rc;
}

static int
prepare_all(struct sql *q, const struct sql_kind *kind, struct err *err)
{
	q->st = calloc(kind->nstatements, sizeof(*q->st));
	if (q->st == NULL)
		return err_nomem(err);
	q->nst = kind->nstatements;
	for (size_t i = 0; i < q->nst; i++) {
		if (sqlite3_prepare_v3(q->db, kind->statements[i], -1,
			SQLITE_PREPARE_PERSISTENT, &q->st[i],
			NULL) == SQLITE_OK)
			continue;
		/* What it was made with is not what it has. */
		if ((sqlite3_errcode(q->db) & 0xff) == SQLITE_ERROR)
			return err_set(err, ERR_CORRUPT, "'%s': %s", q->path,
			    sqlite3_errmsg(q->db));
		return sql_fail(q, err);
	}
	return 0;
}

static int
set_up(struct sql *q, const struct sql_kind *kind, bool make, struct err *err)
{
	int64_t version;
	int rc = check_kind(q, kind, &version, err);

	if (rc == 0 && version == 0 && !make)
		rc = err_set(
		    err, ERR_NOT_FOUND, "'%s' has nothing in it", q->path);
	if (rc == 0)
		rc = sql_exec(q, "PRAGMA journal_mode=WAL", err);
	if (rc == 0)
		rc = sql_exec(q,
		    kind->durable ? "PRAGMA synchronous=FULL"
				  : "PRAGMA synchronous=NORMAL",
		    err);
	if (rc == 0)
		rc = sql_exec(q,
		    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384", err);
	if (rc == 0 && version == 0)
		rc = make_schema(q, kind, err);
	if (rc == 0)
		rc = prepare_all(q, kind, err);
	return rc;
}

/*
 * Making a database, and turning it to its journal, are steps that others must
 * not see half done: the directory's lock is held for them. Close it to let go.
 */
static int
lock_directory(const char *path, int *fd, struct err *err)
{
	char *dir = strdup(path);
	char *slash;

	if (dir == NULL)
		return err_nomem(err);
	slash = strrchr(dir, '/');
	if (slash != NULL)
		slash[slash == dir] = '\0';
	*fd =
	    open(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (*fd < 0)
		return err_errno(
		    err, "cannot open the directory of '%s'", path);
	while (flock(*fd, LOCK_EX) != 0)
		if (errno != EINTR) {
			(void)close(*fd);
			return err_errno(err, "cannot lock '%s'", path);
		}
	return 0;
}

/* By its name alone: what private.h says of opening it holds here, too. */
static int
check_there(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno == ENOENT
			   ? err_set(
				 err, ERR_NOT_FOUND, "'%s' is missing", path)
			   : err_errno(err, "cannot look at '%s'", path);
	return st.st_size > 0
		   ? 0
		   : err_set(err, ERR_NOT_FOUND, "'%s' is empty", path);
}

static int
open_file(const char *path, const struct sql_kind *kind, bool make,
    struct sql **out, struct err *err)
{
	AUTO(sql) struct sql *q = calloc(1, sizeof(*q));
	int lock = -1;
	int rc;

	*out = NULL;
	if (q == NULL || (q->path = strdup(path)) == NULL)
		return err_nomem(err);
	rc = make ? private_file(path, err) : check_there(path, err);
	if (rc != 0)
		return rc;
	rc = sqlite3_open_v2(
	    path, &q->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (q->db == NULL)
		return err_nomem(err);
	if (rc != SQLITE_OK ||
	    sqlite3_extended_result_codes(q->db, 1) != SQLITE_OK ||
	    sqlite3_busy_timeout(q->db, BUSY_MS) != SQLITE_OK)
		return sql_fail(q, err);
	rc = lock_directory(path, &lock, err);
	if (rc != 0)
		return rc;
	rc = set_up(q, kind, make, err);
	(void)close(lock);
	if (rc != 0)
		return rc;
	*out = STEAL(q);
	return 0;
}

int
sql_open(const char *path, const struct sql_kind *kind, struct sql **out,
    struct err *err)
{
	return sql_explain(kind, open_file(path, kind, true, out, err), err);
}

int
sql_open_made(const char *path, const struct sql_kind *kind, struct sql **out,
    struct err *err)
{
	return sql_explain(kind, open_file(path, kind, false, out, err), err);
}

int
sql_open_in(const char *dir, const char *file, const struct sql_kind *kind,
    struct sql **out, struct err *err)
{
	char path[STATE_PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/%s", dir, file);
	int rc;

	*out = NULL;
	if (len < 0 || (size_t)len >= sizeof(path))
		return err_set(err, ERR_USAGE, "path too long: '%s'", dir);
	rc = private_dir(dir, err);
	return rc != 0 ? rc : sql_open(path, kind, out, err);
}
