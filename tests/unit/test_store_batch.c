#include "snapshot/store/store_batch.h"

#include "crypto/hash.h"
#include "tests/unit/store_fixture.h"

/* An object of a class with the given text, begun, written and ended. */
static struct object_ref
add(struct store_batch *b, enum object_class cls, const char *text)
{
	struct object_ref ref = ref_of(cls, cls == OBJECT_LOG ? 1 : 0);

	assert_ok(sha256(text, strlen(text), ref.name, &err));
	assert_ok(store_batch_begin(b, &ref, &err));
	assert_ok(store_batch_write(b, text, 1, &err));
	assert_ok(store_batch_write(b, text + 1, strlen(text) - 1, &err));
	assert_ok(store_batch_end(b, &err));
	return ref;
}

static bool
visible(struct store *s, const struct object_ref *ref)
{
	uint64_t size;

	return store_size(s, ref, &size, NULL) == 0;
}

static void
store_batch_commit__makes_all_visible_at_once(void **state)
{
	struct fixture *f = *state;
	AUTO(store_batch) struct store_batch *b = NULL;
	struct object_ref refs[40];
	char text[32];

	assert_ok(store_batch_new(f->s, &b, &err));
	/* Few, which are synced one by one, and then many. */
	for (unsigned round = 0, n = 3; round < 2; round++, n = 40) {
		for (unsigned i = 0; i < n; i++) {
			(void)snprintf(text, sizeof(text), "%u/%u", round, i);
			refs[i] =
			    add(b, i % 2 ? OBJECT_PACK : OBJECT_INDEX, text);
			assert_false(visible(f->s, &refs[i]));
		}
		assert_int_equal(store_batch_count(b), n);
		assert_ok(store_batch_commit(b, &err));
		assert_int_equal(store_batch_count(b), 0);
		assert_int_equal(store_batch_bytes(b), 0);
		for (unsigned i = 0; i < n; i++) {
			(void)snprintf(text, sizeof(text), "%u/%u", round, i);
			assert_text(f->s, &refs[i], text);
		}
	}
}

static void
store_batch_end__refuses_bytes_of_another_name(void **state)
{
	struct fixture *f = *state;
	AUTO(store_batch) struct store_batch *b = NULL;
	struct object_ref good, bad = ref_of(OBJECT_PACK, 0);

	assert_ok(store_batch_new(f->s, &b, &err));
	good = add(b, OBJECT_PACK, "good");
	assert_ok(sha256("what it should be", 17, bad.name, &err));
	assert_ok(store_batch_begin(b, &bad, &err));
	assert_ok(store_batch_write(b, "what it is", 10, &err));
	assert_fails(ERR_CORRUPT, "is not its name", store_batch_end(b, &err));
	assert_int_equal(store_batch_count(b), 1);
	assert_int_equal(store_batch_bytes(b), 4);
	assert_ok(store_batch_commit(b, &err));
	assert_text(f->s, &good, "good");
	assert_false(visible(f->s, &bad));
}

/* What was begun and given up is not in the next one's hash, nor anywhere. */
static void
store_batch_drop__leaves_nothing(void **state)
{
	struct fixture *f = *state;
	AUTO(store_batch) struct store_batch *b = NULL;
	struct object_ref ref = ref_of(OBJECT_PACK, 0), good;
	char tmp[SCRATCH_PATH + 32];

	assert_ok(store_batch_new(f->s, &b, &err));
	assert_ok(store_batch_begin(b, &ref, &err));
	assert_ok(store_batch_write(b, "half", 4, &err));
	good = add(b, OBJECT_PACK, "whole");
	assert_ok(store_batch_begin(b, &ref, &err));
	assert_ok(store_batch_write(b, "half", 4, &err));
	assert_ok(store_batch_commit(b, &err));
	assert_text(f->s, &good, "whole");
	(void)add(b, OBJECT_PACK, "never committed");
	store_batch_free(STEAL(b));
	(void)snprintf(tmp, sizeof(tmp), "%s/tmp", f->path);
	assert_int_equal(scratch_count(tmp), 0);
}

static void
store_batch_commit__never_replaces(void **state)
{
	struct fixture *f = *state;
	AUTO(store_batch) struct store_batch *b = NULL;
	struct object_ref ref = put_text(f->s, OBJECT_INDEX, 0, "there");
	char path[SCRATCH_PATH + 256];

	assert_ok(store_batch_new(f->s, &b, &err));
	(void)add(b, OBJECT_INDEX, "there");
	assert_ok(store_batch_commit(b, &err));
	assert_text(f->s, &ref, "there");
	object_path(f, &ref, path);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 2), 0);
	(void)add(b, OBJECT_INDEX, "there");
	assert_fails(ERR_CORRUPT, "is damaged", store_batch_commit(b, &err));
	assert_int_equal(store_batch_count(b), 0);
}

static void
store_batch_begin__refuses_a_root(void **state)
{
	struct fixture *f = *state;
	AUTO(store_batch) struct store_batch *b = NULL;
	struct object_ref root = {.cls = OBJECT_ROOT};

	assert_ok(store_batch_new(f->s, &b, &err));
	assert_rc(ERR_BUG, store_batch_begin(b, &root, &err));
	assert_rc(ERR_BUG, store_batch_write(b, "x", 1, &err));
	assert_rc(ERR_BUG, store_batch_end(b, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(store_batch_commit__makes_all_visible_at_once),
	    store_test(store_batch_end__refuses_bytes_of_another_name),
	    store_test(store_batch_drop__leaves_nothing),
	    store_test(store_batch_commit__never_replaces),
	    store_test(store_batch_begin__refuses_a_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
