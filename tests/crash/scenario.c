#include "tests/crash/scenario.h"
#include "tests/unit/scratch.h"

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* One run, with a crash at a sync, or 0: none. Returns the number of syncs. */
static unsigned
run_once(const struct scenario *sc, void *arg, unsigned crash_at, unsigned seed)
{
	char base[SCRATCH_PATH];
	char dir[SCRATCH_PATH + 8], spare[SCRATCH_PATH + 8];
	struct crashfs *fs;
	const char *wrong;
	unsigned syncs;

	scratch_new(base);
	(void)snprintf(dir, sizeof(dir), "%s/work", base);
	(void)snprintf(spare, sizeof(spare), "%s/spare", base);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(mkdir(spare, 0755), 0);

	fs = crashfs_new(spare, crash_at);
	if (sc->no_rename)
		crashfs_no_rename(fs);
	if (sc->before != NULL)
		sc->before(arg, dir);
	sc->work(arg, dir, crashfs_sysio(fs));
	if (crash_at > 0)
		crashfs_settle(fs, seed);
	wrong = sc->check(arg, dir);
	if (wrong != NULL)
		fail_msg("crash at sync %u, seed %u: %s (left in %s)", crash_at,
		    seed, wrong, base);
	syncs = crashfs_syncs(fs);
	crashfs_free(fs);
	scratch_rm(base);
	return syncs;
}

unsigned
scenario_run(const struct scenario *sc, void *arg, unsigned seeds)
{
	unsigned syncs = run_once(sc, arg, 0, 0);

	for (unsigned at = 1; at <= syncs + 1; at++)
		for (unsigned seed = 0; seed < seeds; seed++)
			(void)run_once(sc, arg, at, seed);
	return syncs;
}
