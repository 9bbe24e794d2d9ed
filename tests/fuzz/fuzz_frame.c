/*
 * Frames on hostile bytes, each as the body of every type. What is read can be
 * written, and is the same bytes again.
 */
#include "snapshot/replicate/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
same(const struct wr *w, const uint8_t *data, size_t len)
{
	if (w->failed || w->len != len || memcmp(w->buf, data, len) != 0)
		abort();
}

static void
fuzz_hello(const uint8_t *data, size_t len)
{
	WR_AUTO struct wr w = {0};
	struct hello h;
	struct err err;

	if (frame_parse_hello(data, len, &h, &err) != 0)
		return;
	frame_hello(&h, &w);
	same(&w, data, len);
}

static void
fuzz_state(const uint8_t *data, size_t len)
{
	WR_AUTO struct wr w = {0};
	struct frame_state s;
	struct err err;

	if (frame_parse_state(data, len, &s, &err) != 0) {
		if (s.logs != NULL)
			abort();
		return;
	}
	frame_state(&s, &w);
	free(s.logs);
	same(&w, data, len);
}

static void
fuzz_names(const uint8_t *data, size_t len)
{
	WR_AUTO struct wr have = {0};
	WR_AUTO struct wr names = {0};
	WR_AUTO struct wr want = {0};
	struct frame_names f;
	struct frame_want bits;
	struct err err;

	if (frame_parse_have(data, len, &f, &err) == 0) {
		frame_have(&f, &have);
		same(&have, data, len);
	}
	if (frame_parse_names(data, len, &f, &err) == 0) {
		frame_names(&f, &names);
		same(&names, data, len);
	}
	if (frame_parse_want(data, len, &bits, &err) == 0) {
		frame_want(&bits, &want);
		same(&want, data, len);
	}
}

static void
fuzz_object(const uint8_t *data, size_t len)
{
	WR_AUTO struct wr put = {0};
	WR_AUTO struct wr get = {0};
	WR_AUTO struct wr commit = {0};
	WR_AUTO struct wr gap = {0};
	struct frame_object o;
	struct frame_gap g;
	struct frame_commit c;
	struct object_ref ref;
	struct err err;

	if (frame_parse_put(data, len, &o, &err) == 0) {
		frame_put(&o, &put);
		same(&put, data, len);
	}
	if (frame_parse_get(data, len, &ref, &err) == 0) {
		frame_get(&ref, &get);
		same(&get, data, len);
	}
	if (frame_parse_commit(data, len, &c, &err) == 0) {
		frame_commit(&c, &commit);
		same(&commit, data, len);
	}
	if (frame_parse_gap(data, len, &g, &err) == 0) {
		frame_gap(&g, &gap);
		same(&gap, data, len);
	}
}

/* A code that is not known here comes out as another. */
static void
fuzz_answers(const uint8_t *data, size_t len)
{
	struct frame_nak nak;
	struct err why, err;
	uint64_t n;
	bool root;

	if (frame_parse_nak(data, len, &nak, &err) == 0 && nak.why.code >= 0)
		abort();
	if (frame_parse_error(data, len, &why, &err) == 0 && why.code >= 0)
		abort();
	if (frame_parse_ack(data, len, &n, &err) == 0 && len != 8)
		abort();
	if (frame_parse_who(data, len, &root, &err) == 0 && len != 1)
		abort();
}

static void
fuzz_head(const uint8_t *data, size_t len)
{
	uint8_t again[FRAME_HEAD];
	enum frame_type type;
	size_t body;
	struct err err;

	if (len < FRAME_HEAD || frame_parse_head(data, &type, &body, &err) != 0)
		return;
	frame_head(type, body, again);
	if (memcmp(again, data, FRAME_HEAD) != 0 || body > FRAME_MAX)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_head(data, len);
	fuzz_hello(data, len);
	fuzz_state(data, len);
	fuzz_names(data, len);
	fuzz_object(data, len);
	fuzz_answers(data, len);
	return 0;
}
