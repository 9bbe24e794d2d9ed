#ifndef TOOLS_SNAPSHOT_ARG_H
#define TOOLS_SNAPSHOT_ARG_H

/*
 * DATASET@TIME[:PATH], as people name a snapshot, or a file in one.
 * A dataset's name has neither '@' nor ':'; a PATH may have both. A ':' may be
 * part of TIME (14:20Z, +01:00), so TIME is read as one: see the source.
 */
#include "crypto/err.h"

struct snapshot_arg {
	char *dataset;
	char *time;
	char *path; /* without '/' at either end; NULL when none was given */
};

/**
 * snapshot_arg_parse(text, out, err):
 * Only taken apart: whether TIME is one is when_select()'s to say. Clear
 * ${out} also after a failure. Errors: ERR_USAGE, with what is missing.
 */
NODISCARD int snapshot_arg_parse(
    const char *text, struct snapshot_arg *out, struct err *err);
void snapshot_arg_clear(struct snapshot_arg *a);
#define SNAPSHOT_ARG_AUTO __attribute__((cleanup(snapshot_arg_clear)))

#endif
