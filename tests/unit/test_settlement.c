/* What an admin says of two histories: crypto/settlement.c. */
#include "crypto/settlement.h"
#include "tests/unit/key_fixture.h"

/* What cmocka.h wants included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct settlement some = {
    .store = {1},
    .from = 1700000000,
    .dataset = {2},
    .seq = 12,
    .prev = {3},
    .name = {4},
};

static void
settlement_make__is_read_again(void **state)
{
	struct key_fixture *f = *state;
	WR_AUTO struct wr w = {0};
	struct settlement got;

	assert_int_equal(settlement_make(&some, f->ada, NULL, &w, &f->err), 0);
	assert_int_equal(w.len, SETTLEMENT_OBJECT_LEN);
	assert_memory_equal(w.buf, "VRVh\1\0\0\0\1", 9);
	assert_int_equal(settlement_peek(w.buf, w.len, &got, &f->err), 0);
	assert_memory_equal(got.store, some.store, sizeof(some.store));
	assert_memory_equal(got.dataset, some.dataset, sizeof(some.dataset));
	assert_memory_equal(got.prev, some.prev, sizeof(some.prev));
	assert_memory_equal(got.name, some.name, sizeof(some.name));
	assert_memory_equal(got.issuer, f->ada->pub.id, IDENTITY_ID_LEN);
	assert_true(got.from == some.from && got.seq == some.seq);
	assert_int_equal(
	    settlement_check(w.buf, w.len, &f->ada->pub.sign, &f->err), 0);
}

static void
settlement_make__by_the_master_key(void **state)
{
	static const uint8_t none[IDENTITY_ID_LEN];
	struct key_fixture *f = *state;
	WR_AUTO struct wr w = {0};
	struct settlement got;

	assert_int_equal(
	    settlement_make(&some, NULL, f->master, &w, &f->err), 0);
	assert_int_equal(settlement_peek(w.buf, w.len, &got, &f->err), 0);
	assert_memory_equal(got.issuer, none, sizeof(none));
	assert_int_equal(
	    settlement_check(w.buf, w.len, &f->root.master_sign, &f->err), 0);
}

static void
settlement_make__refuses_what_names_no_place(void **state)
{
	struct key_fixture *f = *state;
	struct settlement bad[6];
	WR_AUTO struct wr w = {0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = some;
	bad[0].seq = 0;
	bad[1].from = 0;
	bad[2].seq = 1; /* which has none before it */
	memset(bad[3].prev, 0, sizeof(bad[3].prev));
	bad[4].seq = UINT64_MAX;
	bad[5].from = ((int64_t)1 << 40) + 1;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
		    settlement_make(&bad[i], f->ada, NULL, &w, &f->err),
		    ERR_USAGE);
	assert_int_equal(
	    settlement_make(&some, NULL, NULL, &w, &f->err), ERR_USAGE);
	assert_int_equal(w.len, 0);
}

/* So none is the last that there can be. */
static void
settlement_peek__refuses_what_begins_too_late(void **state)
{
	struct key_fixture *f = *state;
	struct settlement last = some, got;
	WR_AUTO struct wr w = {0};

	last.from = (int64_t)1 << 40;
	assert_int_equal(settlement_make(&last, f->ada, NULL, &w, &f->err), 0);
	assert_int_equal(settlement_peek(w.buf, w.len, &got, &f->err), 0);
	w.buf[24] = 1;
	assert_int_equal(
	    settlement_peek(w.buf, w.len, &got, &f->err), ERR_CORRUPT);
}

static void
settlement_check__refuses_any_change(void **state)
{
	struct key_fixture *f = *state;
	WR_AUTO struct wr w = {0};
	struct settlement got;

	assert_int_equal(settlement_make(&some, f->ada, NULL, &w, &f->err), 0);
	for (size_t i = 0; i < w.len; i++) {
		w.buf[i] ^= 1;
		assert_int_not_equal(
		    settlement_check(w.buf, w.len, &f->ada->pub.sign, &f->err),
		    0);
		w.buf[i] ^= 1;
		assert_int_equal(
		    settlement_peek(w.buf, i, &got, &f->err), ERR_CORRUPT);
	}
	assert_int_equal(
	    settlement_check(w.buf, w.len, &f->root.master_sign, &f->err),
	    ERR_AUTH);
}

#define key_test(name)                                                         \
	cmocka_unit_test_setup_teardown(name, key_fixture_new, key_fixture_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    key_test(settlement_make__is_read_again),
	    key_test(settlement_make__by_the_master_key),
	    key_test(settlement_make__refuses_what_names_no_place),
	    key_test(settlement_peek__refuses_what_begins_too_late),
	    key_test(settlement_check__refuses_any_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
