#include "snapshot/log/record_body.h"

#include <stdlib.h>
#include <string.h>

#define NS_END 1000000000
#define INO_END (ENTRY_INO_MAX + 1)

int
moment_compare(struct moment a, struct moment b)
{
	if (a.s != b.s)
		return a.s < b.s ? -1 : 1;
	return (a.ns > b.ns) - (a.ns < b.ns);
}

void
snapshot_free(struct snapshot *s)
{
	if (s == NULL)
		return;
	free(s->host);
	free(s->source);
	free(s->program);
	free(s->root);
	free(s);
}

/* --- FORMAT.md section 1: time ----------------------------------------- */

static void
wr_moment(struct wr *w, struct moment m)
{
	wr_svarint(w, m.s);
	wr_varint(w, m.ns);
}

static struct moment
rd_moment(struct rd *r)
{
	struct moment m = {.s = rd_svarint(r)};
	uint64_t ns = rd_varint(r);

	if (ns >= NS_END)
		r->failed = true;
	else
		m.ns = (uint32_t)ns;
	return m;
}

/* --- the root directory's entry ---------------------------------------- */

int
record_snapshot_root(struct snapshot *s, struct err *err)
{
	struct entry e;
	int rc = entry_decode(s->root, s->root_len, &e, err);

	if (rc != 0)
		return err_wrap(err, "the root's entry");
	if (e.type != ENTRY_DIR)
		return err_set(err, ERR_CORRUPT, "the root is no directory");
	s->totals = e.totals;
	return 0;
}

static int
rd_root(struct rd *r, struct snapshot *s, struct err *err)
{
	size_t len;
	const uint8_t *p = rd_string(r, &len);

	if (p == NULL || len == 0) {
		r->failed = true;
		return 0;
	}
	s->root = malloc(len);
	if (s->root == NULL)
		return err_nomem(err);
	memcpy(s->root, p, len);
	s->root_len = len;
	return record_snapshot_root(s, err);
}

/* --- FORMAT.md section 9, type 1: a snapshot --------------------------- */

static void
wr_snapshot(struct wr *w, const struct snapshot *s)
{
	wr_moment(w, s->time);
	wr_moment(w, s->end);
	wr_u8(w, (uint8_t)s->kind);
	record_text_write(w, s->host);
	record_text_write(w, s->source);
	record_text_write(w, s->program);
	wr_string(w, s->root, s->root_len);
	wr_varint(w, s->added_chunks);
	wr_varint(w, s->added_bytes);
	wr_varint(w, s->added_stored);
	wr_varint(w, s->unreadable);
	wr_varint(w, s->changed);
	wr_varint(w, s->problems_size);
	content_encode(&s->problems, w);
	wr_varint(w, s->next_ino);
}

static bool
in_range(const struct snapshot *s)
{
	return (s->kind == SNAPSHOT_FULL || s->kind == SNAPSHOT_DIFFERENTIAL) &&
	       s->next_ino >= 1 && s->next_ino <= INO_END;
}

int
record_snapshot_read(struct rd *r, struct snapshot *s, struct err *err)
{
	int rc;

	s->time = rd_moment(r);
	s->end = rd_moment(r);
	s->kind = (enum snapshot_kind)rd_u8(r);
	rc = record_text_read(r, RECORD_HOST_MAX, &s->host, err);
	if (rc == 0)
		rc = record_text_read(r, RECORD_SOURCE_MAX, &s->source, err);
	if (rc == 0)
		rc = record_text_read(r, RECORD_PROGRAM_MAX, &s->program, err);
	if (rc == 0)
		rc = rd_root(r, s, err);
	if (rc != 0)
		return rc;
	s->added_chunks = rd_varint(r);
	s->added_bytes = rd_varint(r);
	s->added_stored = rd_varint(r);
	s->unreadable = rd_varint(r);
	s->changed = rd_varint(r);
	s->problems_size = rd_varint(r);
	if (r->failed)
		return 0;
	rc = content_decode(r, s->problems_size, &s->problems, err);
	if (rc != 0)
		return err_wrap(err, "the list of problems");
	s->next_ino = rd_varint(r);
	r->failed |= !in_range(s);
	return 0;
}

int
record_snapshot_write(const struct snapshot *s, struct wr *w, struct err *err)
{
	int rc = record_text_check("host", s->host, RECORD_HOST_MAX, err);

	if (rc == 0)
		rc = record_text_check(
		    "source", s->source, RECORD_SOURCE_MAX, err);
	if (rc == 0)
		rc = record_text_check(
		    "program", s->program, RECORD_PROGRAM_MAX, err);
	if (rc == 0)
		wr_snapshot(w, s);
	return rc;
}
