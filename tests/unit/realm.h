#ifndef TESTS_UNIT_REALM_H
#define TESTS_UNIT_REALM_H

/*
 * A real store to do things with: the dataset 'files' with two snapshots of a
 * small tree, and the dataset 'other' with one.
 */
#include "snapshot/backup/backup.h"
#include "tests/unit/outcome.h"
#include "tests/unit/scratch.h"

#define FIRST_TIME 1700000000 /* 2023-11-14T22:13:20Z */
#define FIRST_LABEL "files@2023-11-14T22:13:20Z:/"
#define SECOND_LABEL "files@2023-11-14T23:13:20Z:/"

struct realm {
	char dir[SCRATCH_PATH];
	char store[SCRATCH_PATH + 16];
	char source[SCRATCH_PATH + 16];
	char state[SCRATCH_PATH + 16];
	struct access *admin;
	struct heads *heads;
	struct recovery *recovery;
};

/** realm_new(): A store with its admin, and nothing in it yet. */
struct realm *realm_new(void);
void realm_free(struct realm *r);
/** realm_fill(r): The datasets, their sources and their snapshots. */
void realm_fill(struct realm *r);
/** realm_backup(r, dataset, source, hours): At so long after FIRST_TIME. */
void realm_backup(
    struct realm *r, const char *dataset, const char *source, int hours);
/** realm_open(r): Anew, by the recovery key: nothing is kept open. */
struct access *realm_open(const struct realm *r);

/** realm_open_writer(r): As a host that may write 'files'. */
struct access *realm_open_writer(const struct realm *r);

/* For a group of tests that leave a filled one as they found it. */
int realm_group_setup(void **state);
int realm_group_teardown(void **state);

#endif
