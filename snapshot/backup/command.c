#include "snapshot/backup/source.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/*
 * A command is ended when this process is, however that comes about: SIGKILL
 * leaves nobody to do it here. So a guard leads the command's process group. It
 * waits for the end of a pipe that only this process can write to, and ends the
 * group: as it is in the group, the group's number can't have become somebody
 * else's. It outlives what the command does to its own group. The guard is there
 * first, and has to be taken away when all has gone well.
 */
static const char guard[] = "trap '' HUP INT TERM; read -r _; kill -s TERM 0";

/* A shell, and where it runs; a file that is -1 is /dev/null. */
struct shell {
	const char *text;
	int in, out;
	bool mute;   /* so is its standard error */
	pid_t group; /* 0: its own */
};

static int
set_files(posix_spawn_file_actions_t *fa, const struct shell *sh)
{
	const int fds[] = {sh->in, sh->out, sh->mute ? -1 : STDERR_FILENO};
	int ret = 0;

	for (int i = 0; ret == 0 && i <= STDERR_FILENO; i++) {
		if (fds[i] < 0)
			ret = posix_spawn_file_actions_addopen(
			    fa, i, "/dev/null", O_RDWR, 0);
		else
			ret = posix_spawn_file_actions_adddup2(fa, fds[i], i);
	}
	return ret;
}

/* It starts with a clean mask, and with signals as they are for any program. */
static int
set_signals(posix_spawnattr_t *attr, const struct shell *sh)
{
	sigset_t none, dfl;

	sigemptyset(&none);
	sigemptyset(&dfl);
	sigaddset(&dfl, SIGPIPE);
	sigaddset(&dfl, SIGXFSZ);
	sigaddset(&dfl, SIGTERM);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &dfl);
	posix_spawnattr_setpgroup(attr, sh->group);
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK |
						  POSIX_SPAWN_SETSIGDEF |
						  POSIX_SPAWN_SETPGROUP);
}

static int
spawn_shell(const struct shell *sh, pid_t *pid)
{
	char *const argv[] = {
	    (char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)sh->text, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int ret;

	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	ret = set_files(&fa, sh);
	if (ret == 0)
		ret = set_signals(&attr, sh);
	if (ret == 0)
		ret = posix_spawn(pid, "/bin/sh", &fa, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return ret;
}

static int
wait_for(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

static int
start_guard(struct command *c)
{
	struct shell sh = {.text = guard, .out = -1, .mute = true};
	int fds[2], ret;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return errno;
	sh.in = fds[0];
	ret = spawn_shell(&sh, &c->guard);
	close(fds[0]);
	c->lifeline = fds[1];
	if (ret != 0)
		close(fds[1]);
	return ret;
}

/* Before it can take the lifeline's end for a sign. */
static void
stop_guard(struct command *c)
{
	int status;

	(void)kill(c->guard, SIGKILL);
	(void)wait_for(c->guard, &status);
	close(c->lifeline);
}

/* Its output goes into ${out}; it reads nothing. */
static int
start(const char *shell_command, int out, struct command *c)
{
	struct shell sh = {.text = shell_command, .in = -1, .out = out};
	int ret = start_guard(c);

	if (ret != 0)
		return ret;
	sh.group = c->guard;
	ret = spawn_shell(&sh, &c->pid);
	if (ret != 0)
		stop_guard(c);
	return ret;
}

int
command_start(const char *shell_command, struct command *out, struct err *err)
{
	int fds[2], ret;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_errno(err, "cannot make a pipe");
	ret = start(shell_command, fds[1], out);
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
	int status, ret;

	close(c->fd);
	if (kill_it)
		(void)kill(-c->guard, SIGTERM);
	ret = wait_for(c->pid, &status);
	stop_guard(c);
	if (ret != 0) {
		errno = ret;
		return err_errno(err, "cannot wait for '%s'", shell_command);
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
