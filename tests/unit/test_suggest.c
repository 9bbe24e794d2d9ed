#include "tools/suggest.h"

#include "crypto/attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void
distance__counts_edits(UNUSED void **state)
{
	assert_int_equal(suggest_distance("", ""), 0);
	assert_int_equal(suggest_distance("mount", "mount"), 0);
	assert_int_equal(suggest_distance("", "abc"), 3);
	assert_int_equal(suggest_distance("mout", "mount"), 1);
	assert_int_equal(suggest_distance("moumt", "mount"), 1);
	assert_int_equal(suggest_distance("moutn", "mount"), 1);
	assert_int_equal(suggest_distance("ca", "abc"), 3);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
}

static const char *
nearest(const char *typed)
{
	static const char *const words[] = {"init", "backup", "list", "mount",
	    "restore", "diff", "find", "check"};
	struct suggest s = {.typed = typed};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		suggest_offer(&s, words[i]);
	return s.best;
}

static void
offer__keeps_the_nearest(UNUSED void **state)
{
	assert_string_equal(nearest("bakcup"), "backup");
	assert_string_equal(nearest("lsit"), "list");
	assert_string_equal(nearest("fnd"), "find");
	assert_string_equal(nearest("restroe"), "restore");
	assert_string_equal(nearest("chk"), "check");
}

static void
offer__takes_the_start_of_a_word(UNUSED void **state)
{
	assert_string_equal(nearest("rest"), "restore");
	assert_string_equal(nearest("ba"), "backup");
}

static void
offer__keeps_none_that_is_far(UNUSED void **state)
{
	assert_null(nearest("prune"));
	assert_null(nearest("x"));
	assert_null(nearest("ls"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(distance__counts_edits),
	    cmocka_unit_test(offer__keeps_the_nearest),
	    cmocka_unit_test(offer__takes_the_start_of_a_word),
	    cmocka_unit_test(offer__keeps_none_that_is_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
