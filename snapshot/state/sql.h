#ifndef SNAPSHOT_STATE_SQL_H
#define SNAPSHOT_STATE_SQL_H

/*
 * Private to this folder: an SQLite database of ours, with its statements
 * prepared once. Thread: a struct sql is used by one thread at a time; its
 * owner sees to that.
 */
#include "crypto/err.h"

#include <sqlite3.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a database of one kind looks like. */
struct sql_kind {
	int32_t application; /* the application id in its header */
	int version;         /* of the schema */
	bool durable;        /* every commit survives a power failure */
	const char *schema;  /* makes an empty one */
	const char *const *statements;
	size_t nstatements;
	const char *advice; /* what to do when it is damaged; NULL: none */
};

struct sql {
	sqlite3 *db;
	char *path;
	sqlite3_stmt **st; /* the kind's statements, in its order */
	size_t nst;
	bool unbound; /* a parameter could not be given: reported by the run */
};

/**
 * sql_open(path, kind, out, err):
 * Open the database, or make it with mode 0600.
 * Errors: ERR_CORRUPT damaged, or not of this kind; ERR_VERSION made by a newer
 * version; ERR_LOCKED; ERR_DENIED; ERR_FULL; ERR_IO.
 */
NODISCARD int sql_open(const char *path, const struct sql_kind *kind,
    struct sql **out, struct err *err);

/**
 * sql_open_made(): The same, but nothing is made. ERR_NOT_FOUND there is none,
 * or nothing in it.
 */
NODISCARD int sql_open_made(const char *path, const struct sql_kind *kind,
    struct sql **out, struct err *err);

/** sql_open_in(): As sql_open(): ${dir}/${file}; the directory is made when missing. */
NODISCARD int sql_open_in(const char *dir, const char *file,
    const struct sql_kind *kind, struct sql **out, struct err *err);
void sql_close(struct sql *q);
DEFINE_AUTO(sql, sql_close)

/** sql_fail(q, err): Record what SQLite has just refused. Returns the code. */
int sql_fail(const struct sql *q, struct err *err);

/** sql_explain(kind, rc, err): Add the advice to an ERR_CORRUPT. Returns rc. */
int sql_explain(const struct sql_kind *kind, int rc, struct err *err);

/** sql_exec(q, text, err): Statements without parameters and results. */
NODISCARD int sql_exec(struct sql *q, const char *text, struct err *err);

/** sql_rollback(q): Undo the open transaction, if there is one. */
void sql_rollback(struct sql *q);

/*
 * sql_blob(q, i, at, buf, len), sql_int(q, i, at, v): Give statement ${i} its
 * ${at}-th parameter, from 1. A failure is reported when the statement is run;
 * ${buf} is borrowed until it has been.
 */
void sql_blob(struct sql *q, size_t i, int at, const void *buf, size_t len);
void sql_int(struct sql *q, size_t i, int at, int64_t v);

/** sql_run(q, i, err): Run statement ${i}, which has no result, to its end. */
NODISCARD int sql_run(struct sql *q, size_t i, struct err *err);

/**
 * sql_row(q, i, err):
 * The next row of statement ${i}: 1, 0 at the end, or an error. Columns are
 * SQLite's until sql_reset(), which must follow.
 */
NODISCARD int sql_row(struct sql *q, size_t i, struct err *err);
void sql_reset(struct sql *q, size_t i);

/** sql_column(q, i, at, len): A column's bytes; NULL when it has none. */
const uint8_t *sql_column(struct sql *q, size_t i, int at, size_t *len);

#endif
