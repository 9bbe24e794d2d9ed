#include "snapshot/state/private.h"
#include "snapshot/state/sql.h"
#include "snapshot/state/state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] = "CREATE TABLE store("
			     "  id BLOB NOT NULL PRIMARY KEY,"
			     "  fingerprint BLOB NOT NULL"
			     ") WITHOUT ROWID, STRICT;"
			     "CREATE TABLE head("
			     "  store BLOB NOT NULL,"
			     "  dataset BLOB NOT NULL,"
			     "  seq INTEGER NOT NULL,"
			     "  name BLOB NOT NULL,"
			     "  PRIMARY KEY(store, dataset)"
			     ") WITHOUT ROWID, STRICT;";

enum { STORE_ADD, STORE_GET, HEAD_GET, HEAD_SET, NSTATEMENTS };

static const char *const statements[NSTATEMENTS] = {
    [STORE_ADD] = "INSERT OR IGNORE INTO store(id, fingerprint) VALUES(?, ?)",
    [STORE_GET] = "SELECT fingerprint FROM store WHERE id = ?",
    [HEAD_GET] = "SELECT seq, name FROM head WHERE store = ? AND dataset = ?",
    [HEAD_SET] = "INSERT INTO head(store, dataset, seq, name)"
		 " VALUES(?, ?, ?, ?)"
		 " ON CONFLICT DO UPDATE SET seq = excluded.seq,"
		 " name = excluded.name WHERE excluded.seq > seq",
};

static const struct sql_kind kind = {
    .application = 0x56525668, /* "VRVh" */
    .version = 1,
    .durable = true,
    .schema = schema,
    .statements = statements,
    .nstatements = NSTATEMENTS,
};

struct heads {
	pthread_mutex_t mu;
	struct sql *sql; /* guarded by mu */
	uint8_t store[STORE_ID_LEN];
};

/* Nothing else remembers them, so a damaged file is never replaced. */
static int
explain(int rc, struct err *err)
{
	if (rc != ERR_CORRUPT || err == NULL)
		return rc;
	return err_wrap(err,
	    "the remembered heads are damaged and can't be rebuilt: bring the"
	    " file back from a copy; or move it away to trust what the stores"
	    " show now");
}

static int
open_file(const char *dir, struct sql **out, struct err *err)
{
	char path[STATE_PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/heads.db", dir);
	int rc;

	*out = NULL;
	if (len < 0 || (size_t)len >= sizeof(path))
		return err_set(err, ERR_USAGE, "path too long: '%s'", dir);
	rc = private_dir(dir, err);
	if (rc == 0)
		rc = sql_open(path, &kind, out, err);
	return explain(rc, err);
}

/* 1 it is the one remembered, 0 none is, ERR_AUTH it is another. */
static int
compare_fingerprint(struct sql *q, const struct root *root, struct err *err)
{
	const uint8_t *known;
	size_t len;
	int rc;

	sql_blob(q, STORE_GET, 1, root->store, STORE_ID_LEN);
	rc = sql_row(q, STORE_GET, err);
	if (rc > 0) {
		known = sql_column(q, STORE_GET, 0, &len);
		if (len != FINGERPRINT_LEN ||
		    memcmp(known, root->fingerprint, len) != 0)
			rc = err_set(err, ERR_AUTH,
			    "this is not the store that this machine has seen:"
			    " it has the same id and another fingerprint");
	}
	sql_reset(q, STORE_GET);
	return rc;
}

/* The first time, believe it; from then on, hold it to that. */
static int
pin_fingerprint(struct sql *q, const struct root *root, struct err *err)
{
	int rc = compare_fingerprint(q, root, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	sql_blob(q, STORE_ADD, 1, root->store, STORE_ID_LEN);
	sql_blob(q, STORE_ADD, 2, root->fingerprint, FINGERPRINT_LEN);
	rc = sql_run(q, STORE_ADD, err);
	if (rc != 0)
		return rc;
	/* Another process may have been first. */
	rc = compare_fingerprint(q, root, err);
	if (rc == 0)
		return err_set(
		    err, ERR_CORRUPT, "'%s': a row is gone", q->path);
	return rc < 0 ? rc : 0;
}

int
heads_open(const char *dir, const struct root *root, struct heads **out,
    struct err *err)
{
	AUTO(sql) struct sql *q = NULL;
	struct heads *h;
	int rc = open_file(dir, &q, err);

	*out = NULL;
	if (rc == 0)
		rc = explain(pin_fingerprint(q, root, err), err);
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
read_head(struct sql *q, uint64_t *seq, uint8_t name[OBJECT_NAME_LEN],
    struct err *err)
{
	const uint8_t *p;
	size_t len;
	int rc = sql_row(q, HEAD_GET, err);

	if (rc == 0)
		return err_set(err, ERR_NOT_FOUND, "no head is remembered");
	if (rc < 0)
		return rc;
	*seq = (uint64_t)sqlite3_column_int64(q->st[HEAD_GET], 0);
	p = sql_column(q, HEAD_GET, 1, &len);
	if (len != OBJECT_NAME_LEN)
		return err_set(
		    err, ERR_CORRUPT, "'%s': a head has no name", q->path);
	memcpy(name, p, OBJECT_NAME_LEN);
	return 0;
}

int
heads_get(struct heads *h, const uint8_t dataset[DATASET_ID_LEN], uint64_t *seq,
    uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	int rc;

	*seq = 0;
	memset(name, 0, OBJECT_NAME_LEN);
	(void)pthread_mutex_lock(&h->mu);
	sql_blob(h->sql, HEAD_GET, 1, h->store, STORE_ID_LEN);
	sql_blob(h->sql, HEAD_GET, 2, dataset, DATASET_ID_LEN);
	rc = read_head(h->sql, seq, name, err);
	sql_reset(h->sql, HEAD_GET);
	(void)pthread_mutex_unlock(&h->mu);
	return explain(rc, err);
}

int
heads_set(struct heads *h, const uint8_t dataset[DATASET_ID_LEN], uint64_t seq,
    const uint8_t name[OBJECT_NAME_LEN], struct err *err)
{
	int rc;

	if (seq > INT64_MAX)
		return err_set(
		    err, ERR_USAGE, "no log has record %ju", (uintmax_t)seq);
	(void)pthread_mutex_lock(&h->mu);
	sql_blob(h->sql, HEAD_SET, 1, h->store, STORE_ID_LEN);
	sql_blob(h->sql, HEAD_SET, 2, dataset, DATASET_ID_LEN);
	sql_int(h->sql, HEAD_SET, 3, (int64_t)seq);
	sql_blob(h->sql, HEAD_SET, 4, name, OBJECT_NAME_LEN);
	rc = sql_run(h->sql, HEAD_SET, err);
	(void)pthread_mutex_unlock(&h->mu);
	return explain(rc, err);
}
