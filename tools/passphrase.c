#include "tools/passphrase.h"

#include "crypto/secret.h"
#include "tools/message.h"
#include "tools/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Keep the first line of ${buf}, without its end, and wipe what follows. */
static void
keep_line(char *buf, size_t cap)
{
	size_t len = strcspn(buf, "\n");

	if (len > 0 && buf[len - 1] == '\r')
		len--;
	secret_wipe(buf + len, cap - len);
}

/* The first line of what ${fd} yields. ${what} is for messages. */
static int
read_line(int fd, const char *what, char **out, struct err *err)
{
	char *buf = secret_alloc(PASSPHRASE_MAX + 2);
	size_t len = 0;
	ssize_t n;

	*out = NULL;
	if (buf == NULL)
		return err_nomem(err);
	while (len <= PASSPHRASE_MAX &&
	       (n = read(fd, buf + len, PASSPHRASE_MAX + 1 - len)) != 0) {
		if (n < 0 && errno != EINTR) {
			(void)err_errno(err, "cannot read %s", what);
			secret_free(buf);
			return err->code;
		}
		if (n > 0)
			len += (size_t)n;
		if (memchr(buf, '\n', len) != NULL)
			break;
	}
	buf[len] = '\0';
	if (strcspn(buf, "\n") > PASSPHRASE_MAX) {
		secret_free(buf);
		return err_set(err, ERR_USAGE,
		    "%s: a passphrase has at most %d bytes", what,
		    PASSPHRASE_MAX);
	}
	keep_line(buf, PASSPHRASE_MAX + 2);
	*out = buf;
	return 0;
}

static int
from_file(const struct run *run, const char *path, char **out, struct err *err)
{
	char what[256];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	(void)snprintf(what, sizeof(what), "passphrase file '%s'", path);
	if (fd < 0)
		return err_errno(err, "cannot open %s", what);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 077) != 0)
		message_warning(
		    run, "%s may be used by others (chmod 600)", what);
	r = read_line(fd, what, out, err);
	(void)close(fd);
	return r;
}

/* The shell is told apart from this process by nothing but what it runs. */
static pid_t
start_command(const char *command, int out)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (dup2(out, STDOUT_FILENO) >= 0)
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int
wait_command(pid_t pid, struct err *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_errno(
			    err, "cannot wait for the passphrase command");
	}
	if (WIFSIGNALED(status))
		return err_set(err, ERR_IO,
		    "the passphrase command was ended by signal %d",
		    WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, ERR_IO,
		    "the passphrase command failed with status %d",
		    WEXITSTATUS(status));
	return 0;
}

/* A command that has more to say is not cut off: that would be a failure. */
static void
drain(int fd)
{
	char rest[256];
	ssize_t n;

	do
		n = read(fd, rest, sizeof(rest));
	while (n > 0 || (n < 0 && errno == EINTR));
	secret_wipe(rest, sizeof(rest));
}

static int
from_command(const char *command, char **out, struct err *err)
{
	int fds[2];
	pid_t pid;
	int r, wr;

	*out = NULL;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_errno(err, "cannot make a pipe");
	pid = start_command(command, fds[1]);
	(void)close(fds[1]);
	if (pid < 0) {
		r = err_errno(err, "cannot run the passphrase command");
		(void)close(fds[0]);
		return r;
	}
	r = read_line(fds[0], "the passphrase command's output", out, err);
	if (r == 0)
		drain(fds[0]);
	(void)close(fds[0]);
	wr = wait_command(pid, r == 0 ? err : NULL);
	if (r == 0 && wr != 0) {
		secret_free(*out);
		*out = NULL;
		r = wr;
	}
	return r;
}

static int
copy_secret(const char *from, char **out, struct err *err)
{
	size_t len = strlen(from);

	*out = secret_alloc(len + 1);
	if (*out == NULL)
		return err_nomem(err);
	memcpy(*out, from, len);
	return 0;
}

static int
from_terminal(const char *question, bool twice, char **out, struct err *err)
{
	char *again;
	int r = prompt_secret(question, out, err);

	if (r == ERR_NOT_FOUND)
		return err_set(err, ERR_USAGE,
		    "no passphrase and no terminal to ask at: use "
		    "--passphrase-file, --passphrase-command or "
		    "$" PASSPHRASE_ENV);
	if (r != 0 || !twice || **out == '\0')
		return r;
	r = prompt_secret("The same again: ", &again, err);
	if (r == 0 && strcmp(*out, again) != 0)
		r = err_set(
		    err, ERR_USAGE, "the two passphrases are not the same");
	if (r != 0) {
		secret_free(*out);
		*out = NULL;
	}
	secret_free(again);
	return r;
}

int
passphrase_get(const struct run *run, const struct passphrase_source *src,
    const char *question, char **out, struct err *err)
{
	int r;

	*out = NULL;
	if (src->file != NULL)
		r = from_file(run, src->file, out, err);
	else if (src->command != NULL)
		r = from_command(src->command, out, err);
	else if (src->given != NULL)
		r = copy_secret(src->given, out, err);
	else
		r = from_terminal(question, src->fresh, out, err);
	if (r == 0 && **out == '\0') {
		secret_free(*out);
		*out = NULL;
		r = err_set(err, ERR_USAGE, "the passphrase is empty");
	}
	return r;
}

int
passphrase_take_env(char **out, struct err *err)
{
	char *env = getenv(PASSPHRASE_ENV);
	int r;

	*out = NULL;
	if (env == NULL)
		return 0;
	r = copy_secret(env, out, err);
	/* The bytes stay in /proc/PID/environ unless they are overwritten. */
	secret_wipe(env, strlen(env));
	(void)unsetenv(PASSPHRASE_ENV);
	return r;
}
