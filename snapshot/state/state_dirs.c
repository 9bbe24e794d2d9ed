#include "snapshot/state/state_internal.h"

#include <string.h>

/*
 * The directories of the current generation and of the one being written.
 * Reading may go on beside writing, and both share the database with
 * state_pending_add(): hence the lock.
 */

#define SNAPSHOT_LEN (OBJECT_NAME_LEN + HASH_LEN + 8 + OBJECT_NAME_LEN)
#define PAGE_NAME_LEN (HASH_LEN + 4)

/* What a page's box is bound to: its place. */
static void
page_name(
    const uint8_t key[HASH_LEN], uint32_t page, uint8_t out[PAGE_NAME_LEN])
{
	memcpy(out, key, HASH_LEN);
	for (unsigned i = 0; i < 4; i++)
		out[HASH_LEN + i] = (uint8_t)(page >> (8 * i));
}

int
state_dir_key(struct state *s, const void *path, size_t len,
    uint8_t key[HASH_LEN], struct err *err)
{
	return hmac_sha256(
	    s->keys->names.b, sizeof(s->keys->names.b), path, len, key, err);
}

/* --- reading ----------------------------------------------------------- */

static int
read_snapshot(struct state *s, struct wr *w, struct err *err)
{
	const uint8_t *box;
	size_t len = 0;
	int rc = sql_row(s->sql, STATE_CURRENT_GET, err);

	if (rc < 0)
		return rc;
	box = rc == 0 ? NULL : sql_column(s->sql, STATE_CURRENT_GET, 1, &len);
	if (box == NULL)
		return err_set(
		    err, ERR_NOT_FOUND, "'%s': no snapshot yet", s->path);
	rc = state_open_box(s, STATE_LABEL_SNAPSHOT, NULL, 0, box, len, w, err);
	if (rc == 0 && w->len != SNAPSHOT_LEN)
		return err_set(
		    err, ERR_CORRUPT, "'%s': a row is damaged", s->path);
	return rc;
}

int
state_snapshot(struct state *s, struct state_base *out, struct err *err)
{
	WR_AUTO struct wr w = {0};
	struct rd r;
	int rc;

	(void)pthread_mutex_lock(&s->mu);
	rc = state_note(s, read_snapshot(s, &w, err));
	sql_reset(s->sql, STATE_CURRENT_GET);
	(void)pthread_mutex_unlock(&s->mu);
	if (rc != 0)
		return rc;
	r = rd_init(w.buf, w.len);
	rd_copy(&r, out->id, sizeof(out->id));
	rd_copy(&r, out->source, sizeof(out->source));
	out->prune = rd_u64(&r);
	rd_copy(&r, out->prune_name, sizeof(out->prune_name));
	return 0;
}

/* The page's box, still sealed; mu is held. */
static int
read_box(struct state *s, const uint8_t key[HASH_LEN], uint32_t page,
    struct wr *w, struct err *err)
{
	const uint8_t *box;
	size_t len;
	int rc;

	sql_blob(s->sql, STATE_PAGE_GET, 1, key, HASH_LEN);
	sql_int(s->sql, STATE_PAGE_GET, 2, s->generation);
	sql_int(s->sql, STATE_PAGE_GET, 3, page);
	rc = sql_row(s->sql, STATE_PAGE_GET, err);
	if (rc == 0)
		return err_set(
		    err, ERR_NOT_FOUND, "'%s': no such page", s->path);
	if (rc < 0)
		return rc;
	box = sql_column(s->sql, STATE_PAGE_GET, 0, &len);
	wr_bytes(w, box, len);
	return w->failed ? err_nomem(err) : 0;
}

/* The box is opened without the lock: another thread may write meanwhile. */
int
state_dir_get(struct state *s, const uint8_t key[HASH_LEN], uint32_t page,
    struct wr *w, struct err *err)
{
	WR_AUTO struct wr box = {0};
	uint8_t name[PAGE_NAME_LEN];
	int rc;

	(void)pthread_mutex_lock(&s->mu);
	rc = state_note(s, read_box(s, key, page, &box, err));
	sql_reset(s->sql, STATE_PAGE_GET);
	(void)pthread_mutex_unlock(&s->mu);
	if (rc != 0)
		return rc;
	page_name(key, page, name);
	rc = state_open_box(
	    s, STATE_LABEL_PAGE, name, sizeof(name), box.buf, box.len, w, err);
	if (rc == ERR_CORRUPT) {
		(void)pthread_mutex_lock(&s->mu);
		(void)state_note(s, rc);
		(void)pthread_mutex_unlock(&s->mu);
	}
	return rc;
}

/* --- writing a generation ---------------------------------------------- */

static int
run_with(struct state *s, enum state_statement i, int64_t generation,
    struct err *err)
{
	sql_int(s->sql, i, 1, generation);
	return sql_run(s->sql, i, err);
}

/* Of a generation that never became the current one, nothing shall stay. */
static int
sweep(struct state *s, struct err *err)
{
	int rc = run_with(s, STATE_SWEEP_PAGES, s->generation, err);

	if (rc == 0)
		rc = run_with(s, STATE_SWEEP_DIRS, s->generation, err);
	if (rc == 0)
		rc = run_with(s, STATE_SWEEP_KEPT, s->generation, err);
	return rc;
}

int
state_begin(struct state *s, struct err *err)
{
	int rc;

	if (s->writing)
		return err_set(err, ERR_BUG, "a generation is being written");
	(void)pthread_mutex_lock(&s->mu);
	rc = sql_exec(s->sql, "BEGIN IMMEDIATE", err);
	if (rc == 0) {
		rc = sweep(s, err);
		if (rc != 0)
			sql_rollback(s->sql);
	}
	s->writing = rc == 0;
	atomic_store(&s->failed, false);
	s->put_dir = 0;
	s->nkept = 0;
	rc = state_note(s, rc);
	(void)pthread_mutex_unlock(&s->mu);
	return rc;
}

/*
 * After a failed write SQLite may have rolled back what came before it, so
 * the generation is no longer whole.
 */
static int
check_writing(const struct state *s, struct err *err)
{
	if (!s->writing)
		return err_set(err, ERR_BUG, "no generation is being written");
	return atomic_load(&s->failed) ? err_copy(err, &s->why) : 0;
}

int
state_note_write(struct state *s, int rc, const struct err *err)
{
	if (rc != 0 && !atomic_load(&s->failed)) {
		if (err != NULL)
			s->why = *err;
		else
			(void)err_set(
			    &s->why, rc, "'%s': a write failed", s->path);
		atomic_store(&s->failed, true);
	}
	return state_note(s, rc);
}

static int
find_put_dir(struct state *s, const uint8_t key[HASH_LEN], struct err *err)
{
	int rc;

	sql_blob(s->sql, STATE_DIR_FIND, 1, key, HASH_LEN);
	sql_int(s->sql, STATE_DIR_FIND, 2, s->generation + 1);
	rc = sql_row(s->sql, STATE_DIR_FIND, err);
	if (rc > 0)
		s->put_dir =
		    sqlite3_column_int64(s->sql->st[STATE_DIR_FIND], 0);
	sql_reset(s->sql, STATE_DIR_FIND);
	if (rc == 0)
		return err_set(
		    err, ERR_CORRUPT, "'%s': a row is gone", s->path);
	return rc < 0 ? rc : 0;
}

/* mu is held. */
static int
flush_kept(struct state *s, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->nkept; i++) {
		sql_blob(s->sql, STATE_DIR_KEEP, 1, s->kept[i], HASH_LEN);
		sql_int(s->sql, STATE_DIR_KEEP, 2, s->generation + 1);
		rc = sql_run(s->sql, STATE_DIR_KEEP, err);
	}
	s->nkept = 0;
	return rc;
}

/* The first page that is put of a directory makes its row. */
static int
put_dir(struct state *s, const uint8_t key[HASH_LEN], struct err *err)
{
	static const enum state_statement steps[] = {
	    STATE_DIR_ADD, STATE_DIR_UNKEEP};
	int rc;

	if (s->put_dir != 0 && memcmp(s->put_key, key, HASH_LEN) == 0)
		return 0;
	s->put_dir = 0;
	if ((rc = flush_kept(s, err)) != 0)
		return rc;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		sql_blob(s->sql, steps[i], 1, key, HASH_LEN);
		sql_int(s->sql, steps[i], 2, s->generation + 1);
		rc = sql_run(s->sql, steps[i], err);
		if (rc != 0)
			return rc;
	}
	rc = find_put_dir(s, key, err);
	if (rc == 0)
		memcpy(s->put_key, key, HASH_LEN);
	return rc;
}

static int
put_page(struct state *s, const uint8_t key[HASH_LEN], uint32_t page,
    const struct wr *box, struct err *err)
{
	int rc = put_dir(s, key, err);

	if (rc != 0)
		return rc;
	sql_int(s->sql, STATE_PAGE_PUT, 1, s->put_dir);
	sql_int(s->sql, STATE_PAGE_PUT, 2, page);
	sql_blob(s->sql, STATE_PAGE_PUT, 3, box->buf, box->len);
	return sql_run(s->sql, STATE_PAGE_PUT, err);
}

int
state_dir_put(struct state *s, const uint8_t key[HASH_LEN], uint32_t page,
    const void *buf, size_t len, struct err *err)
{
	WR_AUTO struct wr box = {0};
	uint8_t name[PAGE_NAME_LEN];
	int rc = check_writing(s, err);

	if (rc != 0)
		return rc;
	page_name(key, page, name);
	rc = state_seal(
	    s, STATE_LABEL_PAGE, name, sizeof(name), buf, len, &box, err);
	(void)pthread_mutex_lock(&s->mu);
	if (rc == 0)
		rc = put_page(s, key, page, &box, err);
	rc = state_note_write(s, rc, err);
	(void)pthread_mutex_unlock(&s->mu);
	return rc;
}

/* Many at once: another thread reads meanwhile, and each lock costs time. */
int
state_dir_keep(struct state *s, const uint8_t key[HASH_LEN], struct err *err)
{
	int rc = check_writing(s, err);

	if (rc != 0)
		return rc;
	memcpy(s->kept[s->nkept++], key, HASH_LEN);
	if (s->nkept < STATE_KEPT)
		return 0;
	(void)pthread_mutex_lock(&s->mu);
	rc = state_note_write(s, flush_kept(s, err), err);
	(void)pthread_mutex_unlock(&s->mu);
	return rc;
}

/* --- the end of a generation ------------------------------------------- */

static int
make_current(struct state *s, const struct wr *box, struct err *err)
{
	int64_t next = s->generation + 1;
	int rc = run_with(s, STATE_DROP_PAGES, next, err);

	if (rc == 0)
		rc = run_with(s, STATE_DROP_DIRS, next, err);
	if (rc == 0)
		rc = sql_run(s->sql, STATE_DROP_PENDING, err);
	if (rc == 0) {
		sql_int(s->sql, STATE_CURRENT_SET, 1, next);
		sql_blob(s->sql, STATE_CURRENT_SET, 2, box->buf, box->len);
		rc = sql_run(s->sql, STATE_CURRENT_SET, err);
	}
	if (rc == 0)
		rc = sql_exec(s->sql, "COMMIT", err);
	if (rc == 0) {
		s->generation = next;
		s->writing = false;
	}
	return rc;
}

static int
seal_base(struct state *s, const struct state_base *base, struct wr *box,
    struct err *err)
{
	WR_AUTO struct wr w = {0};

	wr_bytes(&w, base->id, sizeof(base->id));
	wr_bytes(&w, base->source, sizeof(base->source));
	wr_u64(&w, base->prune);
	wr_bytes(&w, base->prune_name, sizeof(base->prune_name));
	if (w.failed)
		return err_nomem(err);
	return state_seal(
	    s, STATE_LABEL_SNAPSHOT, NULL, 0, w.buf, w.len, box, err);
}

int
state_publish(struct state *s, const struct state_base *base, struct err *err)
{
	WR_AUTO struct wr box = {0};
	int rc = check_writing(s, err);

	if (rc != 0)
		return rc;
	rc = seal_base(s, base, &box, err);
	(void)pthread_mutex_lock(&s->mu);
	if (rc == 0)
		rc = flush_kept(s, err);
	if (rc == 0)
		rc = make_current(s, &box, err);
	rc = state_note_write(s, rc, err);
	/* Makes it durable, and the write-ahead log short again. */
	if (rc == 0)
		rc = state_note(s,
		    sql_exec(s->sql, "PRAGMA wal_checkpoint(TRUNCATE)", err));
	(void)pthread_mutex_unlock(&s->mu);
	return rc;
}

/*
 * Part of the generation may have been committed together with pending packs,
 * so undoing the transaction is not enough; and what the sweep misses now, the
 * next state_begin() sweeps.
 */
void
state_rollback(struct state *s)
{
	if (!s->writing)
		return;
	(void)pthread_mutex_lock(&s->mu);
	sql_rollback(s->sql);
	s->writing = false;
	(void)pthread_mutex_unlock(&s->mu);
}
