#include "tools/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED UINT64_C(4711)

static void
expect_number(const char *text, uint64_t min, uint64_t max, uint64_t want)
{
	struct err err = {0};
	uint64_t v = UNTOUCHED;

	assert_int_equal(number_parse(text, min, max, &v, &err), 0);
	assert_true(v == want);
}

static void
refuse_number(const char *text, uint64_t min, uint64_t max, const char *why)
{
	struct err err = {0};
	uint64_t v = UNTOUCHED;

	assert_int_equal(number_parse(text, min, max, &v, &err), ERR_USAGE);
	assert_string_equal(err.text, why);
	assert_true(v == UNTOUCHED);
}

static void
expect_size(const char *text, uint64_t want)
{
	struct err err = {0};
	uint64_t v = UNTOUCHED;

	assert_int_equal(number_size(text, 0, UINT64_MAX, &v, &err), 0);
	assert_true(v == want);
}

static void
refuse_size(const char *text, uint64_t min, uint64_t max, const char *why)
{
	struct err err = {0};
	uint64_t v = UNTOUCHED;

	assert_int_equal(number_size(text, min, max, &v, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, why));
	assert_true(v == UNTOUCHED);
}

static void
parse__whole_range(UNUSED void **state)
{
	expect_number("0", 0, UINT64_MAX, 0);
	expect_number("007", 0, 10, 7);
	expect_number("18446744073709551615", 0, UINT64_MAX, UINT64_MAX);
	expect_number("1", 1, 1, 1);
}

static void
parse__refuses_all_but_digits(UNUSED void **state)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "1x",
	    "0x10", "1.5", "1e3", "18446744073709551616",
	    "99999999999999999999999"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char why[128];

		(void)snprintf(
		    why, sizeof(why), "'%s' is not a number", bad[i]);
		refuse_number(bad[i], 0, UINT64_MAX, why);
	}
}

static void
parse__keeps_the_range(UNUSED void **state)
{
	refuse_number("0", 1, 5, "'0' is too small: at least 1");
	refuse_number("6", 1, 5, "'6' is too large: at most 5");
}

static void
size__units(UNUSED void **state)
{
	expect_size("0", 0);
	expect_size("1023", 1023);
	expect_size("1k", 1024);
	expect_size("1K", 1024);
	expect_size("64M", UINT64_C(64) << 20);
	expect_size("3g", UINT64_C(3) << 30);
	expect_size("2T", UINT64_C(2) << 40);
	expect_size("18014398509481983K", UINT64_MAX - 1023);
}

static void
size__refuses(UNUSED void **state)
{
	static const char *const bad[] = {
	    "", "M", "-1M", "1KB", "1 M", "1X", "1.5G", "64MM"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuse_size(bad[i], 0, UINT64_MAX, "is not a size");
	refuse_size("18014398509481984K", 0, UINT64_MAX, "is too large");
	refuse_size("16777216T", 0, UINT64_MAX, "is too large");
	refuse_size("1M", (UINT64_C(8) << 20), UINT64_MAX, "is too small");
	refuse_size("9M", 0, (UINT64_C(8) << 20), "is too large");
}

static void
number_duration__takes_one_unit(void **state)
{
	static const char *const bad[] = {"", "d", "90", "90days", "1h30m",
	    "-1d", " 1d", "1.5d", "99999999999999999999d", "90D"};
	struct err err;
	uint64_t v;

	(void)state;
	assert_int_equal(number_duration("90d", 0, UINT64_MAX, &v, &err), 0);
	assert_int_equal(v, 90 * 86400);
	assert_int_equal(number_duration("0s", 0, 10, &v, &err), 0);
	assert_int_equal(v, 0);
	assert_int_equal(number_duration("5m", 0, 300, &v, &err), 0);
	assert_int_equal(v, 300);
	assert_int_equal(number_duration("2h", 0, UINT64_MAX, &v, &err), 0);
	assert_int_equal(v, 7200);
	assert_int_equal(number_duration("2w", 0, UINT64_MAX, &v, &err), 0);
	assert_int_equal(v, 14 * 86400);
	assert_int_equal(number_duration("301s", 0, 300, &v, &err), ERR_USAGE);
	assert_int_equal(number_duration("1s", 2, 300, &v, &err), ERR_USAGE);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
		    number_duration(bad[i], 0, UINT64_MAX, &v, &err),
		    ERR_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse__whole_range),
	    cmocka_unit_test(parse__refuses_all_but_digits),
	    cmocka_unit_test(parse__keeps_the_range),
	    cmocka_unit_test(size__units),
	    cmocka_unit_test(size__refuses),
	    cmocka_unit_test(number_duration__takes_one_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
