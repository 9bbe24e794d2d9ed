#ifndef TESTS_BENCH_PARTS_PARTS_H
#define TESTS_BENCH_PARTS_PARTS_H

/*
 * The parts of a backup measured inside one process, each beside what the
 * library below it does by itself with the same bytes. Nothing is asserted: a
 * failure ends the program, a time never does.
 */
#include "crypto/err.h"

#include <stdint.h>

/* --- what is measured --------------------------------------------------- */

/* Goes through once. Returns how many bytes, or operations, that was. */
typedef uint64_t part_fn(void *arg);

enum part_unit { PART_BYTES, PART_OPERATIONS };

struct pair {
	const char *what;
	enum part_unit unit;
	part_fn *own;
	const char *beside; /* what ${limit} does */
	part_fn *limit;
	void *arg; /* of both */
};

/**
 * pair_measure(p):
 * Warm both up, run them in turn for several rounds, and print the median, the
 * least and the most of each, as a rate. Cost: about two seconds.
 */
void pair_measure(const struct pair *p);

/* --- what with ---------------------------------------------------------- */

struct source {
	uint8_t *buf;
	size_t len;
};

/**
 * source_read(paths, n, out):
 * The regular files below ${paths}, in order of name, one after another; again
 * from the start until 32 MiB are there. source_clear().
 */
void source_read(char *const *paths, size_t n, struct source *out);
void source_clear(struct source *src);

/* --- the parts ---------------------------------------------------------- */

void part_cut(const struct source *src);
void part_name(const struct source *src);
void part_seal(const struct source *src);
void part_segment(const struct source *src);
void part_index(const struct source *src);
void part_tree(const struct source *src);
void part_state(const struct source *src);
void part_log(const struct source *src);

/* --- help --------------------------------------------------------------- */

/** die(fmt, ...): A message, and the end. */
_Noreturn void die(const char *fmt, ...) PRINTF(1, 2);

/* What has to work, with its error in 'err'. */
#define must(call)                                                             \
	do {                                                                   \
		struct err err = {0};                                          \
		if ((call) != 0)                                               \
			die("%s", err.text);                                   \
	} while (0)

/** need(p): What was allocated. */
void *need(void *p);

/** mix(x): Numbers without a pattern from numbers with one (splitmix64). */
uint64_t mix(uint64_t x);

#endif
