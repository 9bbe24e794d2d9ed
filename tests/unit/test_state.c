/* A dataset's state on this machine: snapshot/state/state*.c. */
#include "tests/unit/state_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define DATABASE                                                               \
	"01010101010101010101010101010101/02020202020202020202020202020202.db"

static const uint8_t store[STORE_ID_LEN] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static const uint8_t snap1[OBJECT_NAME_LEN] = {11};
static const uint8_t snap2[OBJECT_NAME_LEN] = {12};
static const uint8_t source[HASH_LEN] = {13};

static struct keyset
some_keyset(void)
{
	struct keyset ks;

	memset(&ks, 0, sizeof(ks));
	memset(ks.dataset, 2, sizeof(ks.dataset));
	memset(&ks.id, 3, sizeof(ks.id));
	return ks;
}

static struct state *
must_open(struct fixture *f)
{
	struct keyset ks = some_keyset();
	struct state *s = NULL;

	assert_ok(state_open(f->dir, store, &ks, &s, &f->err));
	return s;
}

/* One directory's page, by the directory's path. */
static void
put(struct fixture *f, struct state *s, const char *path, uint32_t page,
    const char *text)
{
	uint8_t key[HASH_LEN];

	assert_ok(state_dir_key(s, path, strlen(path), key, &f->err));
	assert_ok(state_dir_put(s, key, page, text, strlen(text), &f->err));
}

static void
keep(struct fixture *f, struct state *s, const char *path)
{
	uint8_t key[HASH_LEN];

	assert_ok(state_dir_key(s, path, strlen(path), key, &f->err));
	assert_ok(state_dir_keep(s, key, &f->err));
}

/* ${text} NULL: there is no such page. */
static void
assert_page(struct fixture *f, struct state *s, const char *path, uint32_t page,
    const char *text)
{
	WR_AUTO struct wr w = {0};
	uint8_t key[HASH_LEN];

	assert_ok(state_dir_key(s, path, strlen(path), key, &f->err));
	if (text == NULL) {
		assert_rc(
		    ERR_NOT_FOUND, state_dir_get(s, key, page, &w, &f->err));
		return;
	}
	assert_ok(state_dir_get(s, key, page, &w, &f->err));
	assert_int_equal(w.len, strlen(text));
	if (w.len > 0)
		assert_memory_equal(w.buf, text, w.len);
}

static void
assert_snapshot(struct fixture *f, struct state *s, const uint8_t *id)
{
	uint8_t got[OBJECT_NAME_LEN];
	uint8_t got_source[HASH_LEN];

	assert_ok(state_snapshot(s, got, got_source, &f->err));
	assert_memory_equal(got, id, sizeof(got));
	assert_memory_equal(got_source, source, sizeof(source));
}

static void
add_pending(struct fixture *f, struct state *s, uint8_t pack, const char *text)
{
	uint8_t name[OBJECT_NAME_LEN] = {pack};

	assert_ok(state_pending_add(
	    s, name, (const uint8_t *)text, strlen(text), &f->err));
}

static int
gather(void *arg, const uint8_t *index, size_t len, UNUSED struct err *err)
{
	struct wr *w = arg;

	wr_bytes(w, index, len);
	wr_u8(w, ' ');
	return 0;
}

static void
assert_pending(struct fixture *f, struct state *s, const char *text)
{
	WR_AUTO struct wr w = {0};

	assert_ok(state_pending_each(s, gather, &w, &f->err));
	wr_u8(&w, 0);
	assert_false(w.failed);
	assert_string_equal((char *)w.buf, text);
}

/* A first generation: a (two pages), a/b (one), c (empty page). */
static void
publish_first(struct fixture *f, struct state *s)
{
	assert_ok(state_begin(s, &f->err));
	put(f, s, "a", 0, "a0");
	put(f, s, "a", 1, "a1");
	put(f, s, "a/b", 0, "b0");
	put(f, s, "c", 0, "");
	assert_ok(state_publish(s, snap1, source, &f->err));
}

static void
assert_first(struct fixture *f, struct state *s)
{
	assert_snapshot(f, s, snap1);
	assert_page(f, s, "a", 0, "a0");
	assert_page(f, s, "a", 1, "a1");
	assert_page(f, s, "a", 2, NULL);
	assert_page(f, s, "a/b", 0, "b0");
	assert_page(f, s, "c", 0, "");
	assert_page(f, s, "d", 0, NULL);
}

/* --- generations ------------------------------------------------------- */

static void
state_snapshot__none_at_first(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);
	uint8_t id[OBJECT_NAME_LEN];
	uint8_t from[HASH_LEN];

	assert_rc(ERR_NOT_FOUND, state_snapshot(s, id, from, &f->err));
	assert_page(f, s, "a", 0, NULL);
	assert_pending(f, s, "");
}

static void
state_publish__survives_a_close(void **state)
{
	struct fixture *f = *state;
	struct state *s = must_open(f);

	publish_first(f, s);
	assert_first(f, s);
	state_close(s);
	s = must_open(f);
	assert_first(f, s);
	state_close(s);
}

static void
state_dir_get__reads_the_old_until_publish(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);

	publish_first(f, s);
	assert_ok(state_begin(s, &f->err));
	put(f, s, "a", 0, "new");
	put(f, s, "d", 0, "d0");
	keep(f, s, "a/b");
	assert_first(f, s);
	add_pending(f, s, 1, "p1");
	assert_first(f, s);
	assert_ok(state_publish(s, snap2, source, &f->err));
	assert_snapshot(f, s, snap2);
	assert_page(f, s, "a", 0, "new");
	assert_page(f, s, "a", 1, NULL);
	assert_page(f, s, "a/b", 0, "b0");
	assert_page(f, s, "c", 0, NULL);
	assert_page(f, s, "d", 0, "d0");
}

static void
state_dir_keep__over_many_generations(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);

	publish_first(f, s);
	for (int i = 0; i < 5; i++) {
		assert_ok(state_begin(s, &f->err));
		keep(f, s, "a");
		keep(f, s, "never put");
		assert_ok(state_publish(s, snap2, source, &f->err));
		assert_page(f, s, "a", 1, "a1");
		assert_page(f, s, "a/b", 0, NULL);
		assert_page(f, s, "never put", 0, NULL);
	}
}

/* Put and kept, in either order: what was put counts. */
static void
state_dir_put__outweighs_keep(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);

	publish_first(f, s);
	assert_ok(state_begin(s, &f->err));
	keep(f, s, "a");
	put(f, s, "a", 0, "new a");
	put(f, s, "a/b", 0, "new b");
	keep(f, s, "a/b");
	put(f, s, "a", 0, "newer a");
	assert_ok(state_publish(s, snap2, source, &f->err));
	assert_page(f, s, "a", 0, "newer a");
	assert_page(f, s, "a", 1, NULL);
	assert_page(f, s, "a/b", 0, "new b");
}

static void
state_rollback__leaves_the_old(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);

	publish_first(f, s);
	assert_ok(state_begin(s, &f->err));
	put(f, s, "a", 0, "lost");
	keep(f, s, "a/b");
	add_pending(f, s, 1, "p1");
	put(f, s, "d", 0, "lost too");
	state_rollback(s);
	state_rollback(s);
	assert_first(f, s);
	assert_pending(f, s, "p1 ");

	/* What was rolled back must not come up with the next one. */
	assert_ok(state_begin(s, &f->err));
	put(f, s, "e", 0, "e0");
	assert_ok(state_publish(s, snap2, source, &f->err));
	assert_page(f, s, "a", 0, NULL);
	assert_page(f, s, "a/b", 0, NULL);
	assert_page(f, s, "d", 0, NULL);
	assert_page(f, s, "e", 0, "e0");
}

static void
state_dir_put__only_between_begin_and_publish(void **state)
{
	struct fixture *f = *state;
	AUTO(state) struct state *s = must_open(f);
	uint8_t key[HASH_LEN] = {0};

	assert_rc(ERR_BUG, state_dir_put(s, key, 0, "x", 1, &f->err));
	assert_rc(ERR_BUG, state_dir_keep(s, key, &f->err));
	assert_rc(ERR_BUG, state_publish(s, snap1, source, &f->err));
	assert_ok(state_begin(s, &f->err));
	assert_rc(ERR_BUG, state_begin(s, &f->err));
}

/* --- pending packs ----------------------------------------------------- */

static void
state_pending_add__gone_when_published(void **state)
{
	struct fixture *f = *state;
	struct state *s = must_open(f);

	add_pending(f, s, 1, "p1");
	assert_ok(state_begin(s, &f->err));
	add_pending(f, s, 2, "p2");
	add_pending(f, s, 1, "p1 again");
	assert_pending(f, s, "p1 again p2 ");
	state_close(s);
	s = must_open(f);
	assert_pending(f, s, "p1 again p2 ");
	assert_ok(state_begin(s, &f->err));
	assert_ok(state_publish(s, snap1, source, &f->err));
	assert_pending(f, s, "");
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

	add_pending(f, s, 1, "p1");
	assert_ok(state_pending_each(s, add_while_visiting, s, &f->err));
	assert_pending(f, s, "p1 p1 ");
	assert_rc(ERR_CANCELLED, state_pending_each(s, refuse, NULL, &f->err));
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

	assert_ok(state_begin(s, &f->err));
	assert_int_equal(pthread_create(&thread, NULL, add_many, s), 0);
	for (uint32_t i = 0; i < 1000; i++)
		put(f, s, i % 2 == 0 ? "even" : "odd", i, "page");
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_ok(state_pending_each(s, gather, &w, &f->err));
	assert_int_equal(w.len, PACKS_OF_A_THREAD * 101);
	assert_ok(state_publish(s, snap1, source, &f->err));
	assert_page(f, s, "even", 998, "page");
	assert_page(f, s, "odd", 999, "page");
}

/* --- a process that dies ----------------------------------------------- */

enum death { BEFORE_PENDING, AFTER_PENDING, AFTER_PUBLISH };

static void
die_while_writing(struct fixture *f, enum death when)
{
	struct state *s = must_open(f);

	assert_ok(state_begin(s, &f->err));
	for (uint32_t i = 0; i < 3000; i++)
		put(f, s, "a", i, "a page of a run that dies");
	keep(f, s, "a/b");
	if (when >= AFTER_PENDING)
		add_pending(f, s, 1, "p1");
	put(f, s, "d", 0, "d0");
	if (when >= AFTER_PUBLISH)
		assert_ok(state_publish(s, snap2, source, &f->err));
	(void)kill(getpid(), SIGKILL);
}

static void
run_and_die(struct fixture *f, enum death when)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		die_while_writing(f, when);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void
state_open__after_a_kill(void **state)
{
	struct fixture *f = *state;
	struct state *s = must_open(f);

	publish_first(f, s);
	state_close(s);
	run_and_die(f, BEFORE_PENDING);
	s = must_open(f);
	assert_first(f, s);
	assert_pending(f, s, "");
	state_close(s);

	run_and_die(f, AFTER_PENDING);
	s = must_open(f);
	assert_first(f, s);
	assert_pending(f, s, "p1 ");

	/* The next run owes nothing to the dead one. */
	assert_ok(state_begin(s, &f->err));
	assert_first(f, s);
	keep(f, s, "a");
	assert_ok(state_publish(s, snap2, source, &f->err));
	assert_page(f, s, "a", 0, "a0");
	assert_page(f, s, "a", 1, "a1");
	assert_page(f, s, "a", 2, NULL);
	assert_page(f, s, "a/b", 0, NULL);
	assert_page(f, s, "d", 0, NULL);
	state_close(s);

	run_and_die(f, AFTER_PUBLISH);
	s = must_open(f);
	assert_snapshot(f, s, snap2);
	assert_page(f, s, "a", 2999, "a page of a run that dies");
	assert_page(f, s, "d", 0, "d0");
	assert_pending(f, s, "");
	state_close(s);
	assert_int_equal(count_files(f, "*/*.damaged-*"), 0);
}

/* --- what goes wrong --------------------------------------------------- */

static void
state_open__damaged_is_set_aside(void **state)
{
	static const char *const contents[] = {
	    "SQLite format 3", "this is no database at all, but quite long"};
	struct fixture *f = *state;
	char path[SCRATCH_PATH + 256];

	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		struct state *s = must_open(f);

		publish_first(f, s);
		state_close(s);
		scratch_write(fixture_path(f, DATABASE, path), contents[i],
		    strlen(contents[i]));
		s = must_open(f);
		assert_page(f, s, "a", 0, NULL);
		publish_first(f, s);
		assert_first(f, s);
		state_close(s);
		assert_true(count_files(f, "*/*.db.damaged-*") >= 1);
	}
}

static void
state_open__foreign_is_set_aside(void **state)
{
	static const char *const changes[] = {
	    "PRAGMA application_id=7",
	    "DROP TABLE page",
	    "DELETE FROM current",
	};
	struct fixture *f = *state;
	char path[SCRATCH_PATH + 256];

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct state *s = must_open(f);

		publish_first(f, s);
		state_close(s);
		change_database(fixture_path(f, DATABASE, path), changes[i]);
		s = must_open(f);
		assert_page(f, s, "a", 0, NULL);
		state_close(s);
	}
}

static void
state_open__newer_version_is_refused(void **state)
{
	struct fixture *f = *state;
	struct keyset ks = some_keyset();
	struct state *s = must_open(f);
	char path[SCRATCH_PATH + 256];

	state_close(s);
	change_database(
	    fixture_path(f, DATABASE, path), "PRAGMA user_version=2");
	assert_rc(ERR_VERSION, state_open(f->dir, store, &ks, &s, &f->err));
	assert_int_equal(count_files(f, "*/*.damaged-*"), 0);
}

static void
state_open__one_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct keyset ks = some_keyset();
	struct state *s = must_open(f);
	struct state *other = NULL;

	assert_rc(ERR_LOCKED, state_open(f->dir, store, &ks, &other, &f->err));
	assert_null(other);
	state_close(s);
	s = must_open(f);
	state_close(s);
}

/* Rows that were changed or moved are never believed. */
static void
state_dir_get__tampered_is_corrupt_then_made_anew(void **state)
{
	static const char *const changes[] = {
	    "UPDATE page SET box = zeroblob(120)",
	    "UPDATE page SET box = x'00'",
	    ("UPDATE page SET number = number + 1000;"
	     "UPDATE page SET number = 1 - (number - 1000)"),
	};
	struct fixture *f = *state;
	char path[SCRATCH_PATH + 256];

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		WR_AUTO struct wr w = {0};
		struct state *s = must_open(f);
		uint8_t key[HASH_LEN];

		publish_first(f, s);
		state_close(s);
		change_database(fixture_path(f, DATABASE, path), changes[i]);
		s = must_open(f);
		assert_ok(state_dir_key(s, "a", 1, key, &f->err));
		assert_rc(ERR_CORRUPT, state_dir_get(s, key, 0, &w, &f->err));
		assert_int_equal(w.len, 0);
		state_close(s);
		s = must_open(f);
		assert_page(f, s, "a", 0, NULL);
		state_close(s);
	}
}

static void
state_open__another_key_reads_nothing(void **state)
{
	struct fixture *f = *state;
	struct keyset ks = some_keyset();
	struct state *s = must_open(f);
	uint8_t key[HASH_LEN];
	uint8_t other[HASH_LEN];

	publish_first(f, s);
	assert_ok(state_dir_key(s, "a", 1, key, &f->err));
	state_close(s);
	ks.id.b[0] ^= 1;
	assert_ok(state_open(f->dir, store, &ks, &s, &f->err));
	assert_ok(state_dir_key(s, "a", 1, other, &f->err));
	assert_memory_not_equal(key, other, sizeof(key));
	assert_rc(ERR_CORRUPT, state_snapshot(s, key, other, &f->err));
	state_close(s);
}

static bool
file_has(const char *path, const char *text)
{
	FILE *file = fopen(path, "rb");
	char *buf = malloc(1 << 20);
	size_t len;
	bool found;

	if (file == NULL || buf == NULL)
		fail_msg("cannot read '%s'", path);
	len = fread(buf, 1, 1 << 20, file);
	(void)fclose(file);
	found = memmem(buf, len, text, strlen(text)) != NULL;
	free(buf);
	return found;
}

static void
state_dir_put__nothing_in_the_clear(void **state)
{
	struct fixture *f = *state;
	struct state *s = must_open(f);
	char path[SCRATCH_PATH + 256];

	assert_ok(state_begin(s, &f->err));
	put(f, s, "patients/smith", 0, "smith.pdf");
	add_pending(f, s, 1, "index of a pack");
	assert_ok(state_publish(s, snap1, source, &f->err));
	state_close(s);
	fixture_path(f, DATABASE, path);
	assert_true(file_has(path, "SQLite format 3"));
	assert_false(file_has(path, "smith"));
	assert_false(file_has(path, "index of a pack"));
}

/* --- where it lies ----------------------------------------------------- */

static void
state_default_dir__follows_the_environment(void **state)
{
	struct fixture *f = *state;
	char dir[STATE_PATH_MAX];
	bool root = geteuid() == 0;

	assert_int_equal(setenv("XDG_STATE_HOME", "/some/where", 1), 0);
	assert_int_equal(setenv("HOME", "/home/ann", 1), 0);
	assert_ok(state_default_dir(dir, &f->err));
	assert_string_equal(dir, "/some/where/varve");
	assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
	assert_ok(state_default_dir(dir, &f->err));
	assert_string_equal(
	    dir, root ? "/var/lib/varve" : "/home/ann/.local/state/varve");
	assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
	assert_ok(state_default_dir(dir, &f->err));
	assert_string_equal(
	    dir, root ? "/var/lib/varve" : "/home/ann/.local/state/varve");
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
	    state_test(state_open__after_a_kill),
	    state_test(state_open__damaged_is_set_aside),
	    state_test(state_open__foreign_is_set_aside),
	    state_test(state_open__newer_version_is_refused),
	    state_test(state_open__one_at_a_time),
	    state_test(state_dir_get__tampered_is_corrupt_then_made_anew),
	    state_test(state_open__another_key_reads_nothing),
	    state_test(state_dir_put__nothing_in_the_clear),
	    state_test(state_default_dir__follows_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
