#ifndef TESTS_UNIT_DIR_FIXTURE_H
#define TESTS_UNIT_DIR_FIXTURE_H

/* Directories of many files, which tell their number. */
#include "tests/unit/tree_fixture.h"

/* The i-th name of a big directory. */
static inline UNUSED void
nth_name(size_t i, char out[24])
{
	(void)snprintf(out, 24, "file-%08zu.txt", i);
}

/* A directory of ${n} files; that of number ${changed} has another mtime. */
static inline UNUSED struct dir_ref
build(struct chunks *c, size_t n, size_t changed)
{
	AUTO(dir_builder) struct dir_builder *b = NULL;
	struct dir_ref ref;
	char name[24];

	assert_ok(dir_builder_new(&b, &err));
	for (size_t i = 0; i < n; i++) {
		struct entry e = entry_file(i + 1);

		if (i == changed)
			e.mtime++;
		nth_name(i, name);
		add_entry(b, c, name, &e);
	}
	assert_ok(dir_builder_finish(b, fake_lane(c), &ref, &err));
	assert_int_equal(ref.entries, n);
	return ref;
}

static inline UNUSED struct dir_cursor *
open_cursor(struct chunks *c, const struct dir_ref *ref)
{
	struct dir_cursor *cur;

	assert_ok(dir_cursor_new(c, ref, &cur, &err));
	return cur;
}

static inline UNUSED void
assert_is_nth(const struct dir_entry *de, size_t i)
{
	char name[24];

	nth_name(i, name);
	assert_int_equal(de->name.len, strlen(name));
	assert_memory_equal(de->name.p, name, de->name.len);
	assert_int_equal(de->e.ino, i + 1);
}

static inline UNUSED int
lookup(struct chunks *c, const struct dir_ref *ref, const char *name,
    struct dir_entry *de, struct err *err)
{
	return dir_lookup(c, ref, (const uint8_t *)name, strlen(name), de, err);
}

#endif
