/* What a site has refused, and to whom. */
#include "snapshot/state/sitedb_internal.h"

#include <string.h>

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
	return sql_explain(&sitedb_kind, rc, err);
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
