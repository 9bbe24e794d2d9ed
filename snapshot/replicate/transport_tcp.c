#include "snapshot/replicate/transport_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64

static int
resolve(const struct host_port *hp, bool passive, struct addrinfo **out,
    struct err *err)
{
	const struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = passive ? AI_PASSIVE : AI_ADDRCONFIG,
	};
	bool any = hp->host[0] == '\0' || strcmp(hp->host, "*") == 0;
	int rc = getaddrinfo(any ? NULL : hp->host, hp->port, &hints, out);

	if (rc == 0)
		return 0;
	return err_set(err, rc == EAI_NONAME ? ERR_NOT_FOUND : ERR_IO,
	    "cannot find host '%s': %s", hp->host,
	    rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
}

/* connect() that waits for so long. -1 and errno. */
static int
connect_within(int fd, const struct addrinfo *ai, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	int error = 0;
	int n;

	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -1;
	do
		n = poll(&p, 1, ms);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return -1;
	errno = error;
	return error == 0 ? 0 : -1;
}

void
transport_tune(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

int
transport_connect_tcp(
    const char *rest, unsigned ms, struct transport *out, struct err *err)
{
	struct addrinfo *all;
	struct host_port hp;
	int errnum = 0;
	int rc;

	if (!transport_split(rest, strlen(rest), &hp))
		return err_set(err, ERR_USAGE, "'%s' is no HOST:PORT", rest);
	rc = resolve(&hp, false, &all, err);
	if (rc != 0)
		return rc;
	for (const struct addrinfo *ai = all; ai != NULL && out->fd < 0;
	     ai = ai->ai_next) {
		int fd = socket(ai->ai_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd >= 0 && connect_within(fd, ai, (int)ms) == 0) {
			transport_tune(fd);
			out->fd = fd;
			continue;
		}
		errnum = errno;
		if (fd >= 0)
			(void)close(fd);
	}
	freeaddrinfo(all);
	if (out->fd >= 0)
		return 0;
	return err_set(
	    err, ERR_IO, "cannot connect to '%s': %s", rest, strerror(errnum));
}

/* --- listening ---------------------------------------------------------- */

static int
listen_on(
    const struct addrinfo *ai, const char *address, int *out, struct err *err)
{
	int fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0)
		return err_errno(err, "cannot make a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		int rc = err_errno(err, "cannot listen on '%s'", address);

		(void)close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

int
transport_listen(
    const char *address, int *fds, size_t max, size_t *n, struct err *err)
{
	struct addrinfo *all;
	struct host_port hp;
	int rc;

	*n = 0;
	if (!transport_split(address, strlen(address), &hp))
		return err_set(
		    err, ERR_USAGE, "'%s' is no ADDRESS:PORT", address);
	rc = resolve(&hp, true, &all, err);
	if (rc != 0)
		return rc;
	for (const struct addrinfo *ai = all; ai != NULL && *n < max && rc == 0;
	     ai = ai->ai_next) {
		rc = listen_on(ai, address, &fds[*n], err);
		/* A kernel without IPv6 still lists its addresses. */
		if (rc != 0 && ai->ai_family == AF_INET6 &&
		    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
			rc = 0;
		else if (rc == 0)
			(*n)++;
	}
	freeaddrinfo(all);
	if (rc == 0 && *n == 0)
		rc = err_set(err, ERR_IO, "cannot listen on '%s'", address);
	for (size_t i = 0; rc != 0 && i < *n; i++)
		(void)close(fds[i]);
	return rc;
}
