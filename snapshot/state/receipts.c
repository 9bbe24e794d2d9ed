#include "snapshot/state/receipts.h"
#include "snapshot/state/sql.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] = "CREATE TABLE receipt("
			     "  store BLOB NOT NULL,"
			     "  site BLOB NOT NULL,"
			     "  dataset BLOB NOT NULL,"
			     "  time INTEGER NOT NULL,"
			     "  bytes BLOB NOT NULL,"
			     "  PRIMARY KEY(store, site, dataset)"
			     ") WITHOUT ROWID, STRICT;";

enum { RECEIPT_PUT, RECEIPT_GET, NSTATEMENTS };

static const char *const statements[NSTATEMENTS] = {
    [RECEIPT_PUT] = "INSERT INTO receipt(store, site, dataset, time, bytes)"
		    " VALUES(?, ?, ?, ?, ?)"
		    " ON CONFLICT DO UPDATE SET time = excluded.time,"
		    " bytes = excluded.bytes WHERE excluded.time >= time",
    [RECEIPT_GET] = "SELECT bytes FROM receipt"
		    " WHERE store = ? AND site = ? AND dataset = ?",
};

static const struct sql_kind kind = {
    .application = 0x56525665, /* "VRVe" */
    .version = 1,
    .schema = schema,
    .statements = statements,
    .nstatements = NSTATEMENTS,
    .advice = "the kept receipts are damaged: remove the file; the sites give"
	      " them anew",
};

struct receipts {
	pthread_mutex_t mu;
	struct sql *sql; /* guarded by mu */
	uint8_t store[STORE_ID_LEN];
};

int
receipts_open(const char *dir, const uint8_t store[STORE_ID_LEN],
    struct receipts **out, struct err *err)
{
	AUTO(sql) struct sql *q = NULL;
	struct receipts *r;
	int rc = sql_open_in(dir, "receipts.db", &kind, &q, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_nomem(err);
	if (pthread_mutex_init(&r->mu, NULL) != 0) {
		free(r);
		return err_nomem(err);
	}
	memcpy(r->store, store, STORE_ID_LEN);
	r->sql = STEAL(q);
	*out = r;
	return 0;
}

void
receipts_close(struct receipts *r)
{
	if (r == NULL)
		return;
	sql_close(r->sql);
	(void)pthread_mutex_destroy(&r->mu);
	free(r);
}

int
receipts_put(
    struct receipts *r, const uint8_t *buf, size_t len, struct err *err)
{
	struct receipt parsed;
	int rc = receipt_peek(buf, len, &parsed, err);

	if (rc != 0)
		return rc;
	if (memcmp(parsed.store, r->store, STORE_ID_LEN) != 0)
		return err_set(err, ERR_USAGE, "a receipt of another store");
	(void)pthread_mutex_lock(&r->mu);
	sql_blob(r->sql, RECEIPT_PUT, 1, r->store, STORE_ID_LEN);
	sql_blob(r->sql, RECEIPT_PUT, 2, parsed.site, IDENTITY_ID_LEN);
	sql_blob(r->sql, RECEIPT_PUT, 3, parsed.dataset, RECEIPT_DATASET_LEN);
	sql_int(r->sql, RECEIPT_PUT, 4, parsed.time);
	sql_blob(r->sql, RECEIPT_PUT, 5, buf, len);
	rc = sql_run(r->sql, RECEIPT_PUT, err);
	(void)pthread_mutex_unlock(&r->mu);
	return sql_explain(&kind, rc, err);
}

static int
read_row(struct sql *q, uint8_t buf[RECEIPT_LEN], struct err *err)
{
	const uint8_t *p;
	size_t len;
	int rc = sql_row(q, RECEIPT_GET, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_NOT_FOUND, "no receipt is kept");
	p = sql_column(q, RECEIPT_GET, 0, &len);
	if (len != RECEIPT_LEN)
		return err_set(err, ERR_CORRUPT, "'%s': a receipt of %zu bytes",
		    q->path, len);
	memcpy(buf, p, len);
	return 0;
}

int
receipts_get(struct receipts *r, const uint8_t site[IDENTITY_ID_LEN],
    const uint8_t dataset[RECEIPT_DATASET_LEN], uint8_t buf[RECEIPT_LEN],
    struct err *err)
{
	int rc;

	memset(buf, 0, RECEIPT_LEN);
	(void)pthread_mutex_lock(&r->mu);
	sql_blob(r->sql, RECEIPT_GET, 1, r->store, STORE_ID_LEN);
	sql_blob(r->sql, RECEIPT_GET, 2, site, IDENTITY_ID_LEN);
	sql_blob(r->sql, RECEIPT_GET, 3, dataset, RECEIPT_DATASET_LEN);
	rc = read_row(r->sql, buf, err);
	sql_reset(r->sql, RECEIPT_GET);
	(void)pthread_mutex_unlock(&r->mu);
	return sql_explain(&kind, rc, err);
}
