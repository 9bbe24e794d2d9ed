#include "snapshot/replicate/frame.h"
#include "tests/fuzz/corpus.h"

#include <string.h>

static void
meeting(const struct corpus *c)
{
	struct hello h = {.lowest = 1, .highest = 1, .mode = HELLO_PUSH};
	WR_AUTO struct wr w = {0};

	(void)strcpy(h.name, "web1");
	frame_hello(&h, &w);
	corpus_put(c, "hello", &w);
	h = (struct hello){
	    .lowest = 1, .highest = 2, .mode = HELLO_PULL, .follow = true};
	frame_hello(&h, &w);
	corpus_put(c, "hello-pull", &w);
	frame_who(true, &w);
	corpus_put(c, "who", &w);
}

static void
names(const struct corpus *c)
{
	static const uint8_t three[3][OBJECT_NAME_LEN] = {"a", "b", "c"};
	struct frame_log logs[2] = {{.dataset = "x", .seq = 1, .head = "h"},
	    {.dataset = "y", .seq = 6480, .head = "i"}};
	struct frame_state state = {.logs = logs, .n = 2};
	struct frame_names f = {
	    .cls = OBJECT_PACK, .dataset = "x", .names = three, .n = 3};
	struct frame_want want = {.n = 9, .bits = (const uint8_t *)"\xff\x01"};
	WR_AUTO struct wr w = {0};

	frame_state(&state, &w);
	corpus_put(c, "state", &w);
	frame_have(&f, &w);
	corpus_put(c, "have", &w);
	frame_names(&f, &w);
	corpus_put(c, "names", &w);
	frame_want(&want, &w);
	corpus_put(c, "want", &w);
}

static void
objects(const struct corpus *c)
{
	struct frame_object o = {
	    .ref = {.cls = OBJECT_LOG, .dataset = "x", .seq = 3, .name = "n"},
	    .size = 700};
	struct frame_commit commit = {.dataset = "x", .first = 3, .last = 5};
	struct frame_nak nak = {.ref = o.ref};
	struct frame_gap gap = {.ref = o.ref, .missing = 1};
	uint8_t head[FRAME_HEAD];
	WR_AUTO struct wr w = {0};

	frame_head(FRAME_DATA, FRAME_MAX, head);
	wr_bytes(&w, head, sizeof(head));
	corpus_put(c, "head", &w);
	frame_put(&o, &w);
	corpus_put(c, "put", &w);
	frame_get(&o.ref, &w);
	corpus_put(c, "get", &w);
	frame_commit(&commit, &w);
	corpus_put(c, "commit", &w);
	frame_ack(12, &w);
	corpus_put(c, "ack", &w);
	(void)err_set(&nak.why, ERR_CORRUPT, "the SHA-256 is not its name");
	frame_nak(&nak, &w);
	corpus_put(c, "nak", &w);
	frame_gap(&gap, &w);
	corpus_put(c, "gap", &w);
	frame_error(&nak.why, &w);
	corpus_put(c, "error", &w);
}

int
corpus_frame(const struct corpus *c, UNUSED struct err *err)
{
	meeting(c);
	names(c);
	objects(c);
	return 0;
}
