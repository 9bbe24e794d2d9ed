#include "snapshot/state/state_internal.h"

#include <string.h>

/*
 * The packs that a run has stored and no snapshot refers to yet. Each is
 * committed at once, and with it what has been written of the generation: see
 * state_internal.h for why that does no harm.
 */

static int
add_row(struct state *s, const uint8_t pack[OBJECT_NAME_LEN],
    const struct wr *box, struct err *err)
{
	bool within = !sqlite3_get_autocommit(s->sql->db);
	int rc;

	sql_blob(s->sql, STATE_PENDING_ADD, 1, pack, OBJECT_NAME_LEN);
	sql_blob(s->sql, STATE_PENDING_ADD, 2, box->buf, box->len);
	rc = sql_run(s->sql, STATE_PENDING_ADD, err);
	if (rc == 0 && within)
		rc = sql_exec(s->sql, "COMMIT; BEGIN IMMEDIATE", err);
	return rc;
}

int
state_pending_add(struct state *s, const uint8_t pack[OBJECT_NAME_LEN],
    const uint8_t *index, size_t len, struct err *err)
{
	WR_AUTO struct wr box = {0};
	int rc = state_seal(s, STATE_LABEL_PENDING, pack, OBJECT_NAME_LEN,
	    index, len, &box, err);

	if (rc != 0)
		return rc;
	(void)pthread_mutex_lock(&s->mu);
	rc = add_row(s, pack, &box, err);
	rc = s->writing ? state_note_write(s, rc, err) : state_note(s, rc);
	(void)pthread_mutex_unlock(&s->mu);
	return rc;
}

/* The next row after *${id}, opened: 1, 0 when there is none, or an error. */
static int
next_row(struct state *s, int64_t *id, struct wr *w, struct err *err)
{
	const uint8_t *pack;
	const uint8_t *box;
	size_t packlen;
	size_t len;
	int rc;

	sql_int(s->sql, STATE_PENDING_NEXT, 1, *id);
	rc = sql_row(s->sql, STATE_PENDING_NEXT, err);
	if (rc <= 0)
		return rc;
	*id = sqlite3_column_int64(s->sql->st[STATE_PENDING_NEXT], 0);
	pack = sql_column(s->sql, STATE_PENDING_NEXT, 1, &packlen);
	box = sql_column(s->sql, STATE_PENDING_NEXT, 2, &len);
	rc = state_open_box(
	    s, STATE_LABEL_PENDING, pack, packlen, box, len, w, err);
	return rc == 0 ? 1 : rc;
}

int
state_pending_each(
    struct state *s, state_pending_fn *visit, void *arg, struct err *err)
{
	WR_AUTO struct wr w = {0};
	int64_t id = 0;
	int rc;

	for (;;) {
		wr_reset(&w);
		/* Not held while visiting: that may add packs. */
		(void)pthread_mutex_lock(&s->mu);
		rc = state_note(s, next_row(s, &id, &w, err));
		sql_reset(s->sql, STATE_PENDING_NEXT);
		(void)pthread_mutex_unlock(&s->mu);
		if (rc <= 0)
			return rc;
		rc = visit(arg, w.buf, w.len, err);
		if (rc != 0)
			return rc;
	}
}
