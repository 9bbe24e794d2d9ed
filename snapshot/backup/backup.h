#ifndef SNAPSHOT_BACKUP_BACKUP_H
#define SNAPSHOT_BACKUP_BACKUP_H

/*
 * Making a backup: a source becomes a snapshot.
 */
#include "snapshot/log/log.h"

#include <stdatomic.h>

/* What a running backup has done so far; read by any thread at any time. */
struct backup_progress {
	_Atomic uint64_t entries; /* of every type, finished */
	_Atomic uint64_t files;   /* of those, regular files */
	_Atomic uint64_t bytes;   /* of the files, by size */
	_Atomic uint64_t read;    /* bytes read from the source */
};

enum backup_problem {
	BACKUP_UNREADABLE, /* left out, or listed without its content */
	BACKUP_CHANGED,    /* changed while it was read; stored as read */
	BACKUP_VANISHED,   /* gone between being listed and being read */
};

struct backup_options {
	const char *dataset;   /* made when missing (admins only) */
	const char *source;    /* directory, file or block device */
	const char *exec;      /* or: a shell command's output ... */
	const char *exec_name; /* ... as a file of this name */
	bool full;             /* read every file again */
	bool cross_filesystems;
	bool exclude_caches;         /* leave directories with a CACHEDIR.TAG */
	const char *const *excludes; /* gitignore-style patterns, in order */
	size_t nexcludes;
	const char *host;      /* NULL: this machine's name */
	const char *program;   /* program and version, for the record */
	const char *state_dir; /* NULL: none is kept, every file is read */
	unsigned threads;      /* 0: one a processor */
	struct moment now;     /* zero: the clock's time; for tests */

	struct backup_early *early; /* may be NULL; the run may use it up */
	const atomic_bool *stop;    /* may be NULL: set to stop early */
	struct backup_progress *progress; /* may be NULL */
	/* Called from one thread at a time, as soon as one is met. */
	void (*on_problem)(
	    void *arg, enum backup_problem what, const char *path, int errnum);
	void *arg;
};

/* The outcome. Clear with backup_result_clear(). */
struct backup_result {
	bool created_dataset;
	const struct snapshot *snapshot; /* the log's */
	struct log *log;                 /* owned; its end, at least */
	const struct snapshot *before;   /* the one before it, or NULL */
	uint64_t unreadable, changed, vanished;
	uint64_t unchanged; /* files taken over from the last snapshot */
	uint64_t elsewhere; /* directories on other filesystems, left out */
	bool met_store;     /* in the source: left out */
	/*
	 * Packs and indexes that earlier snapshots need and that are gone or
	 * damaged: every file was read, and what this snapshot needs is whole.
	 */
	uint64_t lost;
	/*
	 * Not 0: the snapshot is stored, but this machine's state could not be
	 * written, and the next backup will read more than it would have to.
	 */
	struct err state_err;
};
void backup_result_clear(struct backup_result *r);

/**
 * backup_run(a, heads, opt, out, err):
 * Back up and publish. When it fails, or is stopped (ERR_CANCELLED), there is no
 * snapshot, every earlier one is whole, and what was stored is found by the next run.
 * A success with unreadable entries is a backup in part.
 *
 * Errors: ERR_NOT_FOUND no such source; ERR_USAGE source is the store or
 * lies in it, bad dataset name, bad pattern; ERR_DENIED; ERR_LOCKED another
 * backup of this dataset is running; ERR_FULL; ERR_IO (also: the command of
 * --exec failed; the text says how).
 * Thread: one run an access at a time. Uses opt->threads threads of its own.
 */
NODISCARD int backup_run(struct access *a, struct heads *heads,
    const struct backup_options *opt, struct backup_result *out,
    struct err *err);

#endif
