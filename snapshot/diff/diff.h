#ifndef SNAPSHOT_DIFF_DIFF_H
#define SNAPSHOT_DIFF_DIFF_H

/*
 * What differs between two snapshots, of one store or of two. The cost follows
 * the difference: what is equal by name is passed over unread.
 */
#include "snapshot/tree/dir.h"

#include <stdatomic.h>

enum diff_kind {
	DIFF_ADDED,   /* only in the second */
	DIFF_REMOVED, /* only in the first */
	DIFF_CHANGED, /* in both */
};

/* What of an entry that is in both has changed. */
enum diff_field {
	DIFF_TYPE = 1 << 0,
	DIFF_CONTENT = 1 << 1, /* a file's bytes; a hole equals zeros */
	DIFF_SIZE = 1 << 2,    /* a file's; always with DIFF_CONTENT */
	DIFF_MODE = 1 << 3,
	DIFF_OWNER = 1 << 4, /* user or group, by number or by name */
	DIFF_MTIME = 1 << 5,
	DIFF_XATTRS = 1 << 6,
	DIFF_TARGET = 1 << 7, /* a symlink's */
	DIFF_DEVICE = 1 << 8, /* a device's numbers */
	DIFF_NLINK = 1 << 9,
};

/* One of the two. Everything is borrowed. */
struct diff_side {
	struct chunks *chunks;
	struct span root; /* its raw entry; len 0: nothing at all */
};

struct diff_item {
	enum diff_kind kind;
	unsigned fields;  /* enum diff_field, or-ed; of DIFF_CHANGED */
	const char *path; /* raw bytes from the root on, then NUL; root: "" */
	size_t path_len;
	const struct dir_entry *a; /* NULL when not in the first */
	const struct dir_entry *b; /* NULL when not in the second */
};

/*
 * Called for every difference; a directory comes before what is in it, names
 * come in their order. Where a side's directory stands alone (added, removed,
 * or something else in the other), what it holds is reported too when
 * ${descend} is set to true. The item holds until it returns. A negative return
 * ends the comparison and is diff_run()'s.
 */
typedef int diff_fn(
    void *arg, const struct diff_item *item, bool *descend, struct err *err);

/*
 * Called when something can't be compared because it can't be read: the rest of
 * the directory ${path}, or a file. Return 0 to go on with what is left.
 */
typedef int diff_problem_fn(
    void *arg, const char *path, size_t path_len, const struct err *problem);

struct diff_options {
	/*
	 * Both sides' chunks are named under one key (one dataset): what has
	 * one name is equal. Else all of both sides is read, but for files
	 * whose sizes differ.
	 */
	bool same_names;
	/*
	 * With same_names: never read a file. Contents are compared by their
	 * chunks' names, and one that was cut in another way counts as changed.
	 */
	bool unread;
	diff_fn *on_item;
	diff_problem_fn *on_problem; /* NULL: end with the error */
	void *arg;
	const atomic_bool *stop; /* may be NULL */
};

/**
 * diff_run(a, b, opt, err):
 * Compare. An inode number alone is no difference, nor are a directory's
 * totals: what they sum up is reported itself.
 *
 * Errors: those of chunks_get(), with the path; ERR_CORRUPT also for a chunk
 * that is missing; ERR_CANCELLED; what the callbacks return. ERR_CORRUPT,
 * ERR_AUTH and ERR_IO go to on_problem where there is one.
 * Memory: pages of the 64 directories last entered, about 200 bytes for each
 * above them. Paths may be of any depth.
 * Thread: the caller's alone.
 */
NODISCARD int diff_run(const struct diff_side *a, const struct diff_side *b,
    const struct diff_options *opt, struct err *err);

#endif
