#include "snapshot/replicate/frame_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[FRAME_TYPES] = {
    [FRAME_HELLO] = "HELLO",
    [FRAME_WHO] = "WHO",
    [FRAME_ROOT] = "ROOT",
    [FRAME_KEY] = "KEY",
    [FRAME_KNOWN] = "KNOWN",
    [FRAME_READY] = "READY",
    [FRAME_STATE] = "STATE",
    [FRAME_HAVE] = "HAVE",
    [FRAME_WANT] = "WANT",
    [FRAME_PUT] = "PUT",
    [FRAME_DATA] = "DATA",
    [FRAME_ABORT] = "ABORT",
    [FRAME_COMMIT] = "COMMIT",
    [FRAME_ACK] = "ACK",
    [FRAME_RECEIPT] = "RECEIPT",
    [FRAME_NAK] = "NAK",
    [FRAME_GET] = "GET",
    [FRAME_LIST] = "LIST",
    [FRAME_NAMES] = "NAMES",
    [FRAME_DONE] = "DONE",
    [FRAME_PING] = "PING",
    [FRAME_PONG] = "PONG",
    [FRAME_ERROR] = "ERROR",
    [FRAME_GAP] = "GAP",
};

const char *
frame_type_name(enum frame_type type)
{
	if (type <= 0 || type >= FRAME_TYPES)
		return "?";
	return names[type];
}

/* --- PROTOCOL.md section 3: the head ------------------------------------ */

void
frame_head(enum frame_type type, size_t len, uint8_t out[FRAME_HEAD])
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(len >> (8 * i));
	out[4] = (uint8_t)type;
	memset(out + 5, 0, FRAME_HEAD - 5);
}

int
frame_parse_head(const uint8_t in[FRAME_HEAD], enum frame_type *type,
    size_t *len, struct err *err)
{
	struct rd r = rd_init(in, FRAME_HEAD);
	uint32_t bytes = rd_u32(&r);
	uint8_t t = rd_u8(&r);

	if (t == 0 || t >= FRAME_TYPES || rd_u8(&r) != 0 || rd_u16(&r) != 0)
		return err_set(
		    err, ERR_CORRUPT, "what came is no frame of the protocol");
	if (bytes > FRAME_MAX)
		return err_set(err, ERR_CORRUPT,
		    "a %s frame of %ju bytes is over the limit", names[t],
		    (uintmax_t)bytes);
	*type = (enum frame_type)t;
	*len = bytes;
	return 0;
}

int
frame_malformed(enum frame_type type, struct err *err)
{
	return err_set(
	    err, ERR_CORRUPT, "a malformed %s frame", frame_type_name(type));
}

bool
frame_read_text(struct rd *r, char *out, size_t max)
{
	size_t len;
	const uint8_t *p = rd_string(r, &len);

	if (p == NULL || len > max || memchr(p, 0, len) != NULL)
		return false;
	memcpy(out, p, len);
	out[len] = '\0';
	return true;
}

void
frame_write_text(struct wr *w, const char *text, size_t max)
{
	wr_string(w, text, strnlen(text, max));
}

/* --- section 4: HELLO --------------------------------------------------- */

static const uint8_t magic[4] = {'V', 'R', 'V', 'w'};
#define HELLO_FOLLOW 1

void
frame_hello(const struct hello *h, struct wr *w)
{
	wr_bytes(w, magic, sizeof(magic));
	wr_u16(w, h->lowest);
	wr_u16(w, h->highest);
	wr_u8(w, (uint8_t)h->mode);
	wr_u8(w, h->follow ? HELLO_FOLLOW : 0);
	wr_bytes(w, h->fingerprint, sizeof(h->fingerprint));
	frame_write_text(w, h->name, FRAME_NAME_MAX);
}

/* The versions stand first, so that all versions can read those of all. */
static int
check_version(const struct hello *h, struct err *err)
{
	if (h->lowest <= PROTOCOL_VERSION && h->highest >= PROTOCOL_VERSION)
		return 0;
	return err_set(err, ERR_VERSION,
	    "this side speaks version %d of the protocol, the other side %d to"
	    " %d: bring the older one up to date",
	    PROTOCOL_VERSION, h->lowest, h->highest);
}

int
frame_parse_hello(
    const uint8_t *buf, size_t len, struct hello *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	const uint8_t *m = rd_bytes(&r, sizeof(magic));
	uint8_t mode, flags;
	int rc;

	memset(out, 0, sizeof(*out));
	out->lowest = rd_u16(&r);
	out->highest = rd_u16(&r);
	if (m == NULL || r.failed || memcmp(m, magic, sizeof(magic)) != 0 ||
	    out->lowest == 0 || out->lowest > out->highest)
		return frame_malformed(FRAME_HELLO, err);
	rc = check_version(out, err);
	if (rc != 0)
		return rc;
	mode = rd_u8(&r);
	flags = rd_u8(&r);
	rd_copy(&r, out->fingerprint, sizeof(out->fingerprint));
	if (!frame_read_text(&r, out->name, FRAME_NAME_MAX) || !rd_done(&r) ||
	    mode > HELLO_FETCH || (flags & ~HELLO_FOLLOW) != 0 ||
	    (flags != 0 && mode != HELLO_PULL))
		return frame_malformed(FRAME_HELLO, err);
	out->mode = (enum hello_mode)mode;
	out->follow = flags != 0;
	return 0;
}

void
frame_who(bool root, struct wr *w)
{
	wr_u8(w, root);
}

int
frame_parse_who(const uint8_t *buf, size_t len, bool *root, struct err *err)
{
	struct rd r = rd_init(buf, len);
	uint8_t flag = rd_u8(&r);

	*root = flag != 0;
	return rd_done(&r) && flag <= 1 ? 0 : frame_malformed(FRAME_WHO, err);
}

/* --- section 5: STATE --------------------------------------------------- */

#define LOG_SIZE (STORE_DATASET_LEN + 8 + OBJECT_NAME_LEN + 1)

void
frame_state(const struct frame_state *s, struct wr *w)
{
	wr_u8(w, s->more);
	wr_bytes(w, s->keys, sizeof(s->keys));
	wr_varint(w, s->n);
	for (size_t i = 0; i < s->n; i++) {
		wr_bytes(w, s->logs[i].dataset, STORE_DATASET_LEN);
		wr_u64(w, s->logs[i].seq);
		wr_bytes(w, s->logs[i].head, OBJECT_NAME_LEN);
		wr_u8(w, s->logs[i].whole);
	}
}

static int
read_logs(struct rd *r, struct frame_state *s, struct err *err)
{
	s->logs = calloc(s->n + 1, sizeof(s->logs[0]));
	if (s->logs == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->n; i++) {
		struct frame_log *l = &s->logs[i];
		uint8_t whole;

		rd_copy(r, l->dataset, STORE_DATASET_LEN);
		l->seq = rd_u64(r);
		rd_copy(r, l->head, OBJECT_NAME_LEN);
		whole = rd_u8(r);
		l->whole = whole == 1;
		if (l->seq == 0 || whole > 1)
			r->failed = true;
	}
	if (rd_done(r))
		return 0;
	free(STEAL(s->logs));
	return frame_malformed(FRAME_STATE, err);
}

int
frame_parse_state(
    const uint8_t *buf, size_t len, struct frame_state *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	uint8_t more = rd_u8(&r);

	memset(out, 0, sizeof(*out));
	out->more = more != 0;
	rd_copy(&r, out->keys, sizeof(out->keys));
	out->n = rd_count(&r, LOG_SIZE);
	if (r.failed || more > 1 || out->n > FRAME_HEADS_MAX ||
	    (out->more && out->n == 0))
		return frame_malformed(FRAME_STATE, err);
	return read_logs(&r, out, err);
}

int
frame_logs_add(struct frame_log **v, size_t *n, const struct frame_state *s,
    struct err *err)
{
	struct frame_log *more;

	if (*n + s->n > FRAME_HEADS_ALL)
		return err_set(err, ERR_CORRUPT,
		    "the other side says that it has more than %d datasets",
		    FRAME_HEADS_ALL);
	more = reallocarray(*v, *n + s->n + 1, sizeof(*more));
	if (more == NULL)
		return err_nomem(err);
	if (s->n > 0)
		memcpy(more + *n, s->logs, s->n * sizeof(*more));
	*v = more;
	*n += s->n;
	return 0;
}

/* --- section 5: HAVE, WANT, NAMES --------------------------------------- */

static void
write_names(const struct frame_names *f, struct wr *w)
{
	wr_varint(w, f->n);
	wr_bytes(w, f->names, f->n * OBJECT_NAME_LEN);
}

static bool
read_names(struct rd *r, struct frame_names *out)
{
	out->n = rd_count(r, OBJECT_NAME_LEN);
	out->names = (const uint8_t(*)[OBJECT_NAME_LEN])rd_bytes(
	    r, out->n * OBJECT_NAME_LEN);
	return rd_done(r) && out->n <= FRAME_NAMES_MAX;
}

void
frame_have(const struct frame_names *f, struct wr *w)
{
	wr_u8(w, frame_class_code(f->cls));
	wr_bytes(w, f->dataset, STORE_DATASET_LEN);
	write_names(f, w);
}

int
frame_parse_have(
    const uint8_t *buf, size_t len, struct frame_names *out, struct err *err)
{
	struct rd r = rd_init(buf, len);

	memset(out, 0, sizeof(*out));
	if (!frame_class_of(rd_u8(&r), &out->cls) || out->cls == OBJECT_LOG)
		return frame_malformed(FRAME_HAVE, err);
	rd_copy(&r, out->dataset, STORE_DATASET_LEN);
	if (!read_names(&r, out) || out->n == 0 ||
	    !frame_dataset_fits(out->cls, out->dataset))
		return frame_malformed(FRAME_HAVE, err);
	return 0;
}

void
frame_names(const struct frame_names *f, struct wr *w)
{
	wr_u8(w, f->more);
	write_names(f, w);
}

int
frame_parse_names(
    const uint8_t *buf, size_t len, struct frame_names *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	uint8_t more = rd_u8(&r);

	memset(out, 0, sizeof(*out));
	out->cls = OBJECT_KEY;
	out->more = more != 0;
	if (!read_names(&r, out) || more > 1 || (out->more && out->n == 0))
		return frame_malformed(FRAME_NAMES, err);
	return 0;
}

size_t
frame_want_bytes(size_t n)
{
	return (n + 7) / 8;
}

void
frame_want(const struct frame_want *f, struct wr *w)
{
	wr_varint(w, f->n);
	wr_bytes(w, f->bits, frame_want_bytes(f->n));
}

int
frame_parse_want(
    const uint8_t *buf, size_t len, struct frame_want *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	uint64_t n = rd_varint(&r);

	memset(out, 0, sizeof(*out));
	if (r.failed || n == 0 || n > FRAME_NAMES_MAX)
		return frame_malformed(FRAME_WANT, err);
	out->n = (size_t)n;
	out->bits = rd_bytes(&r, frame_want_bytes(out->n));
	/* Bits beyond the last are zero: each answer has one form. */
	if (!rd_done(&r) || (n % 8 != 0 && out->bits[n / 8] >> (n % 8) != 0))
		return frame_malformed(FRAME_WANT, err);
	return 0;
}

bool
frame_wanted(const struct frame_want *f, size_t i)
{
	return (f->bits[i / 8] >> (i % 8) & 1) != 0;
}
