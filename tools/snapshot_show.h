#ifndef TOOLS_SNAPSHOT_SHOW_H
#define TOOLS_SNAPSHOT_SHOW_H

/* 'varve list DATASET@TIME': one snapshot, whole. */
#include "tools/session.h"

/**
 * snapshot_show(run, s, text, err):
 * Print what is known of the snapshot that ${text} names, and its problems.
 * Errors: ERR_USAGE ${text} names a file; ERR_CORRUPT the list of problems is
 * malformed; those of session_snapshot() and content_read().
 */
NODISCARD int snapshot_show(
    struct run *run, struct session *s, const char *text, struct err *err);

#endif
