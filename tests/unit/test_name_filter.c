#include "snapshot/content/name_filter.h"

#include <string.h>

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MANY 100000

/* Name ${i}: as keyed hashes are, spread over all bits. */
static struct chunk_name
name_of(uint64_t i)
{
	struct chunk_name name;
	uint64_t z = i;

	for (size_t k = 0; k < sizeof(name.b); k++) {
		z = (z + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
		z ^= z >> 29;
		name.b[k] = (uint8_t)(z >> 56);
	}
	return name;
}

static void
may__never_denies_what_was_added(void **state)
{
	AUTO(name_filter) struct name_filter *f = NULL;
	struct chunk_name name;
	unsigned wrong = 0;

	(void)state;
	assert_int_equal(name_filter_new(MANY, &f, NULL), 0);
	for (uint64_t i = 0; i < MANY; i++) {
		name = name_of(i);
		name_filter_add(f, &name);
	}
	for (uint64_t i = 0; i < MANY; i++) {
		name = name_of(i);
		assert_true(name_filter_may(f, &name));
		name = name_of(MANY + i);
		wrong += name_filter_may(f, &name);
	}
	/* One in a hundred, or little more. */
	assert_in_range(wrong, 1, MANY / 50);
	assert_in_range(name_filter_size(MANY), MANY, MANY * 2);
}

static void
may__denies_all_of_an_empty_one(void **state)
{
	AUTO(name_filter) struct name_filter *f = NULL;

	(void)state;
	assert_int_equal(name_filter_new(0, &f, NULL), 0);
	for (uint64_t i = 0; i < 1000; i++) {
		struct chunk_name name = name_of(i);

		assert_false(name_filter_may(f, &name));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(may__never_denies_what_was_added),
	    cmocka_unit_test(may__denies_all_of_an_empty_one),
	};

	return cmocka_run_group_tests_name("name_filter", tests, NULL, NULL);
}
