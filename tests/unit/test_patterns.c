#include "tools/patterns.h"

#include "tests/unit/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Read a file that holds ${text}, after a pattern 'first'. */
static void
expect(const char *text, size_t len, const char *const *want, size_t n)
{
	PATTERNS_AUTO struct patterns p = {0};
	struct err err = {0};
	char dir[SCRATCH_PATH];
	char path[SCRATCH_PATH + 8];

	scratch_new(dir);
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	scratch_write(path, text, len);
	assert_int_equal(patterns_add(&p, "first?", 5, &err), 0);
	assert_int_equal(patterns_read(&p, path, &err), 0);
	scratch_rm(dir);
	assert_int_equal(p.n, n + 1);
	assert_string_equal(p.v[0], "first");
	for (size_t i = 0; i < n; i++)
		assert_string_equal(p.v[i + 1], want[i]);
}

#define EXPECT(text, ...)                                                      \
	do {                                                                   \
		static const char *const want_[] = {__VA_ARGS__};              \
		expect(text, sizeof(text) - 1, want_, ARRAY_LEN(want_));       \
	} while (0)

static void
read__a_pattern_a_line(UNUSED void **state)
{
	EXPECT("a\n/b/\n!c", "a", "/b/", "!c");
	EXPECT("a\r\nb\r\n", "a", "b");
}

static void
read__passes_over_comments_and_empty_lines(UNUSED void **state)
{
	EXPECT("\n# no\n\n   \na\n#b", "a");
	EXPECT("\\#a\n a#b\n", "\\#a", " a#b");
}

static void
read__drops_blanks_at_the_end(UNUSED void **state)
{
	EXPECT("a  \nb\\ \nc\\  \n", "a", "b\\ ", "c\\ ");
}

static void
read__says_which_file_is_missing(UNUSED void **state)
{
	PATTERNS_AUTO struct patterns p = {0};
	struct err err = {0};

	assert_int_equal(
	    patterns_read(&p, "/nowhere/file", &err), ERR_NOT_FOUND);
	assert_string_equal(err.text, "cannot open exclude file "
				      "'/nowhere/file': No such file or "
				      "directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read__a_pattern_a_line),
	    cmocka_unit_test(read__passes_over_comments_and_empty_lines),
	    cmocka_unit_test(read__drops_blanks_at_the_end),
	    cmocka_unit_test(read__says_which_file_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
