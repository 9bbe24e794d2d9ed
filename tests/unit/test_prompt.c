#include "tools/prompt.h"

#include "crypto/secret.h"
#include "tools/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000

/* A process that asks at a terminal of its own, and who sits in front of it. */
struct sitting {
	pid_t pid;
	int tty;
	char seen[4096];
	size_t len;
};

/* What the child does: it prints what it was told, or the error's code. */
static void
ask(void)
{
	struct err err = {0};
	char *secret = NULL;
	int r;

	signals_catch();
	r = prompt_secret("Secret? ", &secret, &err);
	if (r == 0)
		(void)printf("told '%s'\n", secret);
	else
		(void)printf("error %d\n", r);
	(void)fflush(stdout);
	secret_free(secret);
	_exit(0);
}

/* Read on until ${text} has been seen; false when the child is gone before. */
static bool
see(struct sitting *s, const char *text)
{
	while (strstr(s->seen, text) == NULL) {
		struct pollfd p = {.fd = s->tty, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, PATIENCE_MS) <= 0)
			return false;
		n = read(
		    s->tty, s->seen + s->len, sizeof(s->seen) - 1 - s->len);
		if (n <= 0)
			return false;
		s->len += (size_t)n;
		s->seen[s->len] = '\0';
	}
	return true;
}

static void
sit(struct sitting *s)
{
	memset(s, 0, sizeof(*s));
	s->pid = forkpty(&s->tty, NULL, NULL, NULL);
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		ask();
	assert_true(see(s, "Secret? "));
}

static void
type(struct sitting *s, const char *text)
{
	assert_int_equal(write(s->tty, text, strlen(text)), strlen(text));
}

static bool
echoes(const struct sitting *s)
{
	struct termios t;

	assert_int_equal(tcgetattr(s->tty, &t), 0);
	return (t.c_lflag & ECHO) != 0;
}

static void
leave(struct sitting *s, const char *last_words)
{
	int status;

	assert_true(see(s, last_words));
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_int_equal(status, 0);
	assert_int_equal(close(s->tty), 0);
}

static void
secret__is_read_without_echo(UNUSED void **state)
{
	struct sitting s;

	sit(&s);
	assert_false(echoes(&s));
	type(&s, "open sesame\n");
	assert_true(see(&s, "told 'open sesame'"));
	assert_true(echoes(&s));
	assert_ptr_equal(
	    strstr(s.seen, "open sesame"), strstr(s.seen, "told '") + 6);
	leave(&s, "told");
}

static void
secret__may_be_empty_and_may_be_edited(UNUSED void **state)
{
	struct sitting s;

	sit(&s);
	type(&s, "\n");
	leave(&s, "told ''");
	sit(&s);
	type(&s, "wrong\025right\n"); /* ^U */
	leave(&s, "told 'right'");
}

static void
interrupt__ends_it_with_echo_back(UNUSED void **state)
{
	char want[32];
	struct sitting s;

	(void)snprintf(want, sizeof(want), "error %d", ERR_CANCELLED);
	sit(&s);
	type(&s, "half\003"); /* ^C */
	assert_true(see(&s, want));
	assert_true(echoes(&s));
	leave(&s, want);
	sit(&s);
	type(&s, "\004"); /* ^D */
	leave(&s, want);
}

static void
kill__ends_it_with_echo_back(UNUSED void **state)
{
	char want[32];
	struct sitting s;

	(void)snprintf(want, sizeof(want), "error %d", ERR_CANCELLED);
	sit(&s);
	assert_int_equal(kill(s.pid, SIGTERM), 0);
	assert_true(see(&s, want));
	assert_true(echoes(&s));
	leave(&s, want);
}

static void
secret__has_a_longest_length(UNUSED void **state)
{
	char line[PROMPT_MAX + 3];
	char want[32];
	struct sitting s;

	memset(line, 'x', sizeof(line));
	line[PROMPT_MAX] = '\n';
	line[PROMPT_MAX + 1] = '\0';
	sit(&s);
	type(&s, line);
	leave(&s, "xxx'");
	(void)snprintf(want, sizeof(want), "error %d", ERR_USAGE);
	memset(line, 'x', sizeof(line));
	line[PROMPT_MAX + 1] = '\n';
	line[PROMPT_MAX + 2] = '\0';
	sit(&s);
	type(&s, line);
	leave(&s, want);
}

/* A process group of its own has no terminal, once it has left the session. */
static void
no_terminal__is_not_found(UNUSED void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = {0};
		char *secret;

		if (setsid() < 0)
			_exit(1);
		_exit(
		    prompt_secret("?", &secret, &err) == ERR_NOT_FOUND ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secret__is_read_without_echo),
	    cmocka_unit_test(secret__may_be_empty_and_may_be_edited),
	    cmocka_unit_test(interrupt__ends_it_with_echo_back),
	    cmocka_unit_test(kill__ends_it_with_echo_back),
	    cmocka_unit_test(secret__has_a_longest_length),
	    cmocka_unit_test(no_terminal__is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
