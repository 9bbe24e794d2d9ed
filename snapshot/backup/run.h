#ifndef SNAPSHOT_BACKUP_RUN_H
#define SNAPSHOT_BACKUP_RUN_H

/* What the files of a running backup share. */
#include "snapshot/backup/assemble.h"
#include "snapshot/backup/early.h"
#include "snapshot/backup/exclude.h"
#include "snapshot/backup/grab.h"
#include "snapshot/backup/pool.h"
#include "snapshot/backup/readahead.h"
#include "snapshot/backup/scout.h"
#include "snapshot/backup/source.h"

struct run {
	const struct backup_options *opt;
	struct access *access;
	const struct dataset *ds;
	const struct snapshot *before; /* the newest that is kept, or NULL */
	uint64_t next_ino;             /* the first inode number to give out */
	struct source source;
	struct exclude *exclude;
	struct state *state; /* NULL: none is kept */
	bool state_usable;   /* what it says of files can be relied on */
	bool has_base;       /* it describes some snapshot: */
	struct state_base base;
	uint64_t seen; /* number of the newest record when it began */
	/* The indexes that were the dataset's then. */
	uint8_t (*indexes)[OBJECT_NAME_LEN];
	size_t nindexes;
	struct object_ref
	    prune; /* the newest record that is one; seq 0: none */
	struct ingest *ingest;
	struct pool *pool;
	struct worker self; /* this thread's own tools */
	struct grab_options grab;
	struct readahead ahead;
	atomic_uint lease_looks;
	struct links *links;
	struct problems problems;
	uint64_t elsewhere; /* directories on other filesystems, left out */
	struct assembly assembly;
	struct moment start;
};

/**
 * run_state_open(run, log, err):
 * What this machine keeps, if anything; ${run->state_usable}, with the snapshot
 * as ${run->base}: when it describes one of the log's, of this source.
 */
NODISCARD int run_state_open(
    struct run *run, const struct log *log, struct err *err);

/**
 * run_takes_over(run): Whether what has not changed since the snapshot that the
 * state describes is taken over unread.
 */
bool run_takes_over(const struct run *run);

/** run_state_publish(run, log, err): It describes the log's newest from now on.
 */
NODISCARD int run_state_publish(
    struct run *run, const struct log *log, struct err *err);

/**
 * run_learn_condemned(run, log, err):
 * Tell ${run}->ingest what the log's newest prune record says of packs. Cost:
 * where neither the records that were read nor the state know which that is, all
 * of the log is read.
 */
NODISCARD int run_learn_condemned(
    struct run *run, const struct log *log, struct err *err);
/** run_learn_condemned_since(): The same, if there is a newer one since. */
NODISCARD int run_learn_condemned_since(
    struct run *run, const struct log *log, struct err *err);

/**
 * run_source(run, err): Send the source through the pipeline; afterwards
 * assembly_root() has the snapshot's root.
 */
NODISCARD int run_source(struct run *run, struct err *err);

/** run_excludes(opt, out, err): The patterns of what is left out. */
NODISCARD int run_excludes(
    const struct backup_options *opt, struct exclude **out, struct err *err);

/** run_scout_options(opt, ex): For a scout of the source; ${ex} is borrowed. */
struct scout_options run_scout_options(
    const struct backup_options *opt, const struct exclude *ex);

/** run_raise_file_limit(): As far as may be; returns how many may be open. */
size_t run_raise_file_limit(void);

/**
 * run_take_early(run):
 * The scout that began before the run, for whoever takes it to free, if it serves
 * this run; ${run->start} is when it began, then. NULL: there is none.
 */
struct scout *run_take_early(struct run *run);

/** run_now(): The clock's time. */
struct moment run_now(void);

/**
 * run_publish(run, log, local, err):
 * Make a snapshot of it. ${local} is left alone, or says what this machine could
 * not remember of what is stored.
 */
NODISCARD int run_publish(
    struct run *run, struct log *log, struct err *local, struct err *err);

#endif
