#ifndef SNAPSHOT_BACKUP_LAST_H
#define SNAPSHOT_BACKUP_LAST_H

/*
 * The last seen state of a directory: for each entry what the snapshot holds
 * of it, and by what to tell that it has not changed. Read in order of name
 * beside the walk, written by the assembly (state.h keeps the pages).
 *
 * A page is a sequence of
 *	string name, time ctime, varint inode number at the source,
 *	u8 1 when it is not to be trusted, string entry (FORMAT.md section 8)
 */
#include "snapshot/backup/item.h"
#include "snapshot/state/state.h"

struct last_entry {
	struct span name;
	struct moment ctime;
	uint64_t ino;
	bool doubtful;
	struct span raw;
};

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
 * Make the item of what is called ${name} and was found to be ${st}, with the
 * entry of that name, if there is one; ${unchanged}: whether there is, and
 * last_unchanged() holds for it.
 */
NODISCARD int last_meet(struct last_cursor *cur, const char *name,
    const struct stat *st, struct item **out, bool *unchanged, struct err *err);

/** last_removed(cur, err): At the end: 1 when some were never asked for. */
NODISCARD int last_removed(struct last_cursor *cur, struct err *err);

/* --- writing ----------------------------------------------------------- */

/*
 * The records of one directory. They are held back until something in it has
 * changed, so that an unchanged directory costs one row; of a very big one they
 * are written in any case, to bound memory.
 */
struct last_writer {
	struct wr buf;
	size_t *ends; /* of the pages in ${buf} that are full */
	size_t nends, ends_cap;
	size_t n;       /* entries in the page being filled */
	uint32_t pages; /* written */
	bool dirty;     /* set by the caller, too: it has changed */
};
void last_writer_clear(struct last_writer *w);

/** last_write(w, state, key, e, err): The next entry of the directory. */
NODISCARD int last_write(struct last_writer *w, struct state *state,
    const uint8_t key[HASH_LEN], const struct last_entry *e, struct err *err);
/** last_write_end(): Put what is new, or keep all; then it starts over. */
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

#endif
