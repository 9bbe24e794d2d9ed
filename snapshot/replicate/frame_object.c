/* Frames that carry, or are about, single objects. */
#include "snapshot/replicate/frame_internal.h"
#include "snapshot/store/object_ref.h"

#include <string.h>

/* Classes have fixed numbers on the wire. */
enum wire_class { WIRE_KEY = 1, WIRE_LOG = 2, WIRE_INDEX = 3, WIRE_PACK = 4 };

uint8_t
frame_class_code(enum object_class cls)
{
	switch (cls) {
	case OBJECT_KEY:
		return WIRE_KEY;
	case OBJECT_LOG:
		return WIRE_LOG;
	case OBJECT_INDEX:
		return WIRE_INDEX;
	case OBJECT_PACK:
		return WIRE_PACK;
	case OBJECT_ROOT:
		break;
	}
	return 0;
}

bool
frame_class_of(uint8_t v, enum object_class *out)
{
	switch (v) {
	case WIRE_KEY:
		*out = OBJECT_KEY;
		return true;
	case WIRE_LOG:
		*out = OBJECT_LOG;
		return true;
	case WIRE_INDEX:
		*out = OBJECT_INDEX;
		return true;
	case WIRE_PACK:
		*out = OBJECT_PACK;
		return true;
	default:
		return false;
	}
}

bool
frame_dataset_fits(
    enum object_class cls, const uint8_t dataset[STORE_DATASET_LEN])
{
	static const uint8_t none[STORE_DATASET_LEN];

	return (cls == OBJECT_KEY) ==
	       (memcmp(dataset, none, STORE_DATASET_LEN) == 0);
}

/* --- PROTOCOL.md section 3: references to objects ------------------------ */

static void
write_ref(const struct object_ref *ref, struct wr *w)
{
	wr_u8(w, frame_class_code(ref->cls));
	wr_bytes(w, ref->dataset, STORE_DATASET_LEN);
	wr_u64(w, ref->seq);
	wr_bytes(w, ref->name, OBJECT_NAME_LEN);
}

static bool
read_ref(struct rd *r, struct object_ref *out)
{
	bool known = frame_class_of(rd_u8(r), &out->cls);

	rd_copy(r, out->dataset, STORE_DATASET_LEN);
	out->seq = rd_u64(r);
	rd_copy(r, out->name, OBJECT_NAME_LEN);
	return known && !r->failed &&
	       frame_dataset_fits(out->cls, out->dataset) &&
	       (out->cls == OBJECT_LOG) == (out->seq != 0);
}

/* --- sections 5 and 6 ----------------------------------------------------- */

void
frame_put(const struct frame_object *f, struct wr *w)
{
	write_ref(&f->ref, w);
	wr_u64(w, f->size);
}

int
frame_parse_put(
    const uint8_t *buf, size_t len, struct frame_object *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	bool ok;

	memset(out, 0, sizeof(*out));
	ok = read_ref(&r, &out->ref);
	out->size = rd_u64(&r);
	if (!ok || !rd_done(&r) || out->size == 0)
		return frame_malformed(FRAME_PUT, err);
	if (out->size > object_size_max(out->ref.cls))
		return err_set(err, ERR_CORRUPT,
		    "an object of %ju bytes is over the limit",
		    (uintmax_t)out->size);
	return 0;
}

void
frame_get(const struct object_ref *ref, struct wr *w)
{
	write_ref(ref, w);
}

int
frame_parse_get(
    const uint8_t *buf, size_t len, struct object_ref *out, struct err *err)
{
	struct rd r = rd_init(buf, len);

	memset(out, 0, sizeof(*out));
	if (!read_ref(&r, out) || !rd_done(&r))
		return frame_malformed(FRAME_GET, err);
	return 0;
}

void
frame_commit(const struct frame_commit *f, struct wr *w)
{
	wr_bytes(w, f->dataset, STORE_DATASET_LEN);
	wr_u64(w, f->first);
	wr_u64(w, f->last);
}

int
frame_parse_commit(
    const uint8_t *buf, size_t len, struct frame_commit *out, struct err *err)
{
	struct rd r = rd_init(buf, len);

	rd_copy(&r, out->dataset, STORE_DATASET_LEN);
	out->first = rd_u64(&r);
	out->last = rd_u64(&r);
	if (!rd_done(&r) || out->first == 0 || out->last < out->first)
		return frame_malformed(FRAME_COMMIT, err);
	return 0;
}

/* --- answers -------------------------------------------------------------- */

void
frame_ack(uint64_t objects, struct wr *w)
{
	wr_u64(w, objects);
}

int
frame_parse_ack(
    const uint8_t *buf, size_t len, uint64_t *objects, struct err *err)
{
	struct rd r = rd_init(buf, len);

	*objects = rd_u64(&r);
	return rd_done(&r) ? 0 : frame_malformed(FRAME_ACK, err);
}

/* An enum err_code, as its absolute value. */
static void
write_why(const struct err *why, struct wr *w)
{
	wr_u8(w, (uint8_t)-why->code);
	frame_write_text(w, why->text, FRAME_TEXT_MAX);
}

/* A code that isn't known here is some failure on the other side. */
static bool
read_why(struct rd *r, struct err *out)
{
	char text[FRAME_TEXT_MAX + 1];
	uint8_t code = rd_u8(r);

	if (code == 0 || !frame_read_text(r, text, FRAME_TEXT_MAX))
		return false;
	(void)err_set(
	    out, code <= -ERR_CANCELLED ? -(int)code : ERR_IO, "%s", text);
	return true;
}

void
frame_nak(const struct frame_nak *f, struct wr *w)
{
	write_ref(&f->ref, w);
	write_why(&f->why, w);
}

int
frame_parse_nak(
    const uint8_t *buf, size_t len, struct frame_nak *out, struct err *err)
{
	struct rd r = rd_init(buf, len);

	memset(out, 0, sizeof(*out));
	if (!read_ref(&r, &out->ref) || !read_why(&r, &out->why) ||
	    !rd_done(&r))
		return frame_malformed(FRAME_NAK, err);
	return 0;
}

void
frame_gap(const struct frame_gap *f, struct wr *w)
{
	write_ref(&f->ref, w);
	wr_u64(w, f->missing);
}

int
frame_parse_gap(
    const uint8_t *buf, size_t len, struct frame_gap *out, struct err *err)
{
	struct rd r = rd_init(buf, len);

	memset(out, 0, sizeof(*out));
	if (!read_ref(&r, &out->ref))
		return frame_malformed(FRAME_GAP, err);
	out->missing = rd_u64(&r);
	if (!rd_done(&r) || out->ref.cls != OBJECT_LOG || out->missing == 0 ||
	    out->missing >= out->ref.seq)
		return frame_malformed(FRAME_GAP, err);
	return 0;
}

void
frame_error(const struct err *why, struct wr *w)
{
	write_why(why, w);
}

int
frame_parse_error(
    const uint8_t *buf, size_t len, struct err *out, struct err *err)
{
	struct rd r = rd_init(buf, len);

	if (!read_why(&r, out) || !rd_done(&r))
		return frame_malformed(FRAME_ERROR, err);
	return 0;
}
