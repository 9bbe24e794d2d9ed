#ifndef TESTS_CRASH_SCENARIO_H
#define TESTS_CRASH_SCENARIO_H

/* Every crash of one piece of work. */
#include "tests/crash/crashfs.h"

struct scenario {
	bool no_rename; /* see crashfs_no_rename() */
	/* With ordinary system calls, in the empty directory ${dir}. */
	void (*before)(void *arg, const char *dir);
	/* What crashes. From the crash on, every call of ${io} fails. */
	void (*work)(void *arg, const char *dir, const struct sysio *io);
	/* After the crash, with ordinary calls: NULL, or what is wrong. */
	const char *(*check)(void *arg, const char *dir);
};

/**
 * scenario_run(sc, arg, seeds):
 * Run ${sc} once without a crash, and then for a crash at every sync, and one
 * after the last, with each of ${seeds} seeds (crashfs_settle). Fails the
 * running test with the sync and the seed when a check finds something wrong.
 * Returns the number of syncs of the first run.
 */
unsigned scenario_run(const struct scenario *sc, void *arg, unsigned seeds);

#endif
