#ifndef TESTS_BENCH_PARTS_PLACE_H
#define TESTS_BENCH_PARTS_PLACE_H

/* A store with one dataset, in a directory of its own (below $TMPDIR). */
#include "snapshot/access/access.h"
#include "tests/unit/scratch.h"

struct place {
	char dir[SCRATCH_PATH];
	char path[SCRATCH_PATH + 16]; /* the store's, in it */
	struct access *access;
	struct store *store;
	const struct dataset *ds;
};

void place_new(struct place *p);
void place_clear(struct place *p);

#endif
