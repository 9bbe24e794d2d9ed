/*
 * A store that others use at the same time, may only read, or have filled up.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define NOBODY 65534

/* --- the lock ---------------------------------------------------------- */

static void
store_lock_dataset__is_held_once(void **state)
{
	struct fixture *f = *state;
	struct store_lock *a, *b;
	uint8_t other[STORE_DATASET_LEN] = {9};

	assert_ok(store_lock_dataset(f->s, DATASET, STORE_LOCK_RUN, &a, &err));
	assert_fails(ERR_LOCKED, "another process is backing this dataset up",
	    store_lock_dataset(f->s, DATASET, STORE_LOCK_RUN, &b, &err));
	assert_null(b);
	assert_ok(store_lock_dataset(f->s, other, STORE_LOCK_RUN, &b, &err));
	store_unlock(b);
	store_unlock(a);
	assert_ok(store_lock_dataset(f->s, DATASET, STORE_LOCK_RUN, &a, &err));
	store_unlock(a);
}

/*
 * Run ${work} in a process of its own, up to where it says that it's ready;
 * it then waits to be killed.
 */
static pid_t
start(void (*work)(const struct fixture *f), const struct fixture *f)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		work(f);
		(void)!write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

static void
slay(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void
lock_and_write(const struct fixture *f)
{
	struct store_lock *lock;
	struct store_writer *w;
	struct store *s;

	if (store_open(f->path, &s, NULL) != 0 ||
	    store_lock_dataset(s, DATASET, STORE_LOCK_RUN, &lock, NULL) != 0 ||
	    store_writer_new(s, OBJECT_PACK, DATASET, &w, NULL) != 0 ||
	    store_writer_write(w, "half an object", 14, NULL) != 0)
		_exit(1);
}

static void
store_lock_dataset__dies_with_its_holder(void **state)
{
	struct fixture *f = *state;
	struct store_lock *lock;
	char path[SCRATCH_PATH + 64];
	pid_t pid = start(lock_and_write, f);

	(void)snprintf(path, sizeof(path), "%s/tmp", f->path);
	assert_rc(ERR_LOCKED,
	    store_lock_dataset(f->s, DATASET, STORE_LOCK_RUN, &lock, &err));
	assert_int_equal(scratch_count(path), 1);
	slay(pid);
	assert_int_equal(scratch_count(path), 1);
	assert_ok(
	    store_lock_dataset(f->s, DATASET, STORE_LOCK_RUN, &lock, &err));
	assert_int_equal(scratch_count(path), 0); /* the leftover has gone */
	store_unlock(lock);
}

static void
store_lock_dataset__spares_what_lives(void **state)
{
	struct fixture *f = *state;
	struct store_lock *lock;
	struct store_writer *w;
	struct object_ref ref;
	char path[SCRATCH_PATH + 64];

	(void)snprintf(path, sizeof(path), "%s/tmp/not-a-draft", f->path);
	scratch_write(path, "somebody's", 10);
	assert_ok(store_writer_new(f->s, OBJECT_PACK, DATASET, &w, &err));
	assert_ok(store_writer_write(w, "alive", 5, &err));
	assert_ok(
	    store_lock_dataset(f->s, DATASET, STORE_LOCK_RUN, &lock, &err));
	assert_ok(store_writer_commit(w, &ref, &err));
	assert_text(f->s, &ref, "alive");
	assert_true(scratch_exists(path));
	store_writer_free(w);
	store_unlock(lock);
}

static void *
let_go(void *lock)
{
	const struct timespec moment = {.tv_nsec = 50 * 1000 * 1000};

	(void)nanosleep(&moment, NULL);
	store_unlock(lock);
	return NULL;
}

static void
store_lock_dataset__waits_for_who_appends(void **state)
{
	struct fixture *f = *state;
	struct store_lock *a, *b;
	pthread_t thread;

	assert_ok(
	    store_lock_dataset(f->s, DATASET, STORE_LOCK_APPEND, &a, &err));
	assert_int_equal(pthread_create(&thread, NULL, let_go, a), 0);
	assert_ok(
	    store_lock_dataset(f->s, DATASET, STORE_LOCK_APPEND, &b, &err));
	assert_int_equal(pthread_join(thread, NULL), 0);
	store_unlock(b);
}

static void
store_lock_dataset__of_different_kinds(void **state)
{
	struct fixture *f = *state;
	struct store_lock *a, *b, *c;

	assert_ok(
	    store_lock_dataset(f->s, DATASET, STORE_LOCK_APPEND, &a, &err));
	assert_ok(store_lock_dataset(f->s, DATASET, STORE_LOCK_RUN, &b, &err));
	assert_ok(
	    store_lock_dataset(f->s, DATASET, STORE_LOCK_PRUNE, &c, &err));
	store_unlock(a);
	store_unlock(b);
	store_unlock(c);
}

static void
store_lock_look__takes_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_lock_state st;
	struct store_lock *lock;

	assert_ok(store_lock_look(f->s, DATASET, STORE_LOCK_RUN, &st, &err));
	assert_false(st.held);
	assert_ok(
	    store_lock_dataset(f->s, DATASET, STORE_LOCK_RUN, &lock, &err));
	for (int i = 0; i < 2; i++) {
		assert_ok(
		    store_lock_look(f->s, DATASET, STORE_LOCK_RUN, &st, &err));
		assert_true(st.held);
		assert_int_equal(st.len, 0);
	}
	assert_ok(store_lock_look(f->s, DATASET, STORE_LOCK_PRUNE, &st, &err));
	assert_false(st.held);
	store_unlock(lock);
	assert_ok(store_lock_look(f->s, DATASET, STORE_LOCK_RUN, &st, &err));
	assert_false(st.held);
}

static void
store_lock_note__is_the_holders(void **state)
{
	struct fixture *f = *state;
	struct store_lock_state st;
	struct store_lock *lock;

	assert_ok(
	    store_lock_dataset(f->s, DATASET, STORE_LOCK_RUN, &lock, &err));
	assert_rc(ERR_BUG, store_lock_note(lock, "", 0, &err));
	assert_ok(store_lock_note(lock, "from here on", 12, &err));
	assert_ok(store_lock_look(f->s, DATASET, STORE_LOCK_RUN, &st, &err));
	assert_true(st.held);
	assert_int_equal(st.len, 12);
	assert_memory_equal(st.note, "from here on", 12);
	store_unlock(lock);

	/* The next holder's is not the last one's. */
	assert_ok(store_lock_look(f->s, DATASET, STORE_LOCK_RUN, &st, &err));
	assert_int_equal(st.len, 0);
	assert_ok(
	    store_lock_dataset(f->s, DATASET, STORE_LOCK_RUN, &lock, &err));
	assert_ok(store_lock_look(f->s, DATASET, STORE_LOCK_RUN, &st, &err));
	assert_true(st.held);
	assert_int_equal(st.len, 0);
	store_unlock(lock);
}

/* --- reading without the right to write -------------------------------- */

static void
become_nobody(void)
{
	if (geteuid() == 0 && (setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
				  setresuid(NOBODY, NOBODY, NOBODY) != 0))
		_exit(99);
}

/* Run ${check} as a user who may only read; 0 when all went as it should. */
static int
as_reader(int (*check)(const struct fixture *f, const struct object_ref *ref),
    const struct fixture *f, const struct object_ref *ref)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		become_nobody();
		_exit(check(f, ref));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
count_object(void *arg, UNUSED const struct object_ref *ref,
    UNUSED uint64_t size, UNUSED struct err *err)
{
	(*(int *)arg)++;
	return 0;
}

static int
read_only_check(const struct fixture *f, const struct object_ref *ref)
{
	struct object_ref new = ref_of(OBJECT_KEY, 0);
	struct store_lock *lock;
	struct store_writer *w;
	struct store *s;
	struct err err;
	uint64_t mark;
	uint8_t *buf;
	size_t len;
	int n = 0;

	if (store_open(f->path, &s, &err) != 0)
		return 1;
	if (store_get(s, ref, 100, &buf, &len, &err) != 0 || len != 6)
		return 2;
	if (store_list(s, OBJECT_LOG, DATASET, count_object, &n, &err) != 0 ||
	    n != 1)
		return 3;
	if (store_log_mark(s, DATASET, &mark, &err) != 0 || mark == 0)
		return 4;
	if (store_put(s, &new, "x", 1, &err) != ERR_DENIED)
		return 5;
	if (store_writer_new(s, OBJECT_PACK, DATASET, &w, &err) != ERR_DENIED)
		return 6;
	if (store_remove(s, ref, &err) != ERR_DENIED)
		return 7;
	if (store_lock_dataset(s, DATASET, STORE_LOCK_RUN, &lock, &err) !=
		ERR_DENIED ||
	    strstr(err.text, "can only be read") == NULL)
		return 8;
	free(buf);
	store_close(s);
	return 0;
}

/* Take the right to write away from everything in the store, or give it. */
static void
set_writable(const struct fixture *f, bool writable)
{
	static const char *const dirs[] = {"", "/tmp", "/keys", "/datasets",
	    "/datasets/" DATASET_TEXT, "/datasets/" DATASET_TEXT "/log"};
	char path[SCRATCH_PATH + 128];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", f->path, dirs[i]);
		assert_int_equal(chmod(path, writable ? 0755 : 0555), 0);
	}
}

static void
store_open__works_for_a_reader(void **state)
{
	struct fixture *f = *state;
	struct object_ref ref = put_text(f->s, OBJECT_LOG, 1, "record");
	int got;

	set_writable(f, false);
	got = as_reader(read_only_check, f, &ref);
	set_writable(f, true);
	assert_int_equal(got, 0);
}

static int
denied_check(const struct fixture *f, UNUSED const struct object_ref *ref)
{
	char path[SCRATCH_PATH + 64], want[SCRATCH_PATH + 64];
	struct store *s;
	struct err err;

	(void)snprintf(want, sizeof(want),
	    "cannot open store '%s': Permission denied", f->path);
	if (store_open(f->path, &s, &err) != ERR_DENIED ||
	    strcmp(err.text, want) != 0)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/new", f->path);
	if (store_create(path, "r", 1, &s, &err) != ERR_DENIED)
		return 2;
	return 0;
}

static void
store_open__is_denied(void **state)
{
	struct fixture *f = *state;
	int got;

	assert_int_equal(chmod(f->path, 0), 0);
	got = as_reader(denied_check, f, NULL);
	assert_int_equal(chmod(f->path, 0755), 0);
	assert_int_equal(got, 0);
}

/* --- at the same time -------------------------------------------------- */

#define THREADS 8
#define OBJECTS 100

/* Each thread stores the same objects, and reads what it may of them. */
static void *
put_and_read(void *arg)
{
	struct store *s = arg;

	for (uint32_t i = 0; i < OBJECTS; i++) {
		struct object_ref ref = ref_of(OBJECT_PACK, 0);
		uint32_t got;

		if (store_put(s, &ref, &i, sizeof(i), NULL) != 0)
			return arg;
		for (int again = 0; again < 3; again++)
			if (store_read_at(
				s, &ref, 0, &got, sizeof(got), NULL) != 0 ||
			    got != i)
				return arg;
	}
	return NULL;
}

static void
run_threads(struct store *s)
{
	pthread_t threads[THREADS];
	void *failed;

	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, put_and_read, s), 0);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static void
store_put__may_run_many_times_at_once(void **state)
{
	struct fixture *f = *state;
	char path[SCRATCH_PATH + 64];
	int n = 0, status;
	pid_t pid = fork();

	if (pid == 0) {
		struct store *s;

		if (store_open(f->path, &s, NULL) != 0)
			_exit(1);
		_exit(put_and_read(s) == NULL ? 0 : 2);
	}
	run_threads(f->s);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_ok(
	    store_list(f->s, OBJECT_PACK, DATASET, count_object, &n, &err));
	assert_int_equal(n, OBJECTS);
	(void)snprintf(path, sizeof(path), "%s/tmp", f->path);
	assert_int_equal(scratch_count(path), 0);
}

static void
store_create__is_done_once(void **state)
{
	struct fixture *f = *state;
	char path[SCRATCH_PATH + 64];
	int made = 0;
	pid_t pids[4];

	(void)snprintf(path, sizeof(path), "%s/contended", f->dir);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			struct store *s;

			_exit(store_create(path, "r", 1, &s, NULL) == 0);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		made += WEXITSTATUS(status);
	}
	assert_int_equal(made, 1);
	assert_int_equal(scratch_count(path), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    store_test(store_lock_dataset__is_held_once),
	    store_test(store_lock_dataset__dies_with_its_holder),
	    store_test(store_lock_dataset__spares_what_lives),
	    store_test(store_lock_dataset__waits_for_who_appends),
	    store_test(store_lock_dataset__of_different_kinds),
	    store_test(store_lock_look__takes_nothing),
	    store_test(store_lock_note__is_the_holders),
	    store_test(store_open__works_for_a_reader),
	    store_test(store_open__is_denied),
	    store_test(store_put__may_run_many_times_at_once),
	    store_test(store_create__is_done_once),
	};

	return cmocka_run_group_tests_name("store_share", tests, NULL, NULL);
}
