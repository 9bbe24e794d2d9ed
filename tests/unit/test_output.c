#include "tools/output.h"
#include "tools/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void
size__has_a_unit_that_fits(UNUSED void **state)
{
	static const struct {
		uint64_t bytes;
		const char *want;
	} cases[] = {
	    {0, "0 B"},
	    {1023, "1023 B"},
	    {1024, "1.0 KiB"},
	    {1536, "1.5 KiB"},
	    {102348, "99.9 KiB"},
	    {102400, "100 KiB"},
	    {1048063, "1023 KiB"},
	    {1048064, "1.0 MiB"},
	    {UINT64_C(3) << 30, "3.0 GiB"},
	    {UINT64_C(1) << 40, "1.0 TiB"},
	    {UINT64_MAX, "16.0 EiB"},
	};
	char out[OUTPUT_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
		    output_size(cases[i].bytes, out), cases[i].want);
}

static void
count__has_commas(UNUSED void **state)
{
	char out[OUTPUT_TEXT];

	assert_string_equal(output_count(0, out), "0");
	assert_string_equal(output_count(999, out), "999");
	assert_string_equal(output_count(1000, out), "1,000");
	assert_string_equal(output_count(78579, out), "78,579");
	assert_string_equal(
	    output_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
}

static void
things__agree_in_number(UNUSED void **state)
{
	char out[OUTPUT_THINGS];

	assert_string_equal(
	    output_things(0, "entry", "entries", out), "0 entries");
	assert_string_equal(
	    output_things(1, "entry", "entries", out), "1 entry");
	assert_string_equal(
	    output_things(1001, "entry", "entries", out), "1,001 entries");
}

static void
duration__by_its_length(UNUSED void **state)
{
	char out[OUTPUT_TEXT];

	assert_string_equal(output_duration(0.004, out), "0.00 s");
	assert_string_equal(output_duration(0.21, out), "0.21 s");
	assert_string_equal(output_duration(0.996, out), "1.0 s");
	assert_string_equal(output_duration(59.94, out), "59.9 s");
	assert_string_equal(output_duration(59.96, out), "1 min 0 s");
	assert_string_equal(output_duration(3599, out), "59 min 59 s");
	assert_string_equal(output_duration(7384, out), "2 h 3 min");
	assert_string_equal(output_duration(90 * 86400, out), "90 days");
	assert_string_equal(
	    output_duration(3 * 86400 + 14400, out), "3 days 4 h");
}

static void
time__with_what_fraction_is_asked_for(UNUSED void **state)
{
	const struct moment m = {1795357200, 250000001};
	const struct moment whole = {-1, 0};
	char out[OUTPUT_TIME];

	assert_string_equal(output_time(m, out), "2026-11-22T14:20:00Z");
	assert_string_equal(output_time_ms(m, out), "2026-11-22T14:20:00.250Z");
	assert_string_equal(
	    output_time_exact(m, out), "2026-11-22T14:20:00.250000001Z");
	assert_string_equal(
	    output_time_exact(whole, out), "1969-12-31T23:59:59Z");
}

static void
until__is_the_last_that_counts(UNUSED void **state)
{
	char out[OUTPUT_TIME];

	/* 2026-11-22T14:20:00Z, and the midnight before it. */
	assert_string_equal(
	    output_until(1795357200, out), "2026-11-22T14:19:59Z");
	assert_string_equal(output_until(1795305600, out), "2026-11-21");
}

static void
hex__is_lower_case(UNUSED void **state)
{
	const uint8_t bytes[] = {0x00, 0x9f, 0xfa};
	char out[7];

	assert_string_equal(output_hex(bytes, sizeof(bytes), out), "009ffa");
}

static void
table__aligns_its_columns(UNUSED void **state)
{
	static const char *const rows[][3] = {
	    {"1", "long one", "a b"},
	    {"1,000", "x", ""},
	};
	TABLE_AUTO struct table t = {
	    .ncolumns = 3,
	    .titles = {"N", "NAME", "LAST"},
	    .right = {true, false, false},
	};
	struct err err = {0};
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	table_row(&t, rows[0]);
	table_row(&t, rows[1]);
	assert_int_equal(table_print(&t, true, f, &err), 0);
	assert_int_equal(table_print(&t, false, f, &err), 0);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, "    N  NAME      LAST\n"
				  "    1  long one  a b\n"
				  "1,000  x         \n"
				  "    1  long one  a b\n"
				  "1,000  x         \n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(size__has_a_unit_that_fits),
	    cmocka_unit_test(count__has_commas),
	    cmocka_unit_test(things__agree_in_number),
	    cmocka_unit_test(duration__by_its_length),
	    cmocka_unit_test(time__with_what_fraction_is_asked_for),
	    cmocka_unit_test(until__is_the_last_that_counts),
	    cmocka_unit_test(hex__is_lower_case),
	    cmocka_unit_test(table__aligns_its_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
