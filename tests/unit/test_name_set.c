#include "snapshot/content/name_set.h"

#include <string.h>

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MANY 100000

/* Name ${i}: as keyed hashes are, spread over all bits, and never zero. */
static struct chunk_name
name_of(uint64_t i)
{
	struct chunk_name name;
	uint64_t z = i;

	for (size_t k = 0; k < sizeof(name.b); k++) {
		z = (z + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
		name.b[k] = (uint8_t)(z >> 56);
	}
	return name;
}

static void
name_set_add__tells_new_from_old(void **state)
{
	struct name_set set = {0};
	const struct chunk_name a = name_of(1), b = name_of(2);

	(void)state;
	assert_false(name_set_has(&set, &a));
	assert_int_equal(name_set_add(&set, &a, NULL), 1);
	assert_int_equal(name_set_add(&set, &a, NULL), 0);
	assert_true(name_set_has(&set, &a));
	assert_false(name_set_has(&set, &b));
	assert_int_equal(set.n, 1);
	name_set_clear(&set);
	assert_false(name_set_has(&set, &a));
	assert_int_equal(name_set_add(&set, &a, NULL), 1);
	name_set_clear(&set);
	name_set_clear(&set);
}

static void
name_set_add__grows(void **state)
{
	struct name_set set = {0};
	struct chunk_name name;

	(void)state;
	for (uint64_t i = 0; i < MANY; i++) {
		name = name_of(i);
		assert_int_equal(name_set_add(&set, &name, NULL), 1);
	}
	assert_int_equal(set.n, MANY);
	for (uint64_t i = 0; i < MANY; i++) {
		name = name_of(i);
		assert_int_equal(name_set_add(&set, &name, NULL), 0);
		name = name_of(MANY + i);
		assert_false(name_set_has(&set, &name));
	}
	assert_int_equal(set.n, MANY);
	/* At most 100 bytes a name, however unlucky the number. */
	assert_true(set.cap * sizeof(*set.slots) <= MANY * 100);
	name_set_clear(&set);
}

/* An empty set with a key that is known. */
static void
begin_known(struct name_set *set)
{
	const struct chunk_name name = name_of(0);

	*set = (struct name_set){0};
	assert_int_equal(name_set_add(set, &name, NULL), 1);
	name_set_remove(set, &name);
	set->mix = (struct mix){.key = {UINT64_MAX, 0, 0, 0, 1, UINT64_MAX}};
}

/* There they meet in one slot, at the end of the table. */
static struct chunk_name
crowded(unsigned i)
{
	struct chunk_name name = {{0}};

	memset(name.b, 0xff, 8);
	name.b[31] = (uint8_t)i;
	return name;
}

/* Names that meet in one slot are told apart. */
static void
name_set_add__tells_names_of_one_slot_apart(void **state)
{
	struct name_set set;
	struct chunk_name name;

	(void)state;
	begin_known(&set);
	for (unsigned i = 0; i < 100; i++) {
		name = crowded(i);
		assert_false(name_set_has(&set, &name));
		assert_int_equal(name_set_add(&set, &name, NULL), 1);
	}
	for (unsigned i = 0; i < 100; i++) {
		name = crowded(i);
		assert_int_equal(name_set_add(&set, &name, NULL), 0);
	}
	name = crowded(100);
	assert_false(name_set_has(&set, &name));
	name_set_clear(&set);
}

/* Every third goes, others stay, and may come back. */
static void
name_set_remove__leaves_the_others(void **state)
{
	struct name_set set = {0};
	struct chunk_name name;

	(void)state;
	name = name_of(0);
	name_set_remove(&set, &name); /* of an empty set */
	for (uint64_t i = 0; i < MANY; i++) {
		name = name_of(i);
		assert_int_equal(name_set_add(&set, &name, NULL), 1);
	}
	for (uint64_t i = 0; i < MANY; i += 3) {
		name = name_of(i);
		name_set_remove(&set, &name);
		name_set_remove(&set, &name);
	}
	assert_int_equal(set.n, MANY - (MANY + 2) / 3);
	for (uint64_t i = 0; i < MANY; i++) {
		name = name_of(i);
		assert_int_equal(name_set_has(&set, &name), i % 3 != 0);
	}
	name = name_of(3);
	assert_int_equal(name_set_add(&set, &name, NULL), 1);
	name_set_clear(&set);
}

/* The same where all meet in the last slot, and go on at the first. */
static void
name_set_remove__moves_up_what_follows(void **state)
{
	struct name_set set;
	struct chunk_name name;

	(void)state;
	begin_known(&set);
	for (unsigned i = 0; i < 100; i++) {
		name = crowded(i);
		assert_int_equal(name_set_add(&set, &name, NULL), 1);
	}
	for (unsigned gone = 0; gone < 100; gone++) {
		name = crowded(gone * 37 % 100);
		name_set_remove(&set, &name);
		for (unsigned k = 0; k < 100; k++) {
			name = crowded(k * 37 % 100);
			assert_int_equal(name_set_has(&set, &name), k > gone);
		}
	}
	assert_int_equal(set.n, 0);
	name_set_clear(&set);
}

/* So nobody can choose names that meet. */
static void
name_set__has_a_key_of_its_own(void **state)
{
	struct name_set one = {0}, two = {0};

	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		const struct chunk_name name = name_of(i);

		assert_int_equal(name_set_add(&one, &name, NULL), 1);
		assert_int_equal(name_set_add(&two, &name, NULL), 1);
	}
	assert_int_equal(one.cap, two.cap);
	assert_memory_not_equal(
	    one.slots, two.slots, one.cap * sizeof(*one.slots));
	name_set_clear(&one);
	name_set_clear(&two);
}

/* Names that are alike but for one word, whichever, spread as others do. */
static void
name_set__spreads_what_is_alike(void **state)
{
	(void)state;
	for (size_t word = 0; word < MIX_WORDS; word++) {
		struct name_set set = {0};
		size_t longest = 0, run = 0;

		for (uint64_t i = 1; i <= MANY; i++) {
			struct chunk_name name = {{0}};

			memcpy(name.b + 8 * word, &i, sizeof(i));
			assert_int_equal(name_set_add(&set, &name, NULL), 1);
		}
		for (size_t i = 0; i < set.cap; i++) {
			static const struct chunk_name zero;
			bool taken =
			    memcmp(&set.slots[i], &zero, sizeof(zero)) != 0;

			run = taken ? run + 1 : 0;
			longest = run > longest ? run : longest;
		}
		assert_true(longest < MANY / 20);
		name_set_clear(&set);
	}
}

static void
name_set_add_object__is_add_by_the_same_bytes(void **state)
{
	struct name_set set = {0};
	const struct chunk_name name = name_of(1), other = name_of(2);

	(void)state;
	assert_false(name_set_has_object(&set, name.b));
	assert_int_equal(name_set_add_object(&set, name.b, NULL), 1);
	assert_int_equal(name_set_add_object(&set, name.b, NULL), 0);
	assert_true(name_set_has(&set, &name));
	assert_true(name_set_has_object(&set, name.b));
	assert_false(name_set_has_object(&set, other.b));
	name_set_remove_object(&set, other.b);
	assert_int_equal(set.n, 1);
	name_set_remove_object(&set, name.b);
	assert_int_equal(set.n, 0);
	name_set_clear(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(name_set_add__tells_new_from_old),
	    cmocka_unit_test(name_set_add__grows),
	    cmocka_unit_test(name_set_add__tells_names_of_one_slot_apart),
	    cmocka_unit_test(name_set_remove__leaves_the_others),
	    cmocka_unit_test(name_set_remove__moves_up_what_follows),
	    cmocka_unit_test(name_set__has_a_key_of_its_own),
	    cmocka_unit_test(name_set__spreads_what_is_alike),
	    cmocka_unit_test(name_set_add_object__is_add_by_the_same_bytes),
	};

	return cmocka_run_group_tests_name("name_set", tests, NULL, NULL);
}
