#ifndef SNAPSHOT_CONTENT_NAME_FILTER_H
#define SNAPSHOT_CONTENT_NAME_FILTER_H

/*
 * Private to this folder: which names are certainly not in an index. A Bloom
 * filter in blocks of a cache line (Putze, Sanders and Singler, 'Cache-, Hash-
 * and Space-Efficient Bloom Filters', 2007). Names are keyed hashes, so their
 * bytes serve as the hashes.
 */
#include "crypto/namer.h"

struct name_filter;

/** name_filter_new(n, out, err): For ${n} names: 10 bits each. */
NODISCARD int name_filter_new(
    size_t n, struct name_filter **out, struct err *err);
void name_filter_free(struct name_filter *f);
DEFINE_AUTO(name_filter, name_filter_free)

void name_filter_add(struct name_filter *f, const struct chunk_name *name);

/**
 * name_filter_may(f, name):
 * false: it was not added. true: it was, or is one of a hundred others.
 * Thread: safe while none is added.
 */
bool name_filter_may(
    const struct name_filter *f, const struct chunk_name *name);

/** name_filter_size(n): The bytes that one for ${n} names takes. */
size_t name_filter_size(size_t n);

#endif
