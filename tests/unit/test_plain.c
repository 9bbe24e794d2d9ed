/* Memory for plaintext: snapshot/content/plain.c. */
#include "snapshot/content/plain.h"
#include "tests/unit/content_fixture.h"

static struct plain_pool *
new_pool(void)
{
	struct plain_pool *p;

	assert_ok(plain_pool_new(1 << 20, &p, &err));
	return p;
}

static void
plain_room__wastes_at_most_a_fifth(void **state)
{
	(void)state;
	for (size_t len = 1; len < 9000000; len += 1 + len / 50) {
		size_t room = plain_room(len);

		assert_true(room >= len);
		assert_int_equal(room % 4096, 0);
		assert_true(room < 32768 || room - len <= room / 5);
		assert_int_equal(plain_room(room), room);
	}
}

/* What was freed comes again, and but for its first bytes it was wiped. */
static void
plain_free__wipes_what_was_used(void **state)
{
	AUTO(plain_pool) struct plain_pool *p = new_pool();
	const size_t len = 100000, used = 70000;
	uint8_t *buf = plain_alloc(p, len), *again;

	(void)state;
	assert_non_null(buf);
	memset(buf, 0xaa, used);
	plain_free(p, buf, len, used);
	again = plain_alloc(p, len - 1);
	assert_ptr_equal(again, buf);
	for (size_t i = 64; i < len; i++)
		assert_int_equal(again[i], 0);
	plain_free(p, again, len - 1, 0);
}

/* Sizes that are no longer in use make room for those that are. */
static void
plain_free__keeps_the_sizes_in_use(void **state)
{
	AUTO(plain_pool) struct plain_pool *p = new_pool();
	void *v[64], *last;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		v[i] = plain_alloc(p, 256 * 1024);
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		plain_free(p, v[i], 256 * 1024, 0);
	last = plain_alloc(p, 1000000);
	plain_free(p, last, 1000000, 0);
	assert_ptr_equal(plain_alloc(p, 1000000), last);
	plain_free(p, last, 1000000, 0);
}

static void
plain_alloc__gives_each_its_own(void **state)
{
	AUTO(plain_pool) struct plain_pool *p = new_pool();
	uint8_t *v[40];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_LEN(v); i++) {
			v[i] = plain_alloc(p, (i + 1) * 20000);
			assert_non_null(v[i]);
			memset(v[i], (int)i, (i + 1) * 20000);
		}
		for (size_t i = 0; i < ARRAY_LEN(v); i++)
			for (size_t j = 0; j < (i + 1) * 20000; j += 997)
				assert_int_equal(v[i][j], i);
		for (size_t i = 0; i < ARRAY_LEN(v); i++) {
			size_t k = (i * 7) % ARRAY_LEN(v);

			plain_free(p, v[k], (k + 1) * 20000, (k + 1) * 20000);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_room__wastes_at_most_a_fifth),
	    cmocka_unit_test(plain_free__wipes_what_was_used),
	    cmocka_unit_test(plain_free__keeps_the_sizes_in_use),
	    cmocka_unit_test(plain_alloc__gives_each_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
