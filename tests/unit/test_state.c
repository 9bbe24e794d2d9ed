/* A dataset's state on this machine: snapshot/state/state*.c. */
#include "snapshot/state/state_internal.h"
#include "tests/unit/state_pages.h"

#include <pthread.h>

/* --- generations ------------------------------------------------------- */

static void
state_snapshot__none_at_first(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);
	struct state_base base;

	assert_rc(ERR_NOT_FOUND, state_snapshot(s, &base, &err));
	assert_page(s, "a", 0, NULL);
	assert_pending(s, "");
}

static void
state_publish__survives_a_close(void **state)
{
	struct fixture *f = *state;
	struct state *s = must_open(f);

	publish_first(s);
	assert_first(s);
	state_close(s);
	s = must_open(f);
	assert_first(s);
	state_close(s);
}

static void
state_dir_get__reads_the_old_until_publish(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);

	publish_first(s);
	assert_ok(state_begin(s, &err));
	put(s, "a", 0, "new");
	put(s, "d", 0, "d0");
	keep(s, "a/b");
	assert_first(s);
	add_pending(s, 1, "p1");
	assert_first(s);
	assert_ok(state_publish(s, &snap2, &err));
	assert_snapshot(s, &snap2);
	assert_page(s, "a", 0, "new");
	assert_page(s, "a", 1, NULL);
	assert_page(s, "a/b", 0, "b0");
	assert_page(s, "c", 0, NULL);
	assert_page(s, "d", 0, "d0");
}

static void
state_dir_keep__over_many_generations(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);

	publish_first(s);
	for (int i = 0; i < 5; i++) {
		assert_ok(state_begin(s, &err));
		keep(s, "a");
		keep(s, "never put");
		assert_ok(state_publish(s, &snap2, &err));
		assert_page(s, "a", 1, "a1");
		assert_page(s, "a/b", 0, NULL);
		assert_page(s, "never put", 0, NULL);
	}
}

/* Put and kept, in either order: what was put counts. */
static void
state_dir_put__outweighs_keep(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);

	publish_first(s);
	assert_ok(state_begin(s, &err));
	keep(s, "a");
	put(s, "a", 0, "new a");
	put(s, "a/b", 0, "new b");
	keep(s, "a/b");
	put(s, "a", 0, "newer a");
	assert_ok(state_publish(s, &snap2, &err));
	assert_page(s, "a", 0, "newer a");
	assert_page(s, "a", 1, NULL);
	assert_page(s, "a/b", 0, "new b");
}

static void
state_rollback__leaves_the_old(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);

	publish_first(s);
	assert_ok(state_begin(s, &err));
	put(s, "a", 0, "lost");
	keep(s, "a/b");
	add_pending(s, 1, "p1");
	put(s, "d", 0, "lost too");
	state_rollback(s);
	state_rollback(s);
	assert_first(s);
	assert_pending(s, "p1 ");

	/* What was rolled back must not come up with the next one. */
	assert_ok(state_begin(s, &err));
	put(s, "e", 0, "e0");
	assert_ok(state_publish(s, &snap2, &err));
	assert_page(s, "a", 0, NULL);
	assert_page(s, "a/b", 0, NULL);
	assert_page(s, "d", 0, NULL);
	assert_page(s, "e", 0, "e0");
}

static void
state_dir_put__only_between_begin_and_publish(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);
	uint8_t key[HASH_LEN] = {0};

	assert_rc(ERR_BUG, state_dir_put(s, key, 0, "x", 1, &err));
	assert_rc(ERR_BUG, state_dir_keep(s, key, &err));
	assert_rc(ERR_BUG, state_publish(s, &snap1, &err));
	assert_ok(state_begin(s, &err));
	assert_rc(ERR_BUG, state_begin(s, &err));
}

/* --- pending packs ----------------------------------------------------- */

static void
state_pending_add__gone_when_published(void **state)
{
	struct fixture *f = *state;
	struct state *s = must_open(f);

	add_pending(s, 1, "p1");
	assert_ok(state_begin(s, &err));
	add_pending(s, 2, "p2");
	add_pending(s, 1, "p1 again");
	assert_pending(s, "p1 again p2 ");
	state_close(s);
	s = must_open(f);
	assert_pending(s, "p1 again p2 ");
	assert_ok(state_begin(s, &err));
	assert_ok(state_publish(s, &snap1, &err));
	assert_pending(s, "");
	state_close(s);
}

static int
add_while_visiting(void *arg, const uint8_t *index, size_t len, struct err *err)
{
	static const uint8_t name[OBJECT_NAME_LEN] = {9};

	return state_pending_add(arg, name, index, len, err);
}

static int
refuse(UNUSED void *arg, UNUSED const uint8_t *index, UNUSED size_t len,
    struct err *err)
{
	return err_set(err, ERR_CANCELLED, "enough");
}

static void
state_pending_each__visitor_may_add_and_may_stop(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);

	add_pending(s, 1, "p1");
	assert_ok(state_pending_each(s, add_while_visiting, s, &err));
	assert_pending(s, "p1 p1 ");
	assert_rc(ERR_CANCELLED, state_pending_each(s, refuse, NULL, &err));
}

#define PACKS_OF_A_THREAD 200

static void *
add_many(void *arg)
{
	static const uint8_t index[100] = {0};
	uint8_t name[OBJECT_NAME_LEN] = {0};
	struct err err;

	for (int i = 0; i < PACKS_OF_A_THREAD; i++) {
		name[0] = (uint8_t)i;
		if (state_pending_add(arg, name, index, sizeof(index), &err) !=
		    0)
			return arg;
	}
	return NULL;
}

static void
state_pending_add__from_another_thread(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);
	WR_AUTO struct wr w = {0};
	pthread_t thread;
	void *failed;

	assert_ok(state_begin(s, &err));
	assert_int_equal(pthread_create(&thread, NULL, add_many, s), 0);
	for (uint32_t i = 0; i < 1000; i++)
		put(s, i % 2 == 0 ? "even" : "odd", i, "page");
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_ok(state_pending_each(s, gather, &w, &err));
	assert_int_equal(w.len, PACKS_OF_A_THREAD * 101);
	assert_ok(state_publish(s, &snap1, &err));
	assert_page(s, "even", 998, "page");
	assert_page(s, "odd", 999, "page");
}

/* --- where it lies ----------------------------------------------------- */

static void
state_default_dir__follows_the_environment(UNUSED void **state)
{
	char dir[STATE_PATH_MAX];
	bool root = geteuid() == 0;

	assert_int_equal(setenv("XDG_STATE_HOME", "/some/where", 1), 0);
	assert_int_equal(setenv("HOME", "/home/ann", 1), 0);
	assert_ok(state_default_dir(dir, &err));
	assert_string_equal(dir, "/some/where/varve");
	assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
	assert_ok(state_default_dir(dir, &err));
	assert_string_equal(
	    dir, root ? "/var/lib/varve" : "/home/ann/.local/state/varve");
	assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
	assert_ok(state_default_dir(dir, &err));
	assert_string_equal(
	    dir, root ? "/var/lib/varve" : "/home/ann/.local/state/varve");
}

static void
state_publish__tells_why_a_write_failed(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);
	uint8_t key[HASH_LEN] = {8};

	struct err why;

	assert_ok(state_begin(s, &err));
	/* As who adds a pending pack does it, in another thread. */
	(void)err_set(&why, ERR_FULL, "the disk is full");
	assert_int_equal(state_note_write(s, ERR_FULL, &why), ERR_FULL);
	(void)err_set(&why, ERR_IO, "a later failure");
	assert_int_equal(state_note_write(s, ERR_IO, &why), ERR_IO);
	assert_fails(ERR_FULL, "full", state_dir_keep(s, key, &err));
	assert_fails(ERR_FULL, "full", state_dir_put(s, key, 0, "p", 1, &err));
	assert_fails(ERR_FULL, "full", state_publish(s, &snap1, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    state_test(state_snapshot__none_at_first),
	    state_test(state_publish__survives_a_close),
	    state_test(state_dir_get__reads_the_old_until_publish),
	    state_test(state_dir_keep__over_many_generations),
	    state_test(state_dir_put__outweighs_keep),
	    state_test(state_rollback__leaves_the_old),
	    state_test(state_dir_put__only_between_begin_and_publish),
	    state_test(state_pending_add__gone_when_published),
	    state_test(state_pending_each__visitor_may_add_and_may_stop),
	    state_test(state_pending_add__from_another_thread),
	    state_test(state_publish__tells_why_a_write_failed),
	    state_test(state_default_dir__follows_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
