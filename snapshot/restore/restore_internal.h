#ifndef SNAPSHOT_RESTORE_RESTORE_INTERNAL_H
#define SNAPSHOT_RESTORE_RESTORE_INTERNAL_H

/*
 * What the files of restore share.
 *
 *	restore.c	the target, and the whole
 *	restore_walk.c	down and up the trees
 *	restore_make.c	making one entry
 */
#include "snapshot/restore/apply.h"
#include "snapshot/restore/filler.h"
#include "snapshot/restore/made.h"

#include <pthread.h>
#include <sys/stat.h>

/* A directory being restored. */
struct level {
	int fd; /* -1 while too far above */
	dev_t dev;
	ino_t ino;
	uint8_t *raw; /* its entry, which ${e} borrows */
	struct entry e;
	struct dir_cursor *cur;
	size_t path_len;
};

struct restore {
	struct chunks *chunks;
	const struct restore_options *opt;
	struct restore_result *out;
	struct apply *apply;
	struct filler *filler;
	struct made *made;
	int root_fd; /* of the target, for what is reached once more */
	struct level *levels;
	size_t depth, cap;
	char *path; /* of what is being made, from the target */
	size_t path_len, path_cap;
	pthread_mutex_t mu; /* of ${out} and of telling problems */
	/* Paths to take away when all is over; guarded by mu. */
	char **failed;
	struct err full; /* the first failure for want of space; by mu */
	size_t nfailed, failed_cap;
};

/**
 * restore_is_fatal(code): Whether it ends the whole restore: no memory, no
 * space, a stop. Anything else concerns one entry.
 */
bool restore_is_fatal(int code);

/** restore_tell(rs, path, err): One entry failed. Thread: safe. */
void restore_tell(struct restore *rs, const char *path, const struct err *err);

/** restore_path(rs, name, len, err): rs->path becomes that of an entry. */
NODISCARD int restore_path(
    struct restore *rs, const uint8_t *name, size_t len, struct err *err);
/** restore_path_name(rs): The name at its end. */
const char *restore_path_name(const struct restore *rs);

/**
 * restore_push(rs, fd, raw, err):
 * Make ${fd} (taken over), the directory with the entry ${raw}, the one that is
 * being filled.
 */
NODISCARD int restore_push(
    struct restore *rs, int fd, struct span raw, struct err *err);
/** restore_walk(rs, err): Fill all that was pushed. */
NODISCARD int restore_walk(struct restore *rs, struct err *err);
void restore_levels_clear(struct restore *rs);

/** restore_unmake(rs, path): Take a file away that could not be filled. */
void restore_unmake(struct restore *rs, const char *path);

/**
 * restore_open_dir(rs, path, len, err):
 * A directory that was made (O_PATH): the first ${len} bytes of ${path}, from
 * the target's root.
 */
NODISCARD int restore_open_dir(
    struct restore *rs, const char *path, size_t len, struct err *err);

/** restore_make(rs, dirfd, name, de, err): Anything but a directory. */
NODISCARD int restore_make(struct restore *rs, int dirfd, const char *name,
    const struct dir_entry *de, struct err *err);

#endif
