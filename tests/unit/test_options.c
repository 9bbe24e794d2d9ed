#include "tools/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS 8

struct part {
	const char *store;
	bool deep;
};

struct values {
	bool quiet;
	bool verbose;
	const char *name;
	uint64_t count;
	uint64_t size;
	struct option_list patterns;
	struct part first, second;
};

static const struct option own[] = {
    {"quiet", 'q', OPTION_FLAG, NULL, "be quiet", NULL,
	offsetof(struct values, quiet), 0, 0},
    {"verbose", 'v', OPTION_FLAG, NULL, "say more", NULL,
	offsetof(struct values, verbose), 0, 0},
    {"name", 'n', OPTION_TEXT, "NAME", "a name", NULL,
	offsetof(struct values, name), 0, 0},
    {"count", 0, OPTION_NUMBER, "N", "a number", NULL,
	offsetof(struct values, count), 1, 9},
    {"size", 0, OPTION_SIZE, "SIZE", "a size", NULL,
	offsetof(struct values, size), 0, UINT64_C(1) << 30},
    {"exclude", 'x', OPTION_LIST, "PATTERN", "leave out", NULL,
	offsetof(struct values, patterns), 0, 0},
    {"exclude-file", 0, OPTION_LIST, "FILE", "leave out", NULL,
	offsetof(struct values, patterns), 0, 0},
};

static const struct option shared[] = {
    {"store", 's', OPTION_TEXT, "STORE", "a store", "TEST_STORE",
	offsetof(struct part, store), 0, 0},
    {"deep", 'd', OPTION_FLAG, NULL, "deeply", NULL,
	offsetof(struct part, deep), 0, 0},
};

static const struct option_group groups[] = {
    OPTION_GROUP("Own", own, 0),
    OPTION_GROUP("First", shared, offsetof(struct values, first)),
    {.title = "Second",
	.options = shared,
	.n = ARRAY_LEN(shared),
	.base = offsetof(struct values, second),
	.prefix = "other-"},
};

/* A parse and what came of it. */
struct parsed {
	struct values v;
	struct operands o;
	struct err err;
	int r;
};

static int
setup(void **state)
{
	*state = calloc(1, sizeof(struct parsed));
	(void)unsetenv("TEST_STORE");
	return *state != NULL ? 0 : -1;
}

static void
parsed_clear(struct parsed *p)
{
	options_clear(groups, ARRAY_LEN(groups), &p->v);
	operands_clear(&p->o);
}

static int
teardown(void **state)
{
	parsed_clear(*state);
	free(*state);
	return 0;
}

/* Parse the words of ${line}, separated by blanks. */
static struct parsed *
parse(void **state, const char *const *words)
{
	struct parsed *p = *state;
	char *argv[WORDS] = {NULL};

	parsed_clear(p);
	memset(p, 0, sizeof(*p));
	for (size_t i = 0; words[i] != NULL; i++) {
		assert_true(i + 1 < WORDS);
		argv[i] = (char *)(uintptr_t)words[i];
	}
	p->r = options_parse(
	    groups, ARRAY_LEN(groups), argv, &p->v, &p->o, &p->err);
	return p;
}

#define PARSE(...) parse(state, (const char *const[]){__VA_ARGS__, NULL})

static void
parse__values_of_every_type(void **state)
{
	struct parsed *p = PARSE(
	    "--quiet", "--name", "ann", "--count=9", "--size", "64M", "-v");

	assert_int_equal(p->r, 0);
	assert_true(p->v.quiet);
	assert_true(p->v.verbose);
	assert_string_equal(p->v.name, "ann");
	assert_int_equal(p->v.count, 9);
	assert_int_equal(p->v.size, 64 << 20);
	assert_int_equal(p->o.n, 0);
}

static void
parse__letters(void **state)
{
	struct parsed *p = PARSE("-qvnann", "-s", "/store");

	assert_int_equal(p->r, 0);
	assert_true(p->v.quiet && p->v.verbose);
	assert_string_equal(p->v.name, "ann");
	assert_string_equal(p->v.first.store, "/store");
}

static void
parse__operands_among_options(void **state)
{
	struct parsed *p = PARSE("a", "-q", "-", "--", "-v", "--name");

	assert_int_equal(p->r, 0);
	assert_true(p->v.quiet);
	assert_false(p->v.verbose);
	assert_int_equal(p->o.n, 4);
	assert_string_equal(p->o.v[0], "a");
	assert_string_equal(p->o.v[1], "-");
	assert_string_equal(p->o.v[2], "-v");
	assert_string_equal(p->o.v[3], "--name");
}

static void
parse__a_list_keeps_order_and_origin(void **state)
{
	struct parsed *p = PARSE("-xa", "--exclude-file=f", "--exclude", "b");

	assert_int_equal(p->r, 0);
	assert_int_equal(p->v.patterns.n, 3);
	assert_string_equal(p->v.patterns.items[0].text, "a");
	assert_string_equal(p->v.patterns.items[0].option->name, "exclude");
	assert_string_equal(p->v.patterns.items[1].text, "f");
	assert_string_equal(
	    p->v.patterns.items[1].option->name, "exclude-file");
	assert_string_equal(p->v.patterns.items[2].text, "b");
}

static void
parse__a_prefix_tells_groups_apart(void **state)
{
	struct parsed *p =
	    PARSE("--other-store", "b", "--store", "a", "--other-deep", "-d");

	assert_int_equal(p->r, 0);
	assert_string_equal(p->v.first.store, "a");
	assert_string_equal(p->v.second.store, "b");
	assert_true(p->v.first.deep);
	assert_true(p->v.second.deep);
	p = PARSE("-d");
	assert_true(p->v.first.deep);
	assert_false(p->v.second.deep);
}

static void
parse__the_environment_stands_in(void **state)
{
	struct parsed *p;

	assert_int_equal(setenv("TEST_STORE", "/env", 1), 0);
	p = PARSE("-q");
	assert_string_equal(p->v.first.store, "/env");
	assert_null(p->v.second.store);
	p = PARSE("-s", "/given");
	assert_string_equal(p->v.first.store, "/given");
	assert_int_equal(setenv("TEST_STORE", "", 1), 0);
	p = PARSE("-q");
	assert_null(p->v.first.store);
}

/* What was said of a group outranks all that the environment says of it. */
static void
parse__the_environment_stays_out_of_a_given_group(void **state)
{
	struct parsed *p;

	assert_int_equal(setenv("TEST_STORE", "/env", 1), 0);
	p = PARSE("--deep");
	assert_null(p->v.first.store);
	p = PARSE("--other-deep", "--name", "x");
	assert_string_equal(p->v.first.store, "/env");
}

/* Where the options stand apart, each is asked for. */
static void
parse__the_environment_stands_beside_a_given_option(void **state)
{
	static const struct option_group apart[] = {
	    {.title = "First",
		.options = shared,
		.n = ARRAY_LEN(shared),
		.base = offsetof(struct values, first),
		.apart = true},
	};
	static char deep[] = "--deep", store[] = "-s", given[] = "/given";
	char *const beside[] = {deep, NULL};
	char *const named[] = {deep, store, given, NULL};
	struct parsed *p = *state;

	assert_int_equal(setenv("TEST_STORE", "/env", 1), 0);
	assert_int_equal(
	    options_parse(apart, 1, beside, &p->v, &p->o, &p->err), 0);
	assert_string_equal(p->v.first.store, "/env");
	assert_true(p->v.first.deep);
	assert_int_equal(
	    options_parse(apart, 1, named, &p->v, &p->o, &p->err), 0);
	assert_string_equal(p->v.first.store, "/given");
}

static void
refused(struct parsed *p, const char *why)
{
	assert_int_equal(p->r, ERR_USAGE);
	assert_string_equal(p->err.text, why);
}

static void
parse__refuses_with_a_hint(void **state)
{
	refused(
	    PARSE("--quite"), "no option '--quite'; did you mean '--quiet'?");
	refused(PARSE("--other-stroe=a"),
	    "no option '--other-stroe'; did you mean '--other-store'?");
	refused(PARSE("--zzz"), "no option '--zzz'");
	refused(PARSE("-qz"), "no option '-z'");
	refused(PARSE("--name"), "option '--name' needs NAME");
	refused(PARSE("-qn"), "option '-n' needs NAME");
	refused(PARSE("--quiet=yes"), "option '--quiet' takes no value");
	refused(
	    PARSE("--count", "10"), "--count: '10' is too large: at most 9");
	refused(PARSE("--count=1x"), "--count: '1x' is not a number");
}

/* Whole names only: an abbreviation would change its meaning one day. */
static void
parse__takes_no_abbreviation(void **state)
{
	refused(
	    PARSE("--verb"), "no option '--verb'; did you mean '--verbose'?");
	refused(PARSE("--other-"), "no option '--other-'; did you mean "
				   "'--other-store'?");
}

static void
text__help_and_dump(UNUSED void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	options_help(&groups[1], 1, f);
	options_dump(&groups[1], 2, "cmd", f);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text,
	    "\nFirst:\n"
	    "  -s, --store STORE           a store (or $TEST_STORE)\n"
	    "  -d, --deep                  deeply\n"
	    "cmd\t--store\t-s\tSTORE\n"
	    "cmd\t--deep\t-d\t-\n"
	    "cmd\t--other-store\t-\tSTORE\n"
	    "cmd\t--other-deep\t-\t-\n");
	free(text);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(parse__values_of_every_type),
	    TEST(parse__letters),
	    TEST(parse__operands_among_options),
	    TEST(parse__a_list_keeps_order_and_origin),
	    TEST(parse__a_prefix_tells_groups_apart),
	    TEST(parse__the_environment_stands_in),
	    TEST(parse__the_environment_stays_out_of_a_given_group),
	    TEST(parse__the_environment_stands_beside_a_given_option),
	    TEST(parse__refuses_with_a_hint),
	    TEST(parse__takes_no_abbreviation),
	    TEST(text__help_and_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
