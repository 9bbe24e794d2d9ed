#include "snapshot/state/sql.h"

#include <errno.h>
#include <stdlib.h>

/* Opening a file or writing to it: errno says more than SQLite does. */
static int
fail_system(const struct sql *q, int otherwise, struct err *err)
{
	int errnum = sqlite3_system_errno(q->db);

	if (errnum == 0)
		return err_set(err, (enum err_code)otherwise, "'%s': %s",
		    q->path, sqlite3_errmsg(q->db));
	errno = errnum;
	return err_errno(err, "'%s': %s", q->path, sqlite3_errmsg(q->db));
}

int
sql_fail(const struct sql *q, struct err *err)
{
	enum err_code code;

	/* The low byte is the kind of error, the others say where. */
	switch (sqlite3_errcode(q->db) & 0xff) {
	case SQLITE_NOMEM:
		return err_nomem(err);
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return fail_system(q, ERR_IO, err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		code = ERR_LOCKED;
		break;
	case SQLITE_FULL:
		code = ERR_FULL;
		break;
	case SQLITE_PERM:
	case SQLITE_READONLY:
		code = ERR_DENIED;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		code = ERR_CORRUPT;
		break;
	default:
		code = ERR_BUG;
		break;
	}
	return err_set(err, code, "'%s': %s", q->path, sqlite3_errmsg(q->db));
}

int
sql_explain(const struct sql_kind *kind, int rc, struct err *err)
{
	if (rc != ERR_CORRUPT || kind->advice == NULL || err == NULL)
		return rc;
	return err_wrap(err, "%s", kind->advice);
}

int
sql_exec(struct sql *q, const char *text, struct err *err)
{
	if (sqlite3_exec(q->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return sql_fail(q, err);
	return 0;
}

void
sql_rollback(struct sql *q)
{
	/* Should it fail, what is open is undone when the file is closed. */
	if (!sqlite3_get_autocommit(q->db))
		(void)sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
}

void
sql_blob(struct sql *q, size_t i, int at, const void *buf, size_t len)
{
	if (sqlite3_bind_blob64(q->st[i], at, buf, len, SQLITE_STATIC) !=
	    SQLITE_OK)
		q->unbound = true;
}

void
sql_int(struct sql *q, size_t i, int at, int64_t v)
{
	if (sqlite3_bind_int64(q->st[i], at, v) != SQLITE_OK)
		q->unbound = true;
}

int
sql_row(struct sql *q, size_t i, struct err *err)
{
	if (q->unbound)
		return err_set(
		    err, ERR_BUG, "'%s': a parameter does not fit", q->path);
	switch (sqlite3_step(q->st[i])) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return sql_fail(q, err);
	}
}

void
sql_reset(struct sql *q, size_t i)
{
	/* It repeats the error of the run, which has been reported. */
	(void)sqlite3_reset(q->st[i]);
	(void)sqlite3_clear_bindings(q->st[i]);
	q->unbound = false;
}

int
sql_run(struct sql *q, size_t i, struct err *err)
{
	int rc = sql_row(q, i, err);

	sql_reset(q, i);
	if (rc > 0)
		return err_set(err, ERR_BUG,
		    "'%s': a row where none was expected", q->path);
	return rc;
}

const uint8_t *
sql_column(struct sql *q, size_t i, int at, size_t *len)
{
	const void *p = sqlite3_column_blob(q->st[i], at);

	*len = p == NULL ? 0 : (size_t)sqlite3_column_bytes(q->st[i], at);
	return p;
}

void
sql_close(struct sql *q)
{
	if (q == NULL)
		return;
	for (size_t i = 0; i < q->nst; i++)
		(void)sqlite3_finalize(q->st[i]);
	free(q->st);
	/* Open statements or not, it is gone after this. */
	(void)sqlite3_close_v2(q->db);
	free(q->path);
	free(q);
}
