#include "snapshot/state/heads_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct heads {
	pthread_mutex_t mu;
	struct sql *sql; /* guarded by mu */
	uint8_t store[STORE_ID_LEN];
};

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
	rc = sql_open_in(dir, FILE_NAME, &heads_kind, &q, err);
	if (rc == 0)
		rc = sql_explain(
		    &heads_kind, pins_compare(q, root, address, err), err);
	return rc;
}

int
heads_accept(const char *dir, const struct root *root, const char *address,
    struct err *err)
{
	AUTO(sql) struct sql *q = NULL;
	int rc = sql_open_in(dir, FILE_NAME, &heads_kind, &q, err);

	if (rc == 0)
		rc = sql_explain(
		    &heads_kind, pins_accept(q, root, address, err), err);
	return rc;
}

int
heads_open(const char *dir, const struct root *root, const char *address,
    struct heads **out, struct err *err)
{
	AUTO(sql) struct sql *q = NULL;
	struct heads *h;
	int rc = sql_open_in(dir, FILE_NAME, &heads_kind, &q, err);

	*out = NULL;
	if (rc == 0)
		rc = sql_explain(
		    &heads_kind, pins_hold_to(q, root, address, err), err);
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
	return sql_explain(&heads_kind, rc, err);
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
	return sql_explain(&heads_kind, rc, err);
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
	return sql_explain(&heads_kind, rc, err);
}
