#include "snapshot/replicate/transport_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SSH_WORDS 16
#define CHILD_END_MS 5000

/* In the child: nothing but async-signal-safe calls. */
static void
become(int fd, char *const *argv)
{
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		_exit(TRANSPORT_NO_PROGRAM);
	/* What the parent ignores, this one's program need not. */
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execvp(argv[0], argv);
	_exit(TRANSPORT_NO_PROGRAM);
}

static int
spawn(char *const *argv, struct transport *out, struct err *err)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return err_errno(err, "cannot make a socket");
	pid = fork();
	if (pid == 0)
		become(fds[1], argv);
	if (pid < 0) {
		(void)err_errno(err, "cannot start '%s'", argv[0]);
		(void)close(fds[0]);
		(void)close(fds[1]);
		return err != NULL ? err->code : ERR_IO;
	}
	(void)close(fds[1]);
	out->fd = fds[0];
	out->child = pid;
	return 0;
}

/* A word for the shell on the other machine, whatever is in it. */
static char *
quoted(const char *word)
{
	char *out = malloc(4 * strlen(word) + 3);
	char *p = out;

	if (out == NULL)
		return NULL;
	*p++ = '\'';
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			p = stpcpy(p, "'\\''");
		else
			*p++ = *word;
	}
	*p++ = '\'';
	*p = '\0';
	return out;
}

int
transport_spawn_ssh(const char *rest, const struct transport_plan *plan,
    struct transport *out, struct err *err)
{
	char *words = strdup(plan->ssh != NULL ? plan->ssh : "ssh");
	char *argv[SSH_WORDS + 10];
	struct ssh_target t;
	char *path, *save = NULL;
	size_t n = 0;
	int rc;

	if (!transport_parse_ssh(rest, &t)) {
		free(words);
		return transport_bad_address(rest, err);
	}
	path = quoted(t.path);
	if (words == NULL || path == NULL) {
		free(words);
		free(path);
		return err_nomem(err);
	}
	for (char *w = strtok_r(words, " ", &save); w != NULL && n < SSH_WORDS;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	if (t.port[0] != '\0') {
		argv[n++] = (char *)"-p";
		argv[n++] = t.port;
	}
	argv[n++] = (char *)"--";
	argv[n++] = t.host;
	argv[n++] = (char *)"varve";
	argv[n++] = (char *)"serve";
	argv[n++] = (char *)"--stdio";
	argv[n++] = path;
	argv[n] = NULL;
	rc = spawn(argv, out, err);
	free(words);
	free(path);
	return rc;
}

int
transport_spawn_local(const char *path, const struct transport_plan *plan,
    struct transport *out, struct err *err)
{
	const char *argv[] = {
	    plan->program, "serve", "--stdio", "--", path, NULL};

	/* execvp() changes none of them. */
	return spawn((char *const *)argv, out, err);
}

/* It ends when its connection has; but not if something is amiss. */
int
transport_wait_child(pid_t child)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	int status = 0;

	for (int ms = 0; ms < CHILD_END_MS; ms += 10) {
		pid_t r = waitpid(child, &status, WNOHANG);

		if (r == child || (r < 0 && errno != EINTR))
			return status;
		(void)nanosleep(&moment, NULL);
	}
	(void)kill(child, SIGTERM);
	(void)nanosleep(&moment, NULL);
	if (waitpid(child, NULL, WNOHANG) == 0) {
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
	}
	return 0;
}
