/*
 * A directory's page of hostile bytes. The first two bytes are what the page
 * above says of it: its level and its number of entries.
 */
#include "snapshot/tree/page.h"
#include "snapshot/tree/span.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* The decoder's promise: names ascend, counts add up, and nothing is left. */
static void
check(const uint8_t *buf, size_t len, const struct page_ref *ref)
{
	WR_AUTO struct wr w = {0};
	struct span last = {NULL, 0};
	struct page_item item;
	struct page p;
	uint64_t entries = 0;
	int rc = page_init(&p, buf, len, ref, NULL);

	require(rc == 0 || rc == ERR_CORRUPT);
	if (rc < 0)
		return;
	page_put_head(p.level, p.left, &w);
	while ((rc = page_next(&p, &item, NULL)) > 0) {
		(void)entry_name_ok(item.name.p, item.name.len);
		require(span_compare(last, item.name) < 0);
		last = item.name;
		if (ref->level > 0) {
			require(item.child.level == ref->level - 1);
			entries += item.child.entries;
			page_put_child(&item.child, &w);
		} else {
			entries++;
			page_put_entry(item.name, item.entry, &w);
		}
		require(entries <= ref->entries);
	}
	require(rc == 0 || rc == ERR_CORRUPT);
	if (rc == 0)
		require(entries == ref->entries && w.len == len &&
			memcmp(w.buf, buf, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct page_ref ref = {0};

	if (len < 2)
		return 0;
	ref.level = data[0];
	ref.entries = data[1];
	check(data + 2, len - 2, &ref);
	ref.first = (struct span){(const uint8_t *)"a", 1};
	check(data + 2, len - 2, &ref);
	return 0;
}
