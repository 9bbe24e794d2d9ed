#ifndef TOOLS_OUTPUT_H
#define TOOLS_OUTPUT_H

/* Figures and times for people. Thread: safe. */
#include "snapshot/log/record.h"

#define OUTPUT_TEXT 32
#define OUTPUT_THINGS 64
#define OUTPUT_TIME 80

/** output_size(bytes, out): '512 B', '1.3 MiB'. */
const char *output_size(uint64_t bytes, char out[OUTPUT_TEXT]);

/** output_count(n, out): '78,579'. */
const char *output_count(uint64_t n, char out[OUTPUT_TEXT]);

/** output_things(n, one, many, out): '1 file', '78,579 files'. */
const char *output_things(
    uint64_t n, const char *one, const char *many, char out[OUTPUT_THINGS]);

/** output_duration(seconds, out): '0.21 s', '1.9 s', '5 min 12 s', '2 h 3 min',
 * '90 days', '3 days 4 h'. */
const char *output_duration(double seconds, char out[OUTPUT_TEXT]);

/** output_time(m, out): '2026-11-21T14:20:00Z'. */
const char *output_time(struct moment m, char out[OUTPUT_TIME]);

/** output_time_ms(m, out): '2026-11-21T14:20:00.250Z'. */
const char *output_time_ms(struct moment m, char out[OUTPUT_TIME]);

/** output_time_exact(m, out): With nanoseconds if there are any. */
const char *output_time_exact(struct moment m, char out[OUTPUT_TIME]);

/**
 * output_until(end, out):
 * The last second of what has ended at ${end} (Unix seconds); as a date alone where
 * it is a day's last: so that what was given as '--until 2026-11-21' shows so.
 */
const char *output_until(int64_t end, char out[OUTPUT_TIME]);

#define OUTPUT_ID 8 /* digits of a snapshot's id that lists show */
/** output_hex(bytes, len, out): Lower case; ${out} has 2 * len + 1 bytes. */
const char *output_hex(const uint8_t *bytes, size_t len, char *out);

#endif
