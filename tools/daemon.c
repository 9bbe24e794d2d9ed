#include "tools/daemon.h"

#include "crypto/bytes.h"
#include "tools/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_MAX 2048

/* A report: u32 -code, u32 errnum, string text. */
static void
send_report(struct daemon *d, const struct err *e)
{
	WR_AUTO struct wr w = {0};
	ssize_t n;

	wr_u32(&w, (uint32_t)-e->code);
	wr_u32(&w, (uint32_t)e->errnum);
	wr_string(&w, e->text, strlen(e->text));
	/* Short enough for one write; if the parent is gone, nobody cares. */
	n = write(d->pipe, w.buf, w.len);
	(void)n;
	(void)close(d->pipe);
	d->pipe = -1;
}

static int
parse_report(const uint8_t *buf, size_t len, struct err *err)
{
	struct rd r = rd_init(buf, len);
	struct err e = {0};
	size_t n = 0;
	const uint8_t *text;

	e.code = -(int)rd_u32(&r);
	e.errnum = (int)rd_u32(&r);
	text = rd_string(&r, &n);
	if (!rd_done(&r) || n >= sizeof(e.text))
		return err_set(err, ERR_IO,
		    "the mount's process ended before it was ready");
	memcpy(e.text, text, n);
	return e.code == 0 ? 0 : err_copy(err, &e);
}

static int
wait_for_word(const struct daemon *d, int fd, struct err *err)
{
	uint8_t buf[REPORT_MAX];
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, buf + len, sizeof(buf) - len);

		if (n < 0 && errno == EINTR) {
			if (atomic_load(signals_stop()))
				(void)kill(d->pid, SIGTERM);
			continue;
		}
		if (n < 0)
			return err_errno(err, "cannot read a pipe");
		if (n == 0)
			return parse_report(buf, len, err);
		len += (size_t)n;
	}
}

int
daemon_fork(struct daemon *d, struct err *err)
{
	int fds[2];
	int r;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_errno(err, "cannot make a pipe");
	d->pid = fork();
	if (d->pid < 0) {
		r = err_errno(err, "cannot start a process");
		(void)close(fds[0]);
		(void)close(fds[1]);
		return r;
	}
	if (d->pid == 0) {
		(void)close(fds[0]);
		d->pipe = fds[1];
		return 1;
	}
	(void)close(fds[1]);
	r = wait_for_word(d, fds[0], err);
	(void)close(fds[0]);
	if (r != 0)
		(void)waitpid(d->pid, NULL, 0);
	return r;
}

int
daemon_ready(struct daemon *d, struct err *err)
{
	const struct err none = {0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return err_errno(err, "cannot open '/dev/null'");
	(void)setsid();
	if (chdir("/") != 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0) {
		int r = err_errno(err, "cannot leave the terminal");

		(void)close(null);
		return r;
	}
	if (null > STDERR_FILENO)
		(void)close(null);
	send_report(d, &none);
	return 0;
}

void
daemon_failed(struct daemon *d, const struct err *why)
{
	if (d->pipe >= 0)
		send_report(d, why);
}
