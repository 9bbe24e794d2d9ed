#ifndef SNAPSHOT_BACKUP_ASSEMBLE_INTERNAL_H
#define SNAPSHOT_BACKUP_ASSEMBLE_INTERNAL_H

/* What the files of the assembly share. */
#include "snapshot/backup/assemble.h"

/** assembly_top(as): The directory whose entries are coming in; not at depth 0. */
struct assembly_level *assembly_top(struct assembly *as);

/** assembly_level_end(l): It is done with, or given up; the next may use it. */
void assembly_level_end(struct assembly_level *l);

/**
 * assembly_put_held(as, err):
 * What was held back of the top directory goes into its pages, and, if it is
 * made anew, into its state.
 */
NODISCARD int assembly_put_held(struct assembly *as, struct err *err);

/**
 * assembly_make_anew(as, err):
 * Something in the top directory is not as it was: make it, and its state.
 */
NODISCARD int assembly_make_anew(struct assembly *as, struct err *err);

/**
 * assembly_take_records(as, records, err):
 * The next entries of the top directory. As long as all are as they were, they
 * are only held back.
 */
NODISCARD int assembly_take_records(
    struct assembly *as, struct span records, struct err *err);

/**
 * assembly_fill_entry(as, it, e, err):
 * All of an entry but its inode number, and what a directory sums up.
 */
NODISCARD int assembly_fill_entry(struct assembly *as, const struct item *it,
    struct entry *e, struct err *err);

/** assembly_as_it_was(it, raw): Whether ${raw} is its entry in the last snapshot. */
bool assembly_as_it_was(const struct item *it, struct span raw);

/**
 * assembly_encode_entry(as, it, e, raw, err):
 * Encode into the scratch. An entry that is what it was in the last snapshot
 * keeps its inode number; any other gets the next.
 */
NODISCARD int assembly_encode_entry(struct assembly *as, const struct item *it,
    struct entry *e, struct span *raw, struct err *err);

/**
 * assembly_entry_of(as, job, it, raw, changed, err):
 * The entry of an item that has one; borrowed from the item, the scratch, or
 * ${as->links} until their next call. ${raw}->len 0: it is left out. ${changed}:
 * it, or its record, may differ from what they were.
 */
NODISCARD int assembly_entry_of(struct assembly *as, const struct job *job,
    struct item *it, struct span *raw, bool *changed, struct err *err);

#endif
