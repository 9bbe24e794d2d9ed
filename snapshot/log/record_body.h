#ifndef SNAPSHOT_LOG_RECORD_BODY_H
#define SNAPSHOT_LOG_RECORD_BODY_H

/*
 * Private to this folder: what a record's box holds (FORMAT.md section 9,
 * 'Type 1').
 */
#include "snapshot/log/record.h"

/**
 * record_body_root(s, err):
 * Check the root's entry and take the totals from it.
 * Errors: ERR_CORRUPT malformed, or no directory.
 */
NODISCARD int record_body_root(struct snapshot *s, struct err *err);

/**
 * record_body_encode(s, w, err):
 * Append the body. Whatever it writes, record_body_decode() reads.
 * Errors: ERR_USAGE a host, source or program too long; ERR_BUG anything else
 * that a record can't hold.
 */
NODISCARD int record_body_encode(
    const struct snapshot *s, struct wr *w, struct err *err);

/**
 * record_body_decode(buf, len, out, err):
 * A snapshot without what the record's head says.
 * Errors: ERR_CORRUPT; ERR_VERSION a record of a type not known; ERR_NOMEM.
 */
NODISCARD int record_body_decode(
    const uint8_t *buf, size_t len, struct snapshot **out, struct err *err);

#endif
