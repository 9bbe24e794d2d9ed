#ifndef TESTS_UNIT_CHECK_FIXTURE_H
#define TESTS_UNIT_CHECK_FIXTURE_H

/*
 * A real store for checks to find damage in: the dataset 'files' with two
 * snapshots of a small tree, and the dataset 'other' with one. And what there
 * is to do with a store's files, and to ask of a check.
 */
#include "snapshot/backup/backup.h"
#include "snapshot/check/check.h"
#include "tests/unit/scratch.h"

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FIRST_TIME 1700000000 /* 2023-11-14T22:13:20Z */
#define FIRST_LABEL "files@2023-11-14T22:13:20Z:/"
#define SECOND_LABEL "files@2023-11-14T23:13:20Z:/"

/* The failure's code, and that its message says ${part}. */
#define assert_fails(want, part, call)                                         \
	do {                                                                   \
		struct err err = {0};                                          \
		int rc_ = (call);                                              \
		assert_int_equal(rc_, want);                                   \
		assert_int_equal(err.code, want);                              \
		if (strstr(err.text, part) == NULL)                            \
			fail_msg("'%s' is not in: %s", part, err.text);        \
	} while (0)

struct realm {
	char dir[SCRATCH_PATH];
	char store[SCRATCH_PATH + 16];
	char source[SCRATCH_PATH + 16];
	char state[SCRATCH_PATH + 16];
	struct access *admin;
	struct heads *heads;
	struct recovery *recovery;
};

/* Every outcome is checked by its code, and printed when it's another. */
#define assert_ok(call)                                                        \
	do {                                                                   \
		struct err err = {0};                                          \
		int rc_ = (call);                                              \
		if (rc_ != 0)                                                  \
			fail_msg("%s", err.text);                              \
	} while (0)

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

/* --- a store's files ---------------------------------------------------- */

#define FILES_MAX 256

/* Paths of objects, as messages name them. */
struct files {
	char name[FILES_MAX][192];
	size_t n;
};
/** files_find(r, part, out): Objects whose path has ${part} in it, sorted. */
void files_find(const struct realm *r, const char *part, struct files *out);
/** files_pick(r, part): The only one. */
void files_pick(const struct realm *r, const char *part, char out[192]);

/* An object as it was, to be put back. */
struct original {
	char path[2 * SCRATCH_PATH];
	uint8_t *buf;
	size_t len;
};
struct original original_take(const struct realm *r, const char *object);
/** original_put(o): Put it back, and forget it. */
void original_put(struct original *o);
/** original_flip(o, off): Store it with a bit of byte ${off} turned. */
void original_flip(const struct original *o, size_t off);
/** original_cut(o, len): Store its beginning. */
void original_cut(const struct original *o, size_t len);
void original_remove(const struct original *o);

/** object_kind(r, object): Of a pack: the byte in its header. */
int object_kind(const struct realm *r, const char *object);

/* --- checks ------------------------------------------------------------- */

struct damage {
	char *object, *what, *affects; /* affects: "" when it is none */
};

struct findings {
	struct check_result result;
	struct damage *v;
	size_t n;
};

/** check_with(a, heads, opt, f): Must succeed; findings_clear(). */
void check_with(struct access *a, struct heads *heads,
    const struct check_options *opt, struct findings *f);
/** check_realm(r, depth, f): As somebody would who comes anew. */
void check_realm(
    const struct realm *r, enum check_depth depth, struct findings *f);
void findings_clear(struct findings *f);
#define FINDINGS_AUTO __attribute__((cleanup(findings_clear)))

/** found(f, object, affects): ${affects} NULL: whatever. */
bool found(const struct findings *f, const char *object, const char *affects);
/** found_what(f, object, part): With ${part} in what is said of it. */
bool found_what(const struct findings *f, const char *object, const char *part);
/** assert_only(f, object): Found, and nothing else. */
void assert_only(const struct findings *f, const char *object);
void assert_clean(const struct findings *f);

/* --- the truth ---------------------------------------------------------- */

/* The files of a dataset that can't be read, of one of its snapshots. */
struct losses {
	char *paths[FILES_MAX * 8];
	size_t n;
	bool dirs; /* directories, too */
};
/** losses_find(r, dataset, i, out): Read all of snapshot ${i}. */
void losses_find(
    const struct realm *r, const char *dataset, size_t i, struct losses *out);
void losses_clear(struct losses *l);
#define LOSSES_AUTO __attribute__((cleanup(losses_clear)))

#endif
