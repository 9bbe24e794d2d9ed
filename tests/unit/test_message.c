#include "tools/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Standard error as a socket that keeps apart what each write(2) writes. */
struct ear {
	int fd;
	int was;
};

static struct ear
listen_to_stderr(void)
{
	struct ear ear;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	ear.was = dup(STDERR_FILENO);
	assert_true(ear.was >= 0);
	assert_int_equal(dup2(pair[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(pair[1]);
	ear.fd = pair[0];
	return ear;
}

/* Standard error is what it was; what was written by one write. */
static void
assert_one_write(struct ear *ear, const char *want)
{
	char got[4096];
	ssize_t n;

	assert_int_equal(dup2(ear->was, STDERR_FILENO), STDERR_FILENO);
	(void)close(ear->was);
	n = recv(ear->fd, got, sizeof(got) - 1, 0);
	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, want);
	assert_int_equal(recv(ear->fd, got, sizeof(got), 0), 0);
	(void)close(ear->fd);
}

static void
message_error__is_one_write(UNUSED void **state)
{
	struct err err = {.text = "cannot read 'a\nb\xff\xc3\xa4'"};
	struct ear ear = listen_to_stderr();

	message_error(NULL, &err);
	assert_one_write(&ear, "varve: cannot read 'a\\012b\\377\xc3\xa4'\n");
}

static void
message_warning__is_one_write(UNUSED void **state)
{
	const struct common_args common = {0};
	const struct run run = {.common = &common};
	struct ear ear = listen_to_stderr();

	message_warning(&run, "%d of '%s'", 2, "x");
	assert_one_write(&ear, "varve: warning: 2 of 'x'\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(message_error__is_one_write),
	    cmocka_unit_test(message_warning__is_one_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
