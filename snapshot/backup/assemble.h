#ifndef SNAPSHOT_BACKUP_ASSEMBLE_H
#define SNAPSHOT_BACKUP_ASSEMBLE_H

/*
 * The end of the pipeline: jobs, in order, become trees, inode numbers and the
 * new last seen state.
 */
#include "snapshot/backup/grab.h"
#include "snapshot/backup/last.h"
#include "snapshot/backup/links.h"
#include "snapshot/backup/owners.h"
#include "snapshot/backup/problems.h"
#include "snapshot/tree/dir.h"

/*
 * A directory whose entries are coming in. As long as all are as they were, the
 * records are held back: if they stay so, its state costs one row, and the page
 * of the last snapshot serves again.
 */
struct assembly_level {
	struct item *self;
	char *path;
	uint8_t key[HASH_LEN];
	struct wr held;
	uint64_t entries; /* held back or not */
	bool anew;        /* something has changed, and it is made anew: */
	struct dir_builder *builder;
	struct dir_totals totals;
	struct last_writer last;
};

struct assembly {
	struct worker *worker; /* this thread's own tools */
	const struct grab_options *grab;
	struct state *state; /* the new generation, or NULL */
	bool takes_over;     /* what has not changed is taken over unread */
	bool root_is_last;   /* the root's item has the entry of the snapshot
			      * that the state describes */
	struct links *links;
	struct problems *problems;
	struct backup_progress *progress; /* or NULL */
	uint64_t next_ino;
	uint64_t unchanged; /* files taken over */

	/* private */
	struct owners *owners;
	struct assembly_level *levels;
	size_t depth, cap;
	struct wr scratch;
	struct wr record;
	struct wr root; /* the finished root entry */
};

/** assembly_init(as, err): The public fields are set by the caller. */
NODISCARD int assembly_init(struct assembly *as, struct err *err);
void assembly_clear(struct assembly *as);

/** assembly_job(as, job, err): The next job; takes it over. */
NODISCARD int assembly_job(
    struct assembly *as, struct job *job, struct err *err);

/** assembly_root(as): The root's entry, after its JOB_LEAVE; borrowed. */
struct span assembly_root(const struct assembly *as);

#endif
