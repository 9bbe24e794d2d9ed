/*
 * Log records on hostile bytes: the record as it is stored, and what its box
 * holds once it is open.
 */
#include "snapshot/log/record_body.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Never both a snapshot and a code, nor neither. */
static void
expect(int rc, const struct err *err, const struct snapshot *s)
{
	if (rc > 0 || (rc != 0 && rc != err->code) || (rc == 0) != (s != NULL))
		abort();
}

/* What is read can be written, and is the same bytes again. */
static void
fuzz_body(const uint8_t *data, size_t len)
{
	AUTO(snapshot) struct snapshot *s = NULL;
	WR_AUTO struct wr w = {0};
	struct err err;
	int rc = record_body_decode(data, len, &s, &err);

	expect(rc, &err, s);
	if (rc != 0)
		return;
	if (record_body_encode(s, &w, &err) != 0 || w.len != len ||
	    memcmp(w.buf, data, len) != 0)
		abort();
}

static void
fuzz_whole(const uint8_t *data, size_t len)
{
	AUTO(keyring) struct keyring *keys = NULL;
	AUTO(snapshot) struct snapshot *s = NULL;
	/* RFC 8032 7.1, test 1. */
	static const struct ed25519_public somebody = {
	    "\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a"
	    "\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a"};
	struct record_head head;
	struct err err;
	int rc = record_peek(data, len, &head, &err);

	if (rc > 0 || (rc == 0 && head.seq == 0))
		abort();
	if (record_check(data, len, &somebody, &err) == 0 ||
	    keyring_new(&keys, &err) != 0)
		abort();
	rc = record_decode_snapshot(data, len, keys, &s, &err);
	expect(rc, &err, s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_body(data, len);
	fuzz_whole(data, len);
	return 0;
}
