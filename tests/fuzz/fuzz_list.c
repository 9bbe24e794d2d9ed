/*
 * A node of a chunk list of hostile bytes: what is accepted has one encoding,
 * its lengths ascend, and every byte it covers is found.
 */
#include "snapshot/content/list.h"

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
check_item(const struct list_node *node, size_t i, struct wr *w)
{
	const struct list_item *item = &node->items[i];
	uint64_t start = list_start(node, i);
	struct element el = {
	    .len = item->end - start, .hole = item->hole, .name = item->name};

	require(item->end > start && item->end <= CONTENT_SIZE_MAX);
	require(
	    item->holes <= el.len && (!item->hole || item->holes == el.len));
	require(list_find(node, start) == i);
	require(list_find(node, item->end - 1) == i);
	if (node->level == 0)
		list_put_element(&el, w);
	else
		list_put_child(el.len, item->holes, &el.name, w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	WR_AUTO struct wr w = {0};
	struct list_node node = {0};
	struct err err = {0};
	int rc = list_decode(data, len, &node, &err);

	require(rc == 0 || (rc == ERR_CORRUPT && err.code == rc));
	require(node.cap <= LIST_ITEMS_MAX && (rc == 0) == (node.n > 0));
	if (rc == 0) {
		require(node.level < CONTENT_LEVELS);
		list_put_head(node.level, node.n, &w);
		for (size_t i = 0; i < node.n; i++)
			check_item(&node, i, &w);
		for (size_t i = 0; i < node.n; i++)
			node.holes -= node.items[i].holes;
		require(node.holes == 0);
		require(w.len == len && memcmp(w.buf, data, len) == 0);
	}
	list_clear(&node);
	return 0;
}
