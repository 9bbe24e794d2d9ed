#ifndef TESTS_UNIT_FRAME_SAMPLES_H
#define TESTS_UNIT_FRAME_SAMPLES_H

/* Frames of the protocol as they should be. */
#include "snapshot/replicate/frame.h"

#include <stdlib.h>
#include <string.h>

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static inline UNUSED void
fill(void *p, size_t len, uint8_t from)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)p)[i] = (uint8_t)(from + i);
}

static inline UNUSED struct hello
sample_hello(void)
{
	struct hello h = {
	    .lowest = 1, .highest = 3, .mode = HELLO_PULL, .follow = true};

	fill(h.fingerprint, sizeof(h.fingerprint), 1);
	(void)strcpy(h.name, "dr-london");
	return h;
}

static inline UNUSED struct object_ref
sample_ref(void)
{
	struct object_ref ref = {.cls = OBJECT_LOG, .seq = 7};

	fill(ref.dataset, sizeof(ref.dataset), 3);
	fill(ref.name, sizeof(ref.name), 77);
	return ref;
}

static inline UNUSED void
make_state(struct wr *w)
{
	struct frame_log logs[3];
	struct frame_state s = {.more = true, .logs = logs, .n = 3};

	fill(logs, sizeof(logs), 9);
	for (size_t i = 0; i < ARRAY_LEN(logs); i++)
		logs[i].whole = i > 0;
	fill(s.keys, sizeof(s.keys), 5);
	frame_state(&s, w);
}

UNUSED static const uint8_t three[3][OBJECT_NAME_LEN] = {"one", "two", "three"};

static inline UNUSED void
make_have(struct wr *w)
{
	struct frame_names f = {
	    .cls = OBJECT_PACK, .dataset = "x", .names = three, .n = 3};

	frame_have(&f, w);
}

static inline UNUSED void
make_want(struct wr *w)
{
	static const uint8_t bits[2] = {0xa5, 0x03};
	struct frame_want f = {.n = 10, .bits = bits};

	frame_want(&f, w);
}

#endif
