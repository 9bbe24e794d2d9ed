#include "snapshot/backup/exclude.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct rule_case {
	const char *pattern;
	const char *path;
	bool is_dir;
	bool excluded;
};

/* As gitignore(5) tells it. */
static const struct rule_case cases[] = {
    {"*.o", "a.o", false, true},
    {"*.o", "deep/er/a.o", false, true},
    {"*.o", "a.c", false, false},
    {"*.o", "a.o", true, true},
    {"/a", "a", false, true},
    {"/a", "b/a", false, false},
    {"a/b", "a/b", false, true},
    {"a/b", "x/a/b", false, false},
    {"tmp/", "tmp", true, true},
    {"tmp/", "tmp", false, false},
    {"tmp/", "x/tmp", true, true},
    {"a/*", "a/b", false, true},
    {"a/*", "a/b/c", false, false},
    {"**/x", "x", false, true},
    {"**/x", "a/b/x", false, true},
    {"a/**", "a/b", false, true},
    {"a/**", "a/b/c", false, true},
    {"a/**", "a", true, false},
    {"a/**/z", "a/z", false, true},
    {"a/**/z", "a/b/c/z", false, true},
    {"a/**/z", "a/b/c/zz", false, false},
    {"a/**/**/z", "a/b/z", false, true},
    {"[ab]?c", "axc", false, true},
    {"[!ab]?c", "axc", false, false},
    {"\\!keep", "!keep", false, true},
    {"\\#x", "#x", false, true},
    {"caf\xc3\xa9", "caf\xc3\xa9", false, true},
    {"*.log", ".log", false, true},
};

static void
exclude_match__follows_gitignore(UNUSED void **state)
{
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(exclude) struct exclude *ex = NULL;
		const struct rule_case *c = &cases[i];

		assert_int_equal(exclude_new(&ex, &err), 0);
		assert_int_equal(exclude_add(ex, c->pattern, &err), 0);
		if (exclude_match(ex, c->path, c->is_dir) != c->excluded)
			fail_msg("'%s' on '%s'", c->pattern, c->path);
	}
}

static void
exclude_match__lets_the_last_pattern_decide(UNUSED void **state)
{
	AUTO(exclude) struct exclude *ex = NULL;
	struct err err;

	assert_int_equal(exclude_new(&ex, &err), 0);
	assert_false(exclude_match(ex, "a.log", false));
	assert_int_equal(exclude_add(ex, "*.log", &err), 0);
	assert_int_equal(exclude_add(ex, "!audit.log", &err), 0);
	assert_true(exclude_match(ex, "a.log", false));
	assert_false(exclude_match(ex, "x/audit.log", false));
	assert_int_equal(exclude_add(ex, "/x/*.log", &err), 0);
	assert_true(exclude_match(ex, "x/audit.log", false));
}

static void
exclude_add__refuses_what_can_never_match(UNUSED void **state)
{
	static const char *const bad[] = {"", "/", "!", "a//b", "!/"};
	AUTO(exclude) struct exclude *ex = NULL;
	struct err err;

	assert_int_equal(exclude_new(&ex, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(exclude_add(ex, bad[i], &err), ERR_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exclude_match__follows_gitignore),
	    cmocka_unit_test(exclude_match__lets_the_last_pattern_decide),
	    cmocka_unit_test(exclude_add__refuses_what_can_never_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
