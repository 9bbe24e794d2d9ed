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
	free(s->indexes);
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

/* --- a text: a string without a NUL ------------------------------------ */

static void
wr_text(struct wr *w, const char *text)
{
	wr_string(w, text, strlen(text));
}

static int
rd_text(struct rd *r, size_t max, char **out, struct err *err)
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

/* --- the root directory's entry ---------------------------------------- */

int
record_body_root(struct snapshot *s, struct err *err)
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
	return record_body_root(s, err);
}

/* --- the indexes ------------------------------------------------------- */

static void
wr_indexes(struct wr *w, const struct snapshot *s)
{
	wr_varint(w, s->nindexes);
	for (size_t i = 0; i < s->nindexes; i++)
		wr_bytes(w, s->indexes[i], OBJECT_NAME_LEN);
}

static int
rd_indexes(struct rd *r, struct snapshot *s, struct err *err)
{
	size_t n = rd_count(r, OBJECT_NAME_LEN);
	const uint8_t *p = rd_bytes(r, n * OBJECT_NAME_LEN);

	if (p == NULL || n == 0)
		return 0;
	s->indexes = malloc(n * OBJECT_NAME_LEN);
	if (s->indexes == NULL)
		return err_nomem(err);
	memcpy(s->indexes, p, n * OBJECT_NAME_LEN);
	s->nindexes = n;
	return 0;
}

/* --- FORMAT.md section 9, type 1: a snapshot --------------------------- */

static void
wr_snapshot(struct wr *w, const struct snapshot *s)
{
	wr_moment(w, s->time);
	wr_moment(w, s->end);
	wr_u8(w, (uint8_t)s->kind);
	wr_text(w, s->host);
	wr_text(w, s->source);
	wr_text(w, s->program);
	wr_string(w, s->root, s->root_len);
	wr_varint(w, s->added_chunks);
	wr_varint(w, s->added_bytes);
	wr_varint(w, s->added_stored);
	wr_varint(w, s->unreadable);
	wr_varint(w, s->changed);
	wr_varint(w, s->problems_size);
	content_encode(&s->problems, w);
	wr_varint(w, s->next_ino);
	wr_indexes(w, s);
}

static int
rd_snapshot(struct rd *r, struct snapshot *s, struct err *err)
{
	int rc;

	s->time = rd_moment(r);
	s->end = rd_moment(r);
	s->kind = (enum snapshot_kind)rd_u8(r);
	rc = rd_text(r, RECORD_HOST_MAX, &s->host, err);
	if (rc == 0)
		rc = rd_text(r, RECORD_SOURCE_MAX, &s->source, err);
	if (rc == 0)
		rc = rd_text(r, RECORD_PROGRAM_MAX, &s->program, err);
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
	return rd_indexes(r, s, err);
}

static bool
in_range(const struct snapshot *s)
{
	return (s->kind == SNAPSHOT_FULL || s->kind == SNAPSHOT_DIFFERENTIAL) &&
	       s->next_ino >= 1 && s->next_ino <= INO_END;
}

int
record_body_decode(
    const uint8_t *buf, size_t len, struct snapshot **out, struct err *err)
{
	AUTO(snapshot) struct snapshot *s = calloc(1, sizeof(*s));
	struct rd r = rd_init(buf, len);
	uint8_t type = rd_u8(&r);
	int rc;

	*out = NULL;
	if (s == NULL)
		return err_nomem(err);
	if (!r.failed && type != RECORD_SNAPSHOT)
		return err_set(err, ERR_VERSION,
		    "a log record of type %u, which this program does not"
		    " know",
		    type);
	rc = rd_snapshot(&r, s, err);
	if (rc != 0)
		return rc;
	if (!rd_done(&r) || !in_range(s))
		return err_set(err, ERR_CORRUPT, "malformed snapshot record");
	*out = STEAL(s);
	return 0;
}

static int
check_text(const char *what, const char *text, size_t max, struct err *err)
{
	if (text == NULL)
		return err_set(err, ERR_BUG, "a snapshot without a %s", what);
	if (strlen(text) > max)
		return err_set(err, ERR_USAGE,
		    "the %s is longer than %zu bytes: '%.64s...'", what, max,
		    text);
	return 0;
}

int
record_body_encode(const struct snapshot *s, struct wr *w, struct err *err)
{
	AUTO(snapshot) struct snapshot *again = NULL;
	size_t start = w->len;
	int rc = check_text("host", s->host, RECORD_HOST_MAX, err);

	if (rc == 0)
		rc = check_text("source", s->source, RECORD_SOURCE_MAX, err);
	if (rc == 0)
		rc = check_text("program", s->program, RECORD_PROGRAM_MAX, err);
	if (rc != 0)
		return rc;
	wr_u8(w, RECORD_SNAPSHOT);
	wr_snapshot(w, s);
	if (w->failed)
		return err_nomem(err);
	/* A record that nobody can read would be the end of its log. */
	rc = record_body_decode(w->buf + start, w->len - start, &again, err);
	if (rc == 0 || rc == ERR_NOMEM)
		return rc;
	(void)err_wrap(err, "a snapshot that no record can hold");
	if (err != NULL)
		err->code = ERR_BUG;
	return ERR_BUG;
}
