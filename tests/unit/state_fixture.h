#ifndef TESTS_UNIT_STATE_FIXTURE_H
#define TESTS_UNIT_STATE_FIXTURE_H

/* A scratch directory for each test of what this machine knows. */
#include "snapshot/state/state.h"
#include "tests/unit/outcome.h"
#include "tests/unit/scratch.h"

#include <glob.h>
#include <sqlite3.h>
#include <stdint.h>

struct fixture {
	char dir[SCRATCH_PATH];
};

static inline UNUSED int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	scratch_new(f->dir);
	*state = f;
	return 0;
}

static inline UNUSED int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	scratch_rm(f->dir);
	free(f);
	return 0;
}

#define state_test(name)                                                       \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static inline UNUSED const char *
fixture_path(
    const struct fixture *f, const char *rest, char out[SCRATCH_PATH + 256])
{
	(void)snprintf(out, SCRATCH_PATH + 256, "%s/%s", f->dir, rest);
	return out;
}

/* Change a database behind its owner's back. */
static inline UNUSED void
change_database(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* How many files' names fit a pattern. */
static inline UNUSED size_t
count_files(const struct fixture *f, const char *pattern)
{
	char path[SCRATCH_PATH + 256];
	glob_t g;
	size_t n;

	if (glob(fixture_path(f, pattern, path), 0, NULL, &g) != 0)
		return 0;
	n = g.gl_pathc;
	globfree(&g);
	return n;
}

#endif
