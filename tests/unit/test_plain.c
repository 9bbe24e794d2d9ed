/* Memory for plaintext: snapshot/content/plain.c. */
#include "snapshot/content/plain.h"
#include "tests/unit/content_fixture.h"
#include "tests/unit/wiped.h"

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

/* --- wiping ------------------------------------------------------------- */

static struct plain_buf
take(struct plain_pool *p, size_t len, size_t write)
{
	struct plain_buf buf;

	assert_true(plain_alloc(p, len, &buf));
	assert_int_equal(buf.asked, len);
	plain_use(&buf, write);
	assert_true(buf.used >= write);
	memset(buf.p, 0xaa, write);
	return buf;
}

/* What was freed comes again, and is known not to be wiped. */
static void
plain_free__keeps_what_was_used(void **state)
{
	AUTO(plain_pool) struct plain_pool *p = new_pool();
	const size_t len = 100000, used = 70000;
	struct plain_buf buf = take(p, len, used), again;
	const uint8_t *at = buf.p;

	(void)state;
	plain_free(p, &buf);
	assert_null(buf.p);
	plain_free(p, &buf);
	again = take(p, len - 1, 10);
	assert_ptr_equal(again.p, at);
	assert_int_equal(again.used, used);
	plain_free(p, &again);
}

/* However often a buffer was used, and for how much. */
static void
plain__wipes_what_it_gives_back(void **state)
{
	struct plain_pool *p = new_pool();

	(void)state;
	wiped_reset();
	for (size_t i = 1; i < 400; i++) {
		size_t len = i * i * 40 % 3000000 + 1;
		struct plain_buf a = take(p, len, len / (i % 3 + 1));
		struct plain_buf b = take(p, len, i % 2 == 0 ? len : 0);

		plain_free(p, &a);
		a = take(p, len, 1);
		plain_free(p, &b);
		plain_free(p, &a);
	}
	assert_true(wiped_count() > 0); /* others were in their place */
	plain_pool_unref(p);
	assert_true(wiped_count() > 10);
	assert_int_equal(wiped_failures(), 0);
	p = new_pool();
	for (size_t i = 0; i < 2; i++) { /* too large to be kept */
		struct plain_buf buf = take(p, 20000000 + i, 20000000);

		wiped_reset();
		plain_free(p, &buf);
		assert_int_equal(wiped_count(), 1);
		assert_int_equal(wiped_failures(), 0);
	}
	plain_pool_unref(p);
	assert_int_equal(wiped_failures(), 0);
}

/* --- what is kept ------------------------------------------------------- */

/* Sizes that are no longer in use make room for those that are. */
static void
plain_free__keeps_the_sizes_in_use(void **state)
{
	AUTO(plain_pool) struct plain_pool *p = new_pool();
	struct plain_buf v[64], last;
	const uint8_t *at;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		v[i] = take(p, 256 * 1024, 0);
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		plain_free(p, &v[i]);
	last = take(p, 1000000, 0);
	at = last.p;
	plain_free(p, &last);
	last = take(p, 1000000, 0);
	assert_ptr_equal(last.p, at);
	plain_free(p, &last);
}

static void
plain_alloc__gives_each_its_own(void **state)
{
	AUTO(plain_pool) struct plain_pool *p = new_pool();
	struct plain_buf v[40];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_LEN(v); i++) {
			v[i] = take(p, (i + 1) * 20000, (i + 1) * 20000);
			memset(v[i].p, (int)i, (i + 1) * 20000);
		}
		for (size_t i = 0; i < ARRAY_LEN(v); i++)
			for (size_t j = 0; j < (i + 1) * 20000; j += 997)
				assert_int_equal(v[i].p[j], i);
		for (size_t i = 0; i < ARRAY_LEN(v); i++)
			plain_free(p, &v[(i * 7) % ARRAY_LEN(v)]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_room__wastes_at_most_a_fifth),
	    cmocka_unit_test(plain_free__keeps_what_was_used),
	    cmocka_unit_test(plain__wipes_what_it_gives_back),
	    cmocka_unit_test(plain_free__keeps_the_sizes_in_use),
	    cmocka_unit_test(plain_alloc__gives_each_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
