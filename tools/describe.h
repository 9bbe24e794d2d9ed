#ifndef TOOLS_DESCRIBE_H
#define TOOLS_DESCRIBE_H

/* A snapshot in words and in JSON, the same in every command. */
#include "snapshot/log/log.h"

#include <jansson.h>

/** describe_kind(kind): 'full', 'differential'. */
const char *describe_kind(enum snapshot_kind kind);

/** describe_type(type): 'file', 'directory', 'symlink', ... */
const char *describe_type(enum entry_type type);

/**
 * describe_snapshot(s, dataset):
 * varve(1)'s 'snapshot': NULL when memory runs out.
 */
json_t *describe_snapshot(const struct snapshot *s, const char *dataset);

/** describe_moment(m): A time in JSON. */
json_t *describe_moment(struct moment m);

/** describe_u64(v): A JSON integer; jansson's are signed. */
json_t *describe_u64(uint64_t v);

/** describe_problems(s): Entries that the snapshot does not have as they were. */
uint64_t describe_problems(const struct snapshot *s);

#endif
