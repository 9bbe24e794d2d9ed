#include "snapshot/replicate/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOST_MAX 256
#define PORT_MAX 8
#define BACKLOG 64
#define SSH_WORDS 16
#define CHILD_END_MS 5000

/* --- addresses ---------------------------------------------------------- */

struct host_port {
	char host[HOST_MAX];
	char port[PORT_MAX];
};

static bool
copy_part(char *out, size_t cap, const char *from, size_t len)
{
	if (len >= cap)
		return false;
	memcpy(out, from, len);
	out[len] = '\0';
	return true;
}

static bool
is_port(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 5 && strspn(text, "0123456789") == len &&
	       atoi(text) >= 1 && atoi(text) <= UINT16_MAX;
}

/* 'host', 'host:port', '[v6]', '[v6]:port'; ends at ${len}. */
static bool
split(const char *text, size_t len, struct host_port *out)
{
	const char *end = text + len;
	const char *colon = memrchr(text, ':', len);
	const char *close = memchr(text, ']', len);

	(void)snprintf(out->port, sizeof(out->port), "%s", TRANSPORT_PORT);
	if (len > 0 && text[0] == '[') {
		if (close == NULL || !copy_part(out->host, sizeof(out->host),
					 text + 1, (size_t)(close - text) - 1))
			return false;
		if (close + 1 == end)
			return true;
		if (close[1] != ':')
			return false;
		colon = close + 1;
	} else if (!copy_part(out->host, sizeof(out->host), text,
		       colon != NULL ? (size_t)(colon - text) : len)) {
		return false;
	}
	return colon == NULL || (copy_part(out->port, sizeof(out->port),
				     colon + 1, (size_t)(end - colon) - 1) &&
				    is_port(out->port));
}

static int
bad_address(const char *address, struct err *err)
{
	return err_set(err, ERR_USAGE,
	    "'%s' is no address of a site: tls://HOST:PORT, "
	    "ssh://USER@HOST/PATH"
	    " or a directory",
	    address);
}

static bool
starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* What ssh is told: its target and port, and the path there. */
struct ssh_target {
	char host[HOST_MAX]; /* [USER@]HOST */
	char port[PORT_MAX]; /* or "" */
	const char *path;
};

/* A host that starts with '-' would be taken for an option. */
static bool
parse_ssh(const char *rest, struct ssh_target *out)
{
	const char *slash = strchr(rest, '/');
	const char *at, *host;
	struct host_port hp;
	size_t len;

	if (slash == NULL || slash == rest || rest[0] == '-' ||
	    slash[1] == '\0')
		return false;
	len = (size_t)(slash - rest);
	at = memrchr(rest, '@', len);
	host = at != NULL ? at + 1 : rest;
	if (!split(host, (size_t)(slash - host), &hp) || hp.host[0] == '\0' ||
	    hp.host[0] == '-')
		return false;
	out->port[0] = '\0';
	if (slash[-1] != ']' && memchr(host, ':', (size_t)(slash - host)))
		memcpy(out->port, hp.port, sizeof(out->port));
	out->path = slash;
	return snprintf(out->host, sizeof(out->host), "%.*s%s",
		   (int)(host - rest), rest, hp.host) < (int)sizeof(out->host);
}

int
transport_check(const char *address, struct err *err)
{
	struct ssh_target ssh;
	struct host_port hp;
	bool ok;

	if (starts(address, "tls://"))
		ok = split(address + 6, strlen(address + 6), &hp) &&
		     hp.host[0] != '\0';
	else if (starts(address, "ssh://"))
		ok = parse_ssh(address + 6, &ssh);
	else
		ok = address[0] != '\0' && strstr(address, "://") == NULL;
	return ok ? 0 : bad_address(address, err);
}

/* --- TCP ---------------------------------------------------------------- */

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

static int
connect_tcp(
    const char *rest, unsigned ms, struct transport *out, struct err *err)
{
	struct addrinfo *all;
	struct host_port hp;
	int errnum = 0;
	int rc;

	if (!split(rest, strlen(rest), &hp))
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

/* --- a program at the other end ----------------------------------------- */

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

static int
spawn_ssh(const char *rest, const struct transport_plan *plan,
    struct transport *out, struct err *err)
{
	char *words = strdup(plan->ssh != NULL ? plan->ssh : "ssh");
	char *argv[SSH_WORDS + 10];
	struct ssh_target t;
	char *path, *save = NULL;
	size_t n = 0;
	int rc;

	if (!parse_ssh(rest, &t)) {
		free(words);
		return bad_address(rest, err);
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

static int
spawn_local(const char *path, const struct transport_plan *plan,
    struct transport *out, struct err *err)
{
	const char *argv[] = {
	    plan->program, "serve", "--stdio", "--", path, NULL};

	/* execvp() changes none of them. */
	return spawn((char *const *)argv, out, err);
}

int
transport_connect(const char *address, const struct transport_plan *plan,
    struct transport *out, struct err *err)
{
	int rc = transport_check(address, err);

	*out = (struct transport){.fd = -1};
	if (rc != 0)
		return rc;
	if (starts(address, "tls://"))
		return connect_tcp(address + 6, plan->connect_ms, out, err);
	if (starts(address, "ssh://"))
		return spawn_ssh(address + 6, plan, out, err);
	return spawn_local(address, plan, out, err);
}

/* It ends when its connection has; but not if something is amiss. */
static int
wait_for(pid_t child)
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

void
transport_close(struct transport *t)
{
	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = -1;
	transport_end_pump(t->pump);
	t->pump = NULL;
	if (t->child > 0)
		t->status = wait_for(t->child);
	t->child = 0;
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
	if (!split(address, strlen(address), &hp))
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
