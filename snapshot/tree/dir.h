#ifndef SNAPSHOT_TREE_DIR_H
#define SNAPSHOT_TREE_DIR_H

/*
 * Directories: sorted entries in pages (FORMAT.md section 8). Looking a name
 * up, or taking up a listing at the n-th entry, reads one page a level.
 */
#include "snapshot/tree/entry.h"

/* --- making: belongs to one thread ------------------------------------- */

struct dir_builder;
NODISCARD int dir_builder_new(struct dir_builder **out, struct err *err);
void dir_builder_free(struct dir_builder *b);
DEFINE_AUTO(dir_builder, dir_builder_free)

/**
 * dir_builder_add(b, lane, name, namelen, entry, len, err):
 * The next entry; names ascend strictly (ERR_BUG otherwise). Full pages go to
 * ${lane}, so memory stays bounded: one open page a level.
 * Errors: ERR_USAGE a name that entry_name_ok() refuses, or an entry of more
 * than ENTRY_MAX bytes (nothing has happened; going on is fine); those of
 * ingest_chunk().
 */
NODISCARD int dir_builder_add(struct dir_builder *b, struct ingest_lane *lane,
    const uint8_t *name, size_t namelen, const uint8_t *entry, size_t len,
    struct err *err);

/**
 * dir_builder_finish(b, lane, out, err):
 * Then it starts over, also after a failure.
 */
NODISCARD int dir_builder_finish(struct dir_builder *b,
    struct ingest_lane *lane, struct dir_ref *out, struct err *err);

/* --- reading ----------------------------------------------------------- */

/* An entry as read: borrowed from its page, which ${page} keeps alive. */
struct dir_entry {
	struct chunk page;
	struct span name;
	struct span raw; /* the encoded entry */
	struct entry e;
};
/** dir_entry_release(de): For what dir_lookup() and dir_resolve() filled. */
void dir_entry_release(struct dir_entry *de);
#define DIR_ENTRY_AUTO __attribute__((cleanup(dir_entry_release)))

/**
 * dir_lookup(chunks, ref, name, len, out, err):
 * ERR_NOT_FOUND when there is no such name; else those of chunks_get() (whose
 * ERR_NOT_FOUND becomes ERR_CORRUPT: the page ought to be there).
 */
NODISCARD int dir_lookup(struct chunks *chunks, const struct dir_ref *ref,
    const uint8_t *name, size_t len, struct dir_entry *out, struct err *err);

/* A walk over a directory's entries, in order. Belongs to one thread. */
struct dir_cursor;
NODISCARD int dir_cursor_new(struct chunks *chunks, const struct dir_ref *ref,
    struct dir_cursor **out, struct err *err);
void dir_cursor_free(struct dir_cursor *cur);
DEFINE_AUTO(dir_cursor, dir_cursor_free)

/**
 * dir_cursor_seek(cur, n, err):
 * Go to the n-th entry, from 0; beyond the last one is the end.
 */
NODISCARD int dir_cursor_seek(
    struct dir_cursor *cur, uint64_t n, struct err *err);

/** dir_cursor_tell(cur): How many entries lie before the next one. */
uint64_t dir_cursor_tell(const struct dir_cursor *cur);

/**
 * dir_cursor_next(cur, out, err): 1 with an entry, 0 at the end, or an error.
 * ${out} owns nothing and is not to be released. What it borrows holds until
 * the next call on ${cur}, or as long as the caller keeps a reference to its
 * page of its own (segment_ref(out->page.seg); dir_entry_release() then).
 * Errors: ERR_CORRUPT also for a page that is missing; else those of
 * chunks_get(). Another call meets the same error.
 */
NODISCARD int dir_cursor_next(
    struct dir_cursor *cur, struct dir_entry *out, struct err *err);

/**
 * dir_cursor_skip_page(cur, other):
 * When both cursors stand at the start of the same page (by name), pass over
 * it, with all below it, in both and return how many entries that was; else 0.
 * For comparing directories whose chunks are named under one key.
 */
uint64_t dir_cursor_skip_page(struct dir_cursor *cur, struct dir_cursor *other);

/**
 * dir_resolve(chunks, root, path, out, err):
 * Walk a path ("a/b/c"; empty: the root itself, whose raw entry is ${root}).
 * Symlinks are not followed. ERR_NOT_FOUND; ERR_USAGE a part is no directory.
 */
NODISCARD int dir_resolve(struct chunks *chunks, const struct span *root,
    const char *path, struct dir_entry *out, struct err *err);

#endif
