#ifndef SNAPSHOT_LOG_WHEN_INTERNAL_H
#define SNAPSHOT_LOG_WHEN_INTERNAL_H

/* Private to this folder. */
#include "snapshot/log/when.h"

/**
 * when_parse_dated(text, out):
 * Whether ${text} has the form of a dated name, '2026-11-21/14-20-00Z' or with
 * milliseconds; *${out} is then the last moment it can mean.
 */
bool when_parse_dated(const char *text, struct moment *out);

#endif
