#ifndef SNAPSHOT_LOG_WHEN_H
#define SNAPSHOT_LOG_WHEN_H

/*
 * Times as people write them, and the dated names under which snapshots
 * appear. All in UTC. Thread: safe.
 */
#include "snapshot/log/log.h"

/**
 * when_select(l, text, now, out, err):
 * The snapshot that ${text} names: 'latest'; a date '2026-11-21' (the last of
 * that day, or else the newest before it); a time '2026-11-21T14:20Z',
 * '...T14:20:05Z', with milliseconds, or an offset '+01:00' in place of Z (the
 * newest at or before the end of the minute, second or millisecond named);
 * 'today', 'yesterday', 'now'; an age '90s' '20m' '3h' '2d' '1w' (the newest at
 * least that old); a snapshot's id or its prefix of at least 4 hex digits
 * (unless it is an age: '1234d'); the dated name '2026-11-21/14-20-00Z'.
 * Errors: ERR_USAGE not a time; ERR_NOT_FOUND no snapshot answers (the text
 * says what the oldest one is); an ambiguous prefix is ERR_USAGE.
 */
NODISCARD int when_select(const struct log *l, const char *text,
    struct moment now, const struct snapshot **out, struct err *err);

/*
 * when_parse(text, now, out, err): The last moment that ${text} covers; for all
 * forms above but 'latest', ids and dated names.
 */
NODISCARD int when_parse(
    const char *text, struct moment now, struct moment *out, struct err *err);

#define WHEN_DAY_TEXT 32
#define WHEN_TIME_TEXT 32

/** when_day(m, out): '2026-11-21'. Any year: '-0001-12-31', '10000-01-01'. */
void when_day(struct moment m, char out[WHEN_DAY_TEXT]);

/**
 * when_dated_time(m, millis, out):
 * '14-20-00Z', or '14-20-00.250Z' with ${millis}: used for a snapshot whose
 * second another, earlier one of the log has taken (log order).
 */
void when_dated_time(struct moment m, bool millis, char out[WHEN_TIME_TEXT]);

/** when_needs_millis(l, i): Whether snapshot ${i}'s second is taken already. */
bool when_needs_millis(const struct log *l, size_t i);

/** when_iso(m, out): '2026-11-21T14:20:00Z'. */
void when_iso(struct moment m, char out[2 * WHEN_DAY_TEXT]);

#define WHEN_NAME_TEXT (2 * WHEN_DAY_TEXT + 8)
/**
 * when_name(l, s, out):
 * The time of ${s}, a snapshot of ${l} that has not expired, as it is written in
 * DATASET@TIME and means this one: with milliseconds where the log has, or where
 * a tail may have, another of its second.
 */
const char *when_name(
    const struct log *l, const struct snapshot *s, char out[WHEN_NAME_TEXT]);

#endif
