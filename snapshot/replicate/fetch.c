#include "snapshot/replicate/fetch.h"

#include <stdlib.h>
#include <string.h>

static int
add_heads(struct fetch *f, const struct frame_state *state, struct err *err)
{
	struct frame_log *v =
	    reallocarray(f->heads, f->nheads + state->n + 1, sizeof(*v));

	if (v == NULL)
		return err_nomem(err);
	if (state->n > 0)
		memcpy(v + f->nheads, state->logs, state->n * sizeof(*v));
	f->heads = v;
	f->nheads += state->n;
	return 0;
}

int
fetch_begin(struct fetch *f, struct channel *c, struct err *err)
{
	struct frame_state state = {.more = true};
	int rc = 0;

	*f = (struct fetch){.channel = c};
	while (rc == 0 && state.more) {
		struct frame frame;

		rc = channel_expect(c, FRAME_STATE, &frame, err);
		if (rc == 0)
			rc = frame_parse_state(
			    frame.body, frame.len, &state, err);
		if (rc != 0)
			break;
		rc = add_heads(f, &state, err);
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

static int
take_bytes(
    struct channel *c, uint64_t left, struct store_batch *b, struct err *err)
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
		rc = store_batch_write(b, frame.body, frame.len, err);
		left -= frame.len;
	}
	return rc;
}

int
fetch_object(struct fetch *f, const struct object_ref *ref,
    struct store_batch *b, struct err *err)
{
	struct frame_object object;
	struct frame frame;
	int rc = ask(f->channel, ref, err);

	if (rc == 0)
		rc = channel_receive(f->channel, &frame, err);
	if (rc == 0 && frame.type == FRAME_NAK)
		return refused(&frame, err);
	if (rc == 0 && frame.type != FRAME_PUT)
		rc = channel_unexpected(&frame, err);
	if (rc == 0)
		rc = frame_parse_put(frame.body, frame.len, &object, err);
	if (rc == 0 && !same_ref(&object.ref, ref))
		rc = channel_unexpected(&frame, err);
	if (rc == 0)
		rc = store_batch_begin(b, ref, err);
	if (rc != 0)
		return rc;
	rc = take_bytes(f->channel, object.size, b, err);
	if (rc == 0)
		return store_batch_end(b, err);
	store_batch_drop(b);
	return rc;
}

int
fetch_key_names(
    struct fetch *f, store_visit_fn *visit, void *arg, struct err *err)
{
	struct frame_names names = {.more = true};
	int rc = channel_send(f->channel, FRAME_LIST, NULL, err);

	while (rc == 0 && names.more) {
		struct object_ref ref = {.cls = OBJECT_KEY};
		struct frame frame;

		rc = channel_expect(f->channel, FRAME_NAMES, &frame, err);
		if (rc == 0)
			rc = frame_parse_names(
			    frame.body, frame.len, &names, err);
		for (size_t i = 0; rc == 0 && i < names.n; i++) {
			memcpy(ref.name, names.names[i], OBJECT_NAME_LEN);
			rc = visit(arg, &ref, 0, err);
		}
	}
	return rc;
}
