/* The records of a log, as a store lists them: snapshot/store/record_refs.c. */
#include "snapshot/store/record_refs.h"
#include "tests/unit/store_fixture.h"

static struct object_ref
put_record(struct fixture *f, uint64_t seq, const char *text)
{
	return put_text(f->s, OBJECT_LOG, seq, text);
}

static void
list__is_by_number(void **state)
{
	struct fixture *f = *state;
	RECORD_REFS_AUTO struct record_refs r = {0};
	struct object_ref two = put_record(f, 2, "two");
	struct object_ref one = put_record(f, 1, "one");

	assert_ok(record_refs_list(f->s, DATASET, &r, &err));
	assert_int_equal(r.n, 2);
	assert_memory_equal(&r.v[0], &one, sizeof(one));
	assert_memory_equal(&r.v[1], &two, sizeof(two));
	/* Anew, and not besides. */
	assert_ok(record_refs_list(f->s, DATASET, &r, &err));
	assert_int_equal(r.n, 2);
	assert_true(record_refs_plain(&r));
	assert_int_equal(record_refs_last(&r), 2);
}

static void
list__of_nothing_is_plain(void **state)
{
	struct fixture *f = *state;
	RECORD_REFS_AUTO struct record_refs r = {0};

	assert_ok(record_refs_list(f->s, DATASET, &r, &err));
	assert_int_equal(r.n, 0);
	assert_true(record_refs_plain(&r));
	assert_int_equal(record_refs_last(&r), 0);
	assert_int_equal(record_refs_find(&r, 1), 0);
}

static void
plain__has_no_gap(void **state)
{
	struct fixture *f = *state;
	RECORD_REFS_AUTO struct record_refs r = {0};

	put_record(f, 2, "two");
	assert_ok(record_refs_list(f->s, DATASET, &r, &err));
	assert_false(record_refs_plain(&r));
	put_record(f, 1, "one");
	put_record(f, 4, "four");
	assert_ok(record_refs_list(f->s, DATASET, &r, &err));
	assert_false(record_refs_plain(&r));
	assert_int_equal(record_refs_last(&r), 4);
}

static void
plain__has_one_of_each_number(void **state)
{
	struct fixture *f = *state;
	RECORD_REFS_AUTO struct record_refs r = {0};

	put_record(f, 1, "one");
	put_record(f, 2, "two");
	put_record(f, 2, "another two");
	assert_ok(record_refs_list(f->s, DATASET, &r, &err));
	assert_int_equal(r.n, 3);
	assert_false(record_refs_plain(&r));
}

static void
find__gives_the_first_of_several_or_what_follows(void **state)
{
	struct fixture *f = *state;
	RECORD_REFS_AUTO struct record_refs r = {0};

	put_record(f, 1, "one");
	put_record(f, 3, "three");
	put_record(f, 3, "another three");
	put_record(f, 5, "five");
	assert_ok(record_refs_list(f->s, DATASET, &r, &err));
	assert_int_equal(record_refs_find(&r, 0), 0);
	assert_int_equal(record_refs_find(&r, 1), 0);
	assert_int_equal(record_refs_find(&r, 2), 1);
	assert_int_equal(record_refs_find(&r, 3), 1);
	assert_int_equal(record_refs_find(&r, 4), 3);
	assert_int_equal(record_refs_find(&r, 5), 3);
	assert_int_equal(record_refs_find(&r, 6), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(list__is_by_number),
	    store_test(list__of_nothing_is_plain),
	    store_test(plain__has_no_gap),
	    store_test(plain__has_one_of_each_number),
	    store_test(find__gives_the_first_of_several_or_what_follows),
	};

	return cmocka_run_group_tests_name("record_refs", tests, NULL, NULL);
}
