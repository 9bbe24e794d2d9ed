#ifndef SNAPSHOT_LOG_RECORD_LISTS_H
#define SNAPSHOT_LOG_RECORD_LISTS_H

/*
 * Private to this folder: what a record lists in the clear (FORMAT.md section
 * 9). What it condemns is looked up by record.h's functions.
 */
#include "crypto/bytes.h"
#include "snapshot/log/record.h"

void record_wr_lists(struct wr *w, const struct record_lists *lists);

/**
 * record_rd_lists(r, c):
 * ${c}'s lists point into what ${r} reads. They may be anything yet:
 */
void record_rd_lists(struct rd *r, struct record_clear *c);

/**
 * record_lists_sound(c):
 * Whether no index is listed twice, nor too many; what is condemned is of known
 * classes and states, and ascending; and no index is gone that the record goes by.
 */
bool record_lists_sound(const struct record_clear *c);

#endif
