/*
 * Log records on hostile bytes: the record as it is stored, and what its box
 * holds once it is open.
 */
#include "snapshot/log/record_body.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What is read can be written, and is the same bytes again. */
static void
check_body(const struct record *r, const uint8_t *data, size_t len)
{
	WR_AUTO struct wr w = {0};
	struct err err;

	if (record_body_encode(r, &w, &err) != 0 || w.len != len ||
	    memcmp(w.buf, data, len) != 0)
		abort();
}

/* The type and the time of the head, then the body. */
static void
fuzz_body(const uint8_t *data, size_t len)
{
	struct rd rd = rd_init(data, len);
	struct record r = {.head = {.seq = UINT64_MAX}};
	struct err err;
	int rc;

	r.head.type = (enum record_type)rd_u8(&rd);
	r.head.time = (int64_t)rd_u64(&rd);
	if (rd.failed || r.head.type < RECORD_SNAPSHOT ||
	    r.head.type > RECORD_PRIMARY)
		return;
	rc = record_body_decode(rd.p, rd_left(&rd), &r, &err);
	if (rc > 0 || (rc != 0 && rc != err.code))
		abort();
	if (rc == 0)
		check_body(&r, rd.p, rd_left(&rd));
	record_release(&r);
}

/* Whatever is said to be condemned is found again. */
static void
check_lists(const struct record_clear *clear)
{
	for (size_t i = 0; i < clear->ncondemned; i++) {
		struct condemned c = record_condemned(clear, i);
		struct condemned found;

		if (!record_find_condemned(clear, c.cls, c.name, &found) ||
		    found.gone != c.gone ||
		    record_condemned_compare(&c, &found) != 0)
			abort();
	}
}

static void
fuzz_whole(const uint8_t *data, size_t len)
{
	AUTO(keyring) struct keyring *keys = NULL;
	AUTO(record) struct record *r = NULL;
	/* RFC 8032 7.1, test 1. */
	static const struct ed25519_public somebody = {
	    "\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a"
	    "\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a"};
	struct record_clear clear;
	struct err err;
	int rc = record_peek(data, len, &clear, &err);

	if (rc > 0 || (rc == 0 && clear.head.seq == 0))
		abort();
	if (rc == 0)
		check_lists(&clear);
	if (record_check(data, len, &somebody, &err) == 0 ||
	    keyring_new(&keys, &err) != 0)
		abort();
	rc = record_decode(data, len, keys, &r, &err);
	if (rc >= 0 || rc != err.code || r != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_body(data, len);
	fuzz_whole(data, len);
	return 0;
}
