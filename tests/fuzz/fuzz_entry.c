/*
 * An entry of hostile bytes: what is accepted has one encoding, and all that it
 * refers to lies within it.
 */
#include "snapshot/tree/entry.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
check_xattrs(const struct entry *e)
{
	struct rd r = rd_init(e->xattrs.p, e->xattrs.len);
	struct xattr x;
	size_t n = 0;
	WR_AUTO struct wr w = {0};

	while (xattr_next(&r, &x)) {
		xattr_encode(&x, &w);
		n++;
	}
	require(rd_done(&r) && n == e->nxattrs);
	require(w.len == e->xattrs.len);
	require(w.len == 0 || memcmp(w.buf, e->xattrs.p, w.len) == 0);
	(void)xattr_find(e, "user.x", &x);
}

static void
check_content(const struct entry *e)
{
	WR_AUTO struct wr w = {0};
	struct content c;

	require(entry_content(e, &c, NULL) == 0);
	require(c.n <= CONTENT_INLINE_MAX && c.level < CONTENT_LEVELS);
	content_encode(&c, &w);
	require(
	    w.len == e->content.len && memcmp(w.buf, e->content.p, w.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	WR_AUTO struct wr w = {0};
	struct err err = {0};
	struct entry e;
	int rc = entry_decode(data, len, &e, &err);

	require(rc == 0 || (rc == ERR_CORRUPT && err.code == rc));
	if (rc < 0)
		return 0;
	check_xattrs(&e);
	if (e.type == ENTRY_FILE)
		check_content(&e);
	entry_encode(&e, &w);
	require(w.len == len && memcmp(w.buf, data, len) == 0);
	require((entry_mode(&e) & 07777) == e.mode);
	return 0;
}
