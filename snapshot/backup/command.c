#include "snapshot/backup/source.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The pipe is its output; it reads nothing, and starts with a clean mask. */
static int
spawn_shell(const char *shell_command, int out, pid_t *pid)
{
	char *const argv[] = {(char[]){"sh"}, (char[]){"-c"},
	    (char *)(uintptr_t)shell_command, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, dfl;
	int ret;

	sigemptyset(&none);
	sigemptyset(&dfl);
	sigaddset(&dfl, SIGPIPE);
	sigaddset(&dfl, SIGXFSZ);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(
	    &fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &dfl);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
					    POSIX_SPAWN_SETSIGDEF |
					    POSIX_SPAWN_SETPGROUP);
	ret = posix_spawn(pid, "/bin/sh", &fa, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return ret;
}

int
command_start(const char *shell_command, struct command *out, struct err *err)
{
	int fds[2], ret;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_errno(err, "cannot make a pipe");
	ret = spawn_shell(shell_command, fds[1], &out->pid);
	close(fds[1]);
	if (ret != 0) {
		close(fds[0]);
		errno = ret;
		return err_errno(err, "cannot run '%s'", shell_command);
	}
	/* A bigger pipe saves switches; what is refused does no harm. */
	(void)fcntl(fds[0], F_SETPIPE_SZ, 1024 * 1024);
	out->fd = fds[0];
	return 0;
}

int
command_end(
    struct command *c, const char *shell_command, bool kill_it, struct err *err)
{
	int status;

	close(c->fd);
	if (kill_it)
		(void)kill(-c->pid, SIGTERM);
	while (waitpid(c->pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_errno(
			    err, "cannot wait for '%s'", shell_command);
	}
	if (kill_it)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_IO,
		    "command '%s' was killed by signal %d (%s)", shell_command,
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, ERR_IO,
		    "command '%s' failed with status %d", shell_command,
		    WEXITSTATUS(status));
	return 0;
}
