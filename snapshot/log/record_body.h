#ifndef SNAPSHOT_LOG_RECORD_BODY_H
#define SNAPSHOT_LOG_RECORD_BODY_H

/*
 * Private to this folder and its tests: what a record's box holds (FORMAT.md
 * section 9, by type).
 *
 *	record_body.c     all types; those that are short
 *	record_snapshot.c type 1
 */
#include "snapshot/log/record.h"

/**
 * record_body_encode(r, w, err):
 * Append the body. Whatever it writes, record_body_decode() reads.
 * Errors: ERR_USAGE a text is too long; ERR_BUG anything else that a record
 * can't hold.
 */
NODISCARD int record_body_encode(
    const struct record *r, struct wr *w, struct err *err);

/**
 * record_body_decode(buf, len, r, err):
 * ${r} has its head; fill in the rest. It is for record_release() also when
 * this fails. Errors: ERR_CORRUPT; ERR_NOMEM.
 */
NODISCARD int record_body_decode(
    const uint8_t *buf, size_t len, struct record *r, struct err *err);

/* --- record_snapshot.c --------------------------------------------------- */

/**
 * record_snapshot_root(s, err):
 * Check the root's entry and take the totals from it.
 * Errors: ERR_CORRUPT malformed, or no directory.
 */
NODISCARD int record_snapshot_root(struct snapshot *s, struct err *err);

/** record_snapshot_write(s, w, err): Errors: ERR_USAGE a text too long. */
NODISCARD int record_snapshot_write(
    const struct snapshot *s, struct wr *w, struct err *err);

/**
 * record_snapshot_read(rd, s, err):
 * Errors: ERR_CORRUPT, ERR_NOMEM; or ${rd} has failed.
 */
NODISCARD int record_snapshot_read(
    struct rd *rd, struct snapshot *s, struct err *err);

/* --- texts: strings without a NUL ---------------------------------------- */

void record_text_write(struct wr *w, const char *text);
/** record_text_read(): A malformed one fails ${r}. Errors: ERR_NOMEM. */
NODISCARD int record_text_read(
    struct rd *r, size_t max, char **out, struct err *err);
/** record_text_check(): ERR_USAGE longer than ${max}; ERR_BUG NULL. */
NODISCARD int record_text_check(
    const char *what, const char *text, size_t max, struct err *err);

#endif
