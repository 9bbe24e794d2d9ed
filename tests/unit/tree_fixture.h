#ifndef TESTS_UNIT_TREE_FIXTURE_H
#define TESTS_UNIT_TREE_FIXTURE_H

/*
 * What the tests of contents and trees share: assertions that print the
 * failure's text, random numbers from a seed that is printed, entries and
 * directories made of the few fields a test cares for.
 */
#include "snapshot/tree/dir.h"
#include "tests/unit/fake_chunks.h"
#include "tests/unit/outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64, from VARVE_TEST_SEED or a fixed seed. */
struct rng {
	uint64_t s;
};

static inline UNUSED struct rng
rng_new(void)
{
	const char *env = getenv("VARVE_TEST_SEED");
	struct rng g = {env != NULL ? strtoull(env, NULL, 0) : 1};

	print_message("seed %llu (VARVE_TEST_SEED)\n", (unsigned long long)g.s);
	return g;
}

static inline UNUSED uint64_t
rng_next(struct rng *g)
{
	uint64_t z = (g->s += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline UNUSED uint64_t
rng_below(struct rng *g, uint64_t n)
{
	return rng_next(g) % n;
}

static inline UNUSED struct span
span_of(const char *s)
{
	return (struct span){(const uint8_t *)s, strlen(s)};
}

/* A file without bytes, of this inode number. */
static inline UNUSED struct entry
entry_file(uint64_t ino)
{
	static const uint8_t nothing[1] = {CONTENT_EMPTY};

	return (struct entry){
	    .type = ENTRY_FILE,
	    .mode = 0644,
	    .mtime = 1700000000,
	    .ino = ino,
	    .nlink = 1,
	    .content = {nothing, 1},
	};
}

static inline UNUSED struct entry
entry_dir(uint64_t ino, const struct dir_ref *ref)
{
	return (struct entry){
	    .type = ENTRY_DIR,
	    .mode = 0755,
	    .mtime = 1700000000,
	    .ino = ino,
	    .nlink = 1,
	    .dir = *ref,
	};
}

static inline UNUSED void
add_entry(struct dir_builder *b, struct chunks *c, const char *name,
    const struct entry *e)
{
	WR_AUTO struct wr w = {0};

	entry_encode(e, &w);
	assert_ok(dir_builder_add(b, fake_lane(c), (const uint8_t *)name,
	    strlen(name), w.buf, w.len, &err));
}

#endif
