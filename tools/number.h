#ifndef TOOLS_NUMBER_H
#define TOOLS_NUMBER_H

/*
 * Numbers as people write them on a command line. The whole string must be one,
 * and within its range. Thread: safe.
 */
#include "crypto/err.h"

#include <stdint.h>

/** number_parse(text, min, max, out, err): Decimal digits. ERR_USAGE. */
NODISCARD int number_parse(const char *text, uint64_t min, uint64_t max,
    uint64_t *out, struct err *err);

/**
 * number_size(text, min, max, out, err):
 * Bytes: digits and at most one of K M G T (of 1,024). ERR_USAGE.
 */
NODISCARD int number_size(const char *text, uint64_t min, uint64_t max,
    uint64_t *out, struct err *err);

/**
 * number_duration(text, min, max, out, err):
 * Seconds: digits and one of s m h d w ('90d', '12h'). ERR_USAGE.
 */
NODISCARD int number_duration(const char *text, uint64_t min, uint64_t max,
    uint64_t *out, struct err *err);

#endif
