#include "snapshot/log/record_body.h"

#include <stdlib.h>
#include <string.h>

void
record_release(struct record *r)
{
	if (r->lost)
		free(r->why);
	if (r->open && r->head.type == RECORD_SNAPSHOT)
		snapshot_free(r->snapshot);
	if (r->open && r->head.type == RECORD_EXPIRE) {
		free(r->expire.targets);
		free(r->expire.why);
	}
	if (r->open && r->head.type == RECORD_HOLD)
		free(r->hold.why);
	if (r->open && r->head.type == RECORD_PRIMARY)
		free(r->primary.site);
	memset(r, 0, sizeof(*r));
}

void
record_free(struct record *r)
{
	if (r == NULL)
		return;
	record_release(r);
	free(r);
}

/* --- texts -------------------------------------------------------------- */

void
record_text_write(struct wr *w, const char *text)
{
	wr_string(w, text, strlen(text));
}

int
record_text_read(struct rd *r, size_t max, char **out, struct err *err)
{
	size_t len;
	const uint8_t *p = rd_string(r, &len);

	if (p == NULL || len > max || memchr(p, '\0', len) != NULL) {
		r->failed = true;
		return 0;
	}
	*out = strndup((const char *)p, len);
	return *out == NULL ? err_nomem(err) : 0;
}

int
record_text_check(
    const char *what, const char *text, size_t max, struct err *err)
{
	if (text == NULL)
		return err_set(err, ERR_BUG, "a log record without a %s", what);
	if (strlen(text) > max)
		return err_set(err, ERR_USAGE,
		    "the %s is longer than %zu bytes: '%.64s...'", what, max,
		    text);
	return 0;
}

/* --- FORMAT.md section 9: targets --------------------------------------- */

static void
wr_target(struct wr *w, const struct record_target *t)
{
	wr_varint(w, t->seq);
	wr_bytes(w, t->id, OBJECT_NAME_LEN);
}

/* Those of an expire record ascend: ${after} is the one before it, or 0. */
static void
rd_target(struct rd *r, const struct record *rec, uint64_t after,
    struct record_target *t)
{
	t->seq = rd_varint(r);
	rd_copy(r, t->id, OBJECT_NAME_LEN);
	if (t->seq <= after || t->seq >= rec->head.seq)
		r->failed = true;
}

#define TARGET_MIN (1 + OBJECT_NAME_LEN)

/* --- type 2: expire ------------------------------------------------------ */

static void
wr_expire(struct wr *w, const struct record_expire *e)
{
	wr_varint(w, e->n);
	for (size_t i = 0; i < e->n; i++)
		wr_target(w, &e->targets[i]);
	record_text_write(w, e->why);
}

static int
rd_expire(struct rd *r, struct record *rec, struct err *err)
{
	struct record_expire *e = &rec->expire;
	size_t n = rd_count(r, TARGET_MIN);
	uint64_t after = 0;

	if (n == 0) {
		r->failed = true;
		return 0;
	}
	e->targets = calloc(n, sizeof(*e->targets));
	if (e->targets == NULL)
		return err_nomem(err);
	e->n = n;
	for (size_t i = 0; i < n; i++) {
		rd_target(r, rec, after, &e->targets[i]);
		after = e->targets[i].seq;
	}
	return record_text_read(r, RECORD_WHY_MAX, &e->why, err);
}

/* --- type 3: hold -------------------------------------------------------- */

static void
wr_hold(struct wr *w, const struct record_hold *h)
{
	wr_target(w, &h->target);
	wr_u8(w, h->on);
	record_text_write(w, h->why);
}

static int
rd_hold(struct rd *r, struct record *rec, struct err *err)
{
	uint8_t on;

	rd_target(r, rec, 0, &rec->hold.target);
	on = rd_u8(r);
	if (on > 1)
		r->failed = true;
	rec->hold.on = on == 1;
	return record_text_read(r, RECORD_WHY_MAX, &rec->hold.why, err);
}

/* --- type 5: prune ------------------------------------------------------- */

static void
wr_prune(struct wr *w, const struct record_prune *p)
{
	wr_varint(w, p->gone_objects);
	wr_varint(w, p->gone_bytes);
	wr_varint(w, p->leaving_objects);
	wr_varint(w, p->leaving_bytes);
	wr_varint(w, p->written_packs);
	wr_varint(w, p->written_bytes);
	wr_varint(w, p->gone_chunks);
	wr_varint(w, p->dead_bytes);
}

static void
rd_prune(struct rd *r, struct record_prune *p)
{
	p->gone_objects = rd_varint(r);
	p->gone_bytes = rd_varint(r);
	p->leaving_objects = rd_varint(r);
	p->leaving_bytes = rd_varint(r);
	p->written_packs = rd_varint(r);
	p->written_bytes = rd_varint(r);
	p->gone_chunks = rd_varint(r);
	p->dead_bytes = rd_varint(r);
}

/* --- type 6: primary ----------------------------------------------------- */

static void
wr_primary(struct wr *w, const struct record_primary *p)
{
	record_text_write(w, p->site);
	wr_bytes(w, p->id, IDENTITY_ID_LEN);
	wr_varint(w, p->change);
}

static int
rd_primary(struct rd *r, struct record_primary *p, struct err *err)
{
	int rc = record_text_read(r, RECORD_SITE_MAX, &p->site, err);

	rd_copy(r, p->id, IDENTITY_ID_LEN);
	p->change = rd_varint(r);
	if (p->change == 0 || (p->site != NULL && p->site[0] == '\0'))
		r->failed = true;
	return rc;
}

/* --- all types ----------------------------------------------------------- */

static int
check_texts(const struct record *r, struct err *err)
{
	switch (r->head.type) {
	case RECORD_EXPIRE:
		return record_text_check(
		    "reason", r->expire.why, RECORD_WHY_MAX, err);
	case RECORD_HOLD:
		return record_text_check(
		    "reason", r->hold.why, RECORD_WHY_MAX, err);
	case RECORD_PRIMARY:
		return record_text_check(
		    "site's name", r->primary.site, RECORD_SITE_MAX, err);
	default:
		return 0;
	}
}

static int
write_body(const struct record *r, struct wr *w, struct err *err)
{
	switch (r->head.type) {
	case RECORD_SNAPSHOT:
		return record_snapshot_write(r->snapshot, w, err);
	case RECORD_EXPIRE:
		wr_expire(w, &r->expire);
		return 0;
	case RECORD_HOLD:
		wr_hold(w, &r->hold);
		return 0;
	case RECORD_RULES:
		rules_write(&r->rules, w);
		return 0;
	case RECORD_PRUNE:
		wr_prune(w, &r->prune);
		return 0;
	case RECORD_PRIMARY:
		wr_primary(w, &r->primary);
		return 0;
	}
	return err_set(
	    err, ERR_BUG, "a log record of type %d", (int)r->head.type);
}

static int
read_body(struct rd *rd, struct record *r, struct err *err)
{
	switch (r->head.type) {
	case RECORD_SNAPSHOT:
		r->snapshot = calloc(1, sizeof(*r->snapshot));
		if (r->snapshot == NULL)
			return err_nomem(err);
		return record_snapshot_read(rd, r->snapshot, err);
	case RECORD_EXPIRE:
		return rd_expire(rd, r, err);
	case RECORD_HOLD:
		return rd_hold(rd, r, err);
	case RECORD_RULES:
		rules_read(rd, &r->rules);
		return 0;
	case RECORD_PRUNE:
		rd_prune(rd, &r->prune);
		return 0;
	case RECORD_PRIMARY:
		return rd_primary(rd, &r->primary, err);
	}
	return err_set(
	    err, ERR_BUG, "a log record of type %d", (int)r->head.type);
}

static void
take_head(struct snapshot *s, const struct record_head *head)
{
	s->seq = head->seq;
	memcpy(s->prev, head->prev, OBJECT_NAME_LEN);
	memcpy(s->signer, head->signer, IDENTITY_ID_LEN);
}

int
record_body_decode(
    const uint8_t *buf, size_t len, struct record *r, struct err *err)
{
	struct rd rd = rd_init(buf, len);
	int rc;

	r->open = true;
	rc = read_body(&rd, r, err);
	if (rc != 0)
		return rc;
	if (!rd_done(&rd))
		return err_set(err, ERR_CORRUPT, "malformed log record");
	if (r->head.type != RECORD_SNAPSHOT)
		return 0;
	if (r->snapshot->end.s != r->head.time)
		return err_set(err, ERR_CORRUPT,
		    "a log record signed at another time than its snapshot"
		    " ended");
	take_head(r->snapshot, &r->head);
	return 0;
}

int
record_body_encode(const struct record *r, struct wr *w, struct err *err)
{
	struct record again = {.head = r->head};
	size_t start = w->len;
	int rc = check_texts(r, err);

	if (rc == 0)
		rc = write_body(r, w, err);
	if (rc != 0)
		return rc;
	if (w->failed)
		return err_nomem(err);
	/* A record that nobody can read would be the end of its log. */
	rc = record_body_decode(w->buf + start, w->len - start, &again, err);
	record_release(&again);
	if (rc == 0 || rc == ERR_NOMEM)
		return rc;
	(void)err_wrap(err, "a body that no log record can hold");
	if (err != NULL)
		err->code = ERR_BUG;
	return ERR_BUG;
}
