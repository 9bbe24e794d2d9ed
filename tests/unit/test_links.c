#include "snapshot/backup/links.h"

#include <stdio.h>
#include <string.h>

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct stat
file(dev_t dev, ino_t ino, nlink_t nlink)
{
	struct stat st;

	memset(&st, 0, sizeof(st));
	st.st_dev = dev;
	st.st_ino = ino;
	st.st_nlink = nlink;
	return st;
}

static int
links_setup(void **state)
{
	return links_new((struct links **)state, NULL);
}

static int
links_teardown(void **state)
{
	links_free(*state);
	return 0;
}

static void
store(struct links *l, const struct stat *st, const char *entry)
{
	assert_int_equal(
	    links_store(l, st, (const uint8_t *)entry, strlen(entry), NULL), 0);
}

static void
assert_entry(struct links *l, const struct stat *st, const char *entry)
{
	const uint8_t *raw;
	size_t len;

	if (entry == NULL) {
		assert_false(links_entry(l, st, &raw, &len));
		return;
	}
	assert_true(links_entry(l, st, &raw, &len));
	assert_int_equal(len, strlen(entry));
	assert_memory_equal(raw, entry, len);
}

static void
links_meet__tells_the_first_link(void **state)
{
	struct links *l = *state;
	const struct stat a = file(1, 10, 3), b = file(1, 11, 2);
	const struct stat elsewhere = file(2, 10, 2);

	assert_int_equal(links_meet(l, &a, NULL), 0);
	assert_int_equal(links_meet(l, &b, NULL), 0);
	assert_int_equal(links_meet(l, &elsewhere, NULL), 0);
	assert_int_equal(links_meet(l, &a, NULL), 1);
	assert_int_equal(links_meet(l, &a, NULL), 1);
	assert_int_equal(links_meet(l, &b, NULL), 1);
	assert_int_equal(links_meet(l, &elsewhere, NULL), 1);
}

static void
links_entry__is_the_first_links(void **state)
{
	struct links *l = *state;
	const struct stat a = file(1, 10, 3), b = file(1, 11, 2);

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(links_meet(l, &a, NULL), i > 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(links_meet(l, &b, NULL), i > 0);
	assert_entry(l, &a, NULL);
	store(l, &a, "entry of a");
	store(l, &b, "b");
	assert_entry(l, &a, "entry of a");
	assert_entry(l, &b, "b");
	assert_entry(l, &a, "entry of a");
}

/* All links were met and done: one that comes later is a file of its own. */
static void
links_entry__is_forgotten_with_the_last_link(void **state)
{
	struct links *l = *state;
	const struct stat a = file(1, 10, 2);

	assert_int_equal(links_meet(l, &a, NULL), 0);
	assert_int_equal(links_meet(l, &a, NULL), 1);
	store(l, &a, "once");
	assert_entry(l, &a, "once");
	assert_entry(l, &a, NULL);
	assert_int_equal(links_meet(l, &a, NULL), 0);
	assert_int_equal(links_meet(l, &a, NULL), 1);
	store(l, &a, "again");
	assert_entry(l, &a, "again");
	assert_entry(l, &a, NULL);
}

/* A link that was made meanwhile: more are met than the file had at first. */
static void
links_entry__outlasts_the_count_while_links_are_met(void **state)
{
	struct links *l = *state;
	const struct stat a = file(1, 10, 2);

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(links_meet(l, &a, NULL), i > 0);
	store(l, &a, "x");
	assert_entry(l, &a, "x");
	assert_entry(l, &a, "x");
	assert_entry(l, &a, NULL);
}

/* The first link could not be read: the others have nothing to take over. */
static void
links_entry__is_none_without_a_first(void **state)
{
	struct links *l = *state;
	const struct stat a = file(1, 10, 2), never = file(1, 11, 2);

	assert_int_equal(links_meet(l, &a, NULL), 0);
	assert_int_equal(links_meet(l, &a, NULL), 1);
	assert_entry(l, &a, NULL);
	assert_entry(l, &never, NULL);
}

static void
links_store__passes_over_a_file_that_was_never_met(void **state)
{
	struct links *l = *state;
	const struct stat never = file(1, 11, 2);

	store(l, &never, "another that took its name");
	assert_entry(l, &never, NULL);
}

/* Many at once, in an order of their own, and none is mixed up. */
static void
links__keeps_many_apart(void **state)
{
	struct links *l = *state;
	const unsigned n = 5000;
	char text[16];

	for (unsigned i = 0; i < 2 * n; i++) {
		const struct stat st = file(i % 3, 1 + i * 7 % n, 2);

		assert_in_range(links_meet(l, &st, NULL), 0, 1);
	}
	for (unsigned i = 0; i < n; i++) {
		for (unsigned dev = 0; dev < 3; dev++) {
			const struct stat st = file(dev, 1 + i, 100);

			(void)snprintf(text, sizeof(text), "%u:%u", dev, i);
			store(l, &st, text);
		}
	}
	for (unsigned i = 0; i < 2 * n; i++) {
		const struct stat st = file(i % 3, 1 + i * 7 % n, 100);

		(void)snprintf(text, sizeof(text), "%u:%u", i % 3, i * 7 % n);
		assert_entry(l, &st, text);
	}
}

#define links_test(name)                                                       \
	cmocka_unit_test_setup_teardown(name, links_setup, links_teardown)

/* Two links of one file, each since a link of a file of its own. */
static void
links_claim__gives_a_number_to_one_file(UNUSED void **state)
{
	AUTO(links) struct links *l = NULL;
	struct stat a = {.st_dev = 1, .st_ino = 10, .st_nlink = 2};
	struct stat b = {.st_dev = 1, .st_ino = 11, .st_nlink = 2};
	struct stat c = {.st_dev = 2, .st_ino = 10, .st_nlink = 2};
	struct err err;

	assert_int_equal(links_new(&l, &err), 0);
	assert_int_equal(links_claim(l, 5, &a, &err), 1);
	assert_int_equal(links_claim(l, 5, &b, &err), 0);
	assert_int_equal(links_claim(l, 5, &c, &err), 0);
	assert_int_equal(links_claim(l, 5, &a, &err), 1);
	assert_int_equal(links_claim(l, 6, &b, &err), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(links_claim__gives_a_number_to_one_file),
	    links_test(links_meet__tells_the_first_link),
	    links_test(links_entry__is_the_first_links),
	    links_test(links_entry__is_forgotten_with_the_last_link),
	    links_test(links_entry__outlasts_the_count_while_links_are_met),
	    links_test(links_entry__is_none_without_a_first),
	    links_test(links_store__passes_over_a_file_that_was_never_met),
	    links_test(links__keeps_many_apart),
	};

	return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
