#ifndef TESTS_UNIT_CHECK_FIXTURE_H
#define TESTS_UNIT_CHECK_FIXTURE_H

/* What there is to ask of a check; and the truth, to hold it against. */
#include "snapshot/check/check.h"
#include "tests/unit/realm_files.h"

static const enum check_depth depths[] = {
    CHECK_NO_KEYS, CHECK_STRUCTURE, CHECK_READ_DATA};

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

/** take_pack(r, kind, pack): The first of that kind; its name, too. */
struct original take_pack(const struct realm *r, int kind, char pack[192]);
/**
 * assert_truth(r, f, pack, snapshot, label):
 * That a check's findings are the truth about a snapshot's files.
 */
void assert_truth(const struct realm *r, const struct findings *f,
    const char *pack, size_t snapshot, const char *label);
/** assert_older(): An older snapshot that has damaged things in common, too. */
void assert_older(const struct realm *r, const struct findings *f);

#endif
