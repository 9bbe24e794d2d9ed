#ifndef SNAPSHOT_BACKUP_LAST_H
#define SNAPSHOT_BACKUP_LAST_H

/*
 * The last seen state of a directory: for each entry what the snapshot holds
 * of it, and by what to tell that it has not changed. Read in order of name
 * beside the walk, written by the assembly (state.h keeps the pages).
 *
 * A page is a sequence of records, each
 *	string name, time ctime, varint inode number at the source,
 *	u8 1 when it is not to be trusted, string entry (FORMAT.md section 8)
 * and is ended once it is full, so one that isn't is the directory's last.
 */
#include "snapshot/backup/item.h"
#include "snapshot/state/state.h"

struct last_entry {
	struct span name;
	struct moment ctime;
	uint64_t ino;
	bool doubtful;
	struct span raw;
	struct span record; /* all of the above, as it is stored */
};

/** last_next(r, out): The next record; false: malformed. Borrows. */
bool last_next(struct rd *r, struct last_entry *out);
/** last_record(e, w): Append ${e}'s record; its 'record' doesn't matter. */
void last_record(const struct last_entry *e, struct wr *w);

/* --- reading: borrows the state; entries live until the next call ------ */

struct last_cursor;
/** last_cursor_new(): ${state} NULL: there is no last state. */
NODISCARD int last_cursor_new(struct state *state, const char *path,
    struct last_cursor **out, struct err *err);
void last_cursor_free(struct last_cursor *cur);
DEFINE_AUTO(last_cursor, last_cursor_free)

/** last_cursor_key(cur): The directory's key in the state; NULL without one. */
const uint8_t *last_cursor_key(const struct last_cursor *cur);

/**
 * last_find(cur, name, len, out, err):
 * 1 with the entry called ${name}, or 0. Names are asked for in ascending
 * order; those passed over count as removed.
 */
NODISCARD int last_find(struct last_cursor *cur, const char *name, size_t len,
    struct last_entry *out, struct err *err);

/**
 * last_meet(cur, name, st, out, unchanged, err):
 * The same for what was found to be ${st}; ${unchanged}: whether there is an
 * entry, and last_unchanged() holds for it. Without one ${out} is zeroed.
 */
NODISCARD int last_meet(struct last_cursor *cur, const char *name,
    const struct stat *st, struct last_entry *out, bool *unchanged,
    struct err *err);

/** last_left(cur): Bytes of records at hand that were not asked for yet. */
size_t last_left(const struct last_cursor *cur);

/** last_removed(cur, err): At the end: 1 when some were never asked for. */
NODISCARD int last_removed(struct last_cursor *cur, struct err *err);

/* --- writing ----------------------------------------------------------- */

/* The records of one directory on their way into pages. */
struct last_writer {
	struct wr buf;  /* the page being filled */
	size_t n;       /* entries in it */
	uint32_t pages; /* written */
};
void last_writer_clear(struct last_writer *w);

/** last_write(w, state, key, record, err): The next entry of the directory. */
NODISCARD int last_write(struct last_writer *w, struct state *state,
    const uint8_t key[HASH_LEN], struct span record, struct err *err);
/** last_write_end(): The last page; then it starts over. */
NODISCARD int last_write_end(struct last_writer *w, struct state *state,
    const uint8_t key[HASH_LEN], struct err *err);

/**
 * last_doubtful(st, seen):
 * Whether a file may have changed again after it was looked at at ${seen}
 * without its times telling: they are within the clock's grain of that, or in
 * the future.
 */
bool last_doubtful(const struct stat *st, struct moment seen);

/** last_unchanged(e, st): Size, times and inode number agree, without doubt. */
bool last_unchanged(const struct last_entry *e, const struct stat *st);

/**
 * last_stays(st, seen):
 * Whether the record of an unchanged entry, looked at at ${seen}, says all there
 * is to say: nothing is below it, it has no other link, and no doubt came up.
 */
bool last_stays(const struct stat *st, struct moment seen);

#endif
