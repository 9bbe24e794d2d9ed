#include "tools/snapshot_arg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct want {
	const char *text, *dataset, *time, *path;
};

static void
expect(const struct want *w)
{
	SNAPSHOT_ARG_AUTO struct snapshot_arg arg = {0};
	struct err err = {0};

	assert_int_equal(snapshot_arg_parse(w->text, &arg, &err), 0);
	assert_string_equal(arg.dataset, w->dataset);
	assert_string_equal(arg.time, w->time);
	if (w->path == NULL)
		assert_null(arg.path);
	else
		assert_string_equal(arg.path, w->path);
}

static void
refuse(const char *text, const char *why)
{
	SNAPSHOT_ARG_AUTO struct snapshot_arg arg = {0};
	struct err err = {0};

	assert_int_equal(snapshot_arg_parse(text, &arg, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, why));
}

static void
parse__every_form_of_time(UNUSED void **state)
{
	static const struct want wants[] = {
	    {"home@latest", "home", "latest", NULL},
	    {"db/clarity@2026-11-21", "db/clarity", "2026-11-21", NULL},
	    {"h@3h", "h", "3h", NULL},
	    {"h@9f31c2", "h", "9f31c2", NULL},
	    {"h@2026-11-21T14:20Z", "h", "2026-11-21T14:20Z", NULL},
	    {"h@2026-11-21T14:20:05Z", "h", "2026-11-21T14:20:05Z", NULL},
	    {"h@2026-11-21T14:20:05.250Z", "h", "2026-11-21T14:20:05.250Z",
		NULL},
	    {"h@2026-11-21T14:20+01:00", "h", "2026-11-21T14:20+01:00", NULL},
	    {"h@2026-11-21T14:20:05-09:30", "h", "2026-11-21T14:20:05-09:30",
		NULL},
	    {"h@2026-11-21/14-20-00Z", "h", "2026-11-21/14-20-00Z", NULL},
	    {"h@-0044-03-15T12:00Z", "h", "-0044-03-15T12:00Z", NULL},
	};

	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		expect(&wants[i]);
}

static void
parse__time_with_a_path(UNUSED void **state)
{
	static const struct want wants[] = {
	    {"home@latest:etc/passwd", "home", "latest", "etc/passwd"},
	    {"h@2026-11-21:a", "h", "2026-11-21", "a"},
	    {"h@2026-11-21T14:20Z:a:b", "h", "2026-11-21T14:20Z", "a:b"},
	    {"h@2026-11-21T14:20Z:05Z", "h", "2026-11-21T14:20Z", "05Z"},
	    {"h@2026-11-21T14:20:05Z:30", "h", "2026-11-21T14:20:05Z", "30"},
	    {"h@2026-11-21T14:20:05.1Z:x", "h", "2026-11-21T14:20:05.1Z", "x"},
	    {"h@2026-11-21T14:20+01:00:x", "h", "2026-11-21T14:20+01:00", "x"},
	    {"h@2026-11-21/14-20-00Z:a@b", "h", "2026-11-21/14-20-00Z", "a@b"},
	    {"h@abcd:x\ny", "h", "abcd", "x\ny"},
	};

	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		expect(&wants[i]);
}

static void
parse__slashes_at_the_ends_of_a_path(UNUSED void **state)
{
	static const struct want wants[] = {
	    {"h@1d:/etc", "h", "1d", "etc"},
	    {"h@1d:etc/", "h", "1d", "etc"},
	    {"h@1d://etc//x//", "h", "1d", "etc//x"},
	    {"h@1d:/", "h", "1d", ""},
	    {"h@1d:", "h", "1d", ""},
	};

	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		expect(&wants[i]);
}

/* What is no time goes to when_select() in one piece, to be named by it. */
static void
parse__leaves_bad_times_whole(UNUSED void **state)
{
	static const struct want wants[] = {
	    {"h@tomorrow", "h", "tomorrow", NULL},
	    {"h@2026-11-21T14:20", "h", "2026-11-21T14:20", NULL},
	    {"h@2026-11-21T14:20:05", "h", "2026-11-21T14:20:05", NULL},
	    {"h@@", "h", "@", NULL},
	};

	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		expect(&wants[i]);
}

static void
parse__says_what_is_missing(UNUSED void **state)
{
	refuse("home", "as in 'home@latest'");
	refuse("home:etc@x", "as in 'home@latest'");
	refuse("", "does not say which snapshot");
	refuse("@latest", "names no dataset");
	refuse("home@", "no time after the '@'");
	refuse("home@:etc", "no time after the '@'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse__every_form_of_time),
	    cmocka_unit_test(parse__time_with_a_path),
	    cmocka_unit_test(parse__slashes_at_the_ends_of_a_path),
	    cmocka_unit_test(parse__leaves_bad_times_whole),
	    cmocka_unit_test(parse__says_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
