/* A state whose process died, or that is damaged, foreign or tampered with. */
#include "tests/unit/state_pages.h"

#include <signal.h>
#include <sys/wait.h>

/* --- a process that dies ----------------------------------------------- */

enum death { BEFORE_PENDING, AFTER_PENDING, AFTER_PUBLISH };

static void
die_while_writing(struct fixture *f, enum death when)
{
	struct state *s = must_open(f);

	assert_ok(state_begin(s, &err));
	for (uint32_t i = 0; i < 3000; i++)
		put(s, "a", i, "a page of a run that dies");
	keep(s, "a/b");
	if (when >= AFTER_PENDING)
		add_pending(s, 1, "p1");
	put(s, "d", 0, "d0");
	if (when >= AFTER_PUBLISH)
		assert_ok(state_publish(s, &snap2, &err));
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

	publish_first(s);
	state_close(s);
	run_and_die(f, BEFORE_PENDING);
	s = must_open(f);
	assert_first(s);
	assert_pending(s, "");
	state_close(s);

	run_and_die(f, AFTER_PENDING);
	s = must_open(f);
	assert_first(s);
	assert_pending(s, "p1 ");

	/* The next run owes nothing to the dead one. */
	assert_ok(state_begin(s, &err));
	assert_first(s);
	keep(s, "a");
	assert_ok(state_publish(s, &snap2, &err));
	assert_page(s, "a", 0, "a0");
	assert_page(s, "a", 1, "a1");
	assert_page(s, "a", 2, NULL);
	assert_page(s, "a/b", 0, NULL);
	assert_page(s, "d", 0, NULL);
	state_close(s);

	run_and_die(f, AFTER_PUBLISH);
	s = must_open(f);
	assert_snapshot(s, &snap2);
	assert_page(s, "a", 2999, "a page of a run that dies");
	assert_page(s, "d", 0, "d0");
	assert_pending(s, "");
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

		publish_first(s);
		state_close(s);
		scratch_write(fixture_path(f, DATABASE, path), contents[i],
		    strlen(contents[i]));
		s = must_open(f);
		assert_page(s, "a", 0, NULL);
		publish_first(s);
		assert_first(s);
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

		publish_first(s);
		state_close(s);
		change_database(fixture_path(f, DATABASE, path), changes[i]);
		s = must_open(f);
		assert_page(s, "a", 0, NULL);
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
	assert_rc(ERR_VERSION, state_open(f->dir, store, &ks, &s, &err));
	assert_int_equal(count_files(f, "*/*.damaged-*"), 0);
}

static void
state_open__one_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct keyset ks = some_keyset();
	struct state *s = must_open(f);
	struct state *other = NULL;

	assert_rc(ERR_LOCKED, state_open(f->dir, store, &ks, &other, &err));
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

		publish_first(s);
		state_close(s);
		change_database(fixture_path(f, DATABASE, path), changes[i]);
		s = must_open(f);
		assert_ok(state_dir_key(s, "a", 1, key, &err));
		assert_rc(ERR_CORRUPT, state_dir_get(s, key, 0, &w, &err));
		assert_int_equal(w.len, 0);
		state_close(s);
		s = must_open(f);
		assert_page(s, "a", 0, NULL);
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
	struct state_base base;

	publish_first(s);
	assert_ok(state_dir_key(s, "a", 1, key, &err));
	state_close(s);
	ks.id.b[0] ^= 1;
	assert_ok(state_open(f->dir, store, &ks, &s, &err));
	assert_ok(state_dir_key(s, "a", 1, other, &err));
	assert_memory_not_equal(key, other, sizeof(key));
	assert_rc(ERR_CORRUPT, state_snapshot(s, &base, &err));
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

	assert_ok(state_begin(s, &err));
	put(s, "patients/smith", 0, "smith.pdf");
	add_pending(s, 1, "index of a pack");
	assert_ok(state_publish(s, &snap1, &err));
	state_close(s);
	fixture_path(f, DATABASE, path);
	assert_true(file_has(path, "SQLite format 3"));
	assert_false(file_has(path, "smith"));
	assert_false(file_has(path, "index of a pack"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    state_test(state_open__after_a_kill),
	    state_test(state_open__damaged_is_set_aside),
	    state_test(state_open__foreign_is_set_aside),
	    state_test(state_open__newer_version_is_refused),
	    state_test(state_open__one_at_a_time),
	    state_test(state_dir_get__tampered_is_corrupt_then_made_anew),
	    state_test(state_open__another_key_reads_nothing),
	    state_test(state_dir_put__nothing_in_the_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
