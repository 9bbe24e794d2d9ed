#ifndef SNAPSHOT_TREE_SPAN_H
#define SNAPSHOT_TREE_SPAN_H

/* Comparing runs of bytes as the format sorts them. */
#include "snapshot/tree/entry.h"

#include <string.h>

/** span_compare(a, b): As unsigned bytes, a prefix first. */
static inline int
span_compare(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

static inline bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

#endif
