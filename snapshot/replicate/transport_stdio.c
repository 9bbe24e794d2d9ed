/*
 * Standard input and output as one socket. Where they are two pipes (a shell
 * between ssh and us), two threads pass on what comes.
 */
#include "snapshot/replicate/transport_internal.h"
#include "snapshot/store/plainfile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PUMP_BYTES 65536

struct pump {
	pthread_t in, out;
	int fd; /* the far end of the socket */
};

/* Whether both are one and the same socket, as sshd and we make them. */
static bool
is_one_socket(void)
{
	struct stat in, out;

	return fstat(STDIN_FILENO, &in) == 0 &&
	       fstat(STDOUT_FILENO, &out) == 0 && S_ISSOCK(in.st_mode) &&
	       in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

static void
pass_on(int from, int to)
{
	uint8_t *buf = malloc(PUMP_BYTES);
	ssize_t n = 0;

	while (buf != NULL) {
		n = read(from, buf, PUMP_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || plainfile_write(to, buf, (size_t)n) != 0)
			break;
	}
	free(buf);
}

static void *
pump_in(void *arg)
{
	const struct pump *p = arg;

	pass_on(STDIN_FILENO, p->fd);
	(void)shutdown(p->fd, SHUT_WR);
	return NULL;
}

static void *
pump_out(void *arg)
{
	const struct pump *p = arg;

	pass_on(p->fd, STDOUT_FILENO);
	(void)shutdown(p->fd, SHUT_RDWR);
	(void)close(STDOUT_FILENO);
	return NULL;
}

static int
start_pump(struct transport *t, struct err *err)
{
	struct pump *p = calloc(1, sizeof(*p));
	int fds[2];

	if (p == NULL)
		return err_nomem(err);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		free(p);
		return err_errno(err, "cannot make a socket");
	}
	p->fd = fds[1];
	t->fd = fds[0];
	t->pump = p;
	errno = pthread_create(&p->out, NULL, pump_out, p);
	if (errno == 0)
		errno = pthread_create(&p->in, NULL, pump_in, p);
	/* What was started ends with the process, which has nothing to do. */
	return errno == 0 ? 0 : err_errno(err, "cannot start a thread");
}

int
transport_stdio(struct transport *t, struct err *err)
{
	*t = (struct transport){.fd = -1};
	if (!is_one_socket())
		return start_pump(t, err);
	t->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return t->fd >= 0 ? 0 : err_errno(err, "cannot use standard input");
}

void
transport_end_pump(struct pump *p)
{
	if (p == NULL)
		return;
	/* What was said last goes out; nobody waits for what may still come. */
	(void)pthread_join(p->out, NULL);
	(void)pthread_cancel(p->in);
	(void)pthread_join(p->in, NULL);
	(void)close(p->fd);
	free(p);
}
