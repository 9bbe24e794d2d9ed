#include "tools/daemon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child sees of its surroundings, told through a pipe. */
struct seen {
	bool own_session;
	bool at_root;
	bool silent;
};

static void
look_around(int fd)
{
	struct seen s = {0};
	char dir[64] = "";
	char target[64] = "";

	s.own_session = getsid(0) == getpid();
	s.at_root = getcwd(dir, sizeof(dir)) != NULL && strcmp(dir, "/") == 0;
	s.silent =
	    readlink("/proc/self/fd/1", target, sizeof(target) - 1) > 0 &&
	    strcmp(target, "/dev/null") == 0;
	_exit(write(fd, &s, sizeof(s)) == (ssize_t)sizeof(s) ? 0 : 1);
}

static void
ready__returns_0_in_the_parent(UNUSED void **state)
{
	struct daemon d = {.pipe = -1};
	struct err err = {0};
	struct seen s;
	int fds[2];
	int status;
	int r;

	assert_int_equal(pipe(fds), 0);
	r = daemon_fork(&d, &err);
	if (r == 1) {
		if (daemon_ready(&d, &err) != 0)
			_exit(1);
		look_around(fds[1]);
	}
	assert_int_equal(r, 0);
	assert_int_equal(read(fds[0], &s, sizeof(s)), sizeof(s));
	assert_true(s.own_session);
	assert_true(s.at_root);
	assert_true(s.silent);
	assert_int_equal(waitpid(d.pid, &status, 0), d.pid);
	assert_int_equal(status, 0);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
}

static void
failed__hands_the_error_over(UNUSED void **state)
{
	struct daemon d = {.pipe = -1};
	struct err err = {0};
	int r = daemon_fork(&d, &err);

	if (r == 1) {
		struct err why = {0};

		(void)err_set(&why, ERR_AUTH, "wrong passphrase");
		why.errnum = 7;
		daemon_failed(&d, &why);
		_exit(0);
	}
	assert_int_equal(r, ERR_AUTH);
	assert_int_equal(err.code, ERR_AUTH);
	assert_int_equal(err.errnum, 7);
	assert_string_equal(err.text, "wrong passphrase");
}

static void
fork__notices_a_child_that_dies(UNUSED void **state)
{
	struct daemon d = {.pipe = -1};
	struct err err = {0};
	int r = daemon_fork(&d, &err);

	if (r == 1) {
		(void)kill(getpid(), SIGKILL);
		_exit(0);
	}
	assert_int_equal(r, ERR_IO);
	assert_string_equal(
	    err.text, "the mount's process ended before it was ready");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ready__returns_0_in_the_parent),
	    cmocka_unit_test(failed__hands_the_error_over),
	    cmocka_unit_test(fork__notices_a_child_that_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
