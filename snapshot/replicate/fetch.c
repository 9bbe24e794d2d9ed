#include "snapshot/replicate/fetch.h"

#include <stdlib.h>
#include <string.h>

int
fetch_begin(struct fetch *f, struct channel *c, struct err *err)
{
	struct frame_state state = {.more = true};
	int rc = channel_send(c, FRAME_READY, NULL, err);

	*f = (struct fetch){.channel = c};
	while (rc == 0 && state.more) {
		struct frame frame;

		rc = channel_expect(c, FRAME_STATE, &frame, err);
		if (rc == 0)
			rc = frame_parse_state(
			    frame.body, frame.len, &state, err);
		if (rc != 0)
			break;
		rc = frame_logs_add(&f->heads, &f->nheads, &state, err);
		free(state.logs);
	}
	return rc;
}

void
fetch_end(struct fetch *f)
{
	free(f->heads);
	f->heads = NULL;
	f->nheads = 0;
}

/* --- one object --------------------------------------------------------- */

static int
ask(struct channel *c, const struct object_ref *ref, struct err *err)
{
	WR_AUTO struct wr w = {0};

	frame_get(ref, &w);
	return channel_send(c, FRAME_GET, &w, err);
}

static bool
same_ref(const struct object_ref *a, const struct object_ref *b)
{
	return a->cls == b->cls && a->seq == b->seq &&
	       memcmp(a->dataset, b->dataset, STORE_DATASET_LEN) == 0 &&
	       memcmp(a->name, b->name, OBJECT_NAME_LEN) == 0;
}

static int
refused(const struct frame *frame, struct err *err)
{
	struct frame_nak nak;
	int rc = frame_parse_nak(frame->body, frame->len, &nak, err);

	return rc != 0 ? rc : err_copy(err, &nak.why);
}

/* After an ABORT comes the reason. */
static int
given_up(struct channel *c, struct err *err)
{
	struct frame frame;
	int rc = channel_expect(c, FRAME_NAK, &frame, err);

	return rc != 0 ? rc : refused(&frame, err);
}

/* Where an object's bytes go: a batch, or memory. */
struct sink {
	struct store_batch *batch;
	uint8_t *buf;
	size_t len;
};

static int
sink_write(struct sink *to, const struct frame *frame, struct err *err)
{
	if (to->batch != NULL)
		return store_batch_write(
		    to->batch, frame->body, frame->len, err);
	memcpy(to->buf + to->len, frame->body, frame->len);
	to->len += frame->len;
	return 0;
}

static int
take_bytes(struct channel *c, uint64_t left, struct sink *to, struct err *err)
{
	int rc = 0;

	while (left > 0 && rc == 0) {
		struct frame frame;

		rc = channel_receive(c, &frame, err);
		if (rc != 0)
			return rc;
		if (frame.type == FRAME_ABORT)
			return given_up(c, err);
		if (frame.type != FRAME_DATA || frame.len == 0 ||
		    frame.len > left)
			return channel_unexpected(&frame, err);
		rc = sink_write(to, &frame, err);
		left -= frame.len;
	}
	return rc;
}

/* Up to the object's size. */
static int
request(struct channel *c, const struct object_ref *ref, uint64_t *size,
    struct err *err)
{
	struct frame_object object = {.size = 0};
	struct frame frame;
	int rc = ask(c, ref, err);

	if (rc == 0)
		rc = channel_receive(c, &frame, err);
	if (rc == 0 && frame.type == FRAME_NAK)
		return refused(&frame, err);
	if (rc == 0 && frame.type != FRAME_PUT)
		rc = channel_unexpected(&frame, err);
	if (rc == 0)
		rc = frame_parse_put(frame.body, frame.len, &object, err);
	if (rc == 0 && !same_ref(&object.ref, ref))
		rc = channel_unexpected(&frame, err);
	*size = object.size;
	return rc;
}

int
fetch_object(struct channel *c, const struct object_ref *ref,
    struct store_batch *b, struct err *err)
{
	struct sink to = {.batch = b};
	uint64_t size;
	int rc = request(c, ref, &size, err);

	if (rc == 0)
		rc = store_batch_begin(b, ref, err);
	if (rc == 0)
		rc = take_bytes(c, size, &to, err);
	if (rc == 0)
		return store_batch_end(b, err);
	store_batch_drop(b);
	return rc;
}

int
fetch_bytes(struct channel *c, const struct object_ref *ref, uint64_t max,
    uint8_t **buf, size_t *len, struct err *err)
{
	uint8_t name[HASH_LEN];
	struct sink to = {0};
	uint64_t size;
	int rc = request(c, ref, &size, err);

	*buf = NULL;
	*len = 0;
	if (rc == 0 && size > max)
		rc = err_set(err, ERR_CORRUPT,
		    "an object of %ju bytes is over the limit",
		    (uintmax_t)size);
	if (rc != 0)
		return rc;
	to.buf = malloc((size_t)size);
	if (to.buf == NULL)
		return err_nomem(err);
	rc = take_bytes(c, size, &to, err);
	if (rc == 0)
		rc = sha256(to.buf, to.len, name, err);
	if (rc == 0 && memcmp(name, ref->name, OBJECT_NAME_LEN) != 0)
		rc = err_set(err, ERR_CORRUPT,
		    "the SHA-256 of what came is not its name");
	if (rc == 0) {
		*buf = STEAL(to.buf);
		*len = to.len;
	}
	free(to.buf);
	return rc;
}

int
fetch_key_names(
    struct channel *c, store_visit_fn *visit, void *arg, struct err *err)
{
	struct frame_names names = {.more = true};
	size_t n = 0;
	int rc = channel_send(c, FRAME_LIST, NULL, err);

	while (rc == 0 && names.more) {
		struct object_ref ref = {.cls = OBJECT_KEY};
		struct frame frame;

		rc = channel_expect(c, FRAME_NAMES, &frame, err);
		if (rc == 0)
			rc = frame_parse_names(
			    frame.body, frame.len, &names, err);
		if (rc == 0 && (n += names.n) > FRAME_NAMES_ALL)
			rc = err_set(err, ERR_CORRUPT,
			    "the other side says that it has more than %d key"
			    " objects",
			    FRAME_NAMES_ALL);
		for (size_t i = 0; rc == 0 && i < names.n; i++) {
			memcpy(ref.name, names.names[i], OBJECT_NAME_LEN);
			rc = visit(arg, &ref, 0, err);
		}
	}
	return rc;
}
