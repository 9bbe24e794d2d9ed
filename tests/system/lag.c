/*
 * A slow line: passes TCP connections on, each byte later, at a rate, and cut
 * where it is told.
 *
 *	lag PORT-FILE TO-PORT DELAY-MS RATE CUT
 *
 * Listens on a free port of 127.0.0.1, which it writes to PORT-FILE, and connects
 * to TO-PORT. DELAY-MS is one way; RATE in bytes a second, 0: any. After CUT
 * bytes from the client, 0: never, a connection is cut; each one after it lasts
 * for as many more.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE 16384
#define PIECES 4096

/* Bytes under way, and when they arrive. */
struct piece {
	int64_t due; /* ns */
	size_t len, done;
	uint8_t bytes[PIECE];
};

struct way {
	int from, to;
	struct piece *ring;
	unsigned first, n;
	int64_t free; /* when the line can take more, ns */
	uint64_t passed;
	bool ended, told;
};

static int64_t delay_ns, rate, cut;

static void
must(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static int64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* The line holds as much as its rate and delay allow, and some more. */
static bool
takes(const struct way *w)
{
	return !w->ended && w->n < PIECES &&
	       (rate == 0 || w->free - now_ns() < INT64_C(20000000));
}

static void
take(struct way *w)
{
	struct piece *p = &w->ring[(w->first + w->n) % PIECES];
	ssize_t n = read(w->from, p->bytes, PIECE);
	int64_t now = now_ns();

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		w->ended = true;
		return;
	}
	if (w->free < now)
		w->free = now;
	if (rate > 0)
		w->free += n * INT64_C(1000000000) / rate;
	p->due = w->free + delay_ns;
	p->len = (size_t)n;
	p->done = 0;
	w->n++;
	w->passed += (uint64_t)n;
}

/* The other side takes no more; what it has said is on its way back. */
static void
abandon(struct way *w)
{
	w->n = 0;
	w->ended = true;
	w->told = true;
}

static void
give(struct way *w)
{
	while (w->n > 0) {
		struct piece *p = &w->ring[w->first];
		ssize_t n;

		if (p->due > now_ns())
			return;
		n = write(w->to, p->bytes + p->done, p->len - p->done);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			abandon(w);
		if (n < 0)
			return;
		p->done += (size_t)n;
		if (p->done < p->len)
			return;
		w->first = (w->first + 1) % PIECES;
		w->n--;
	}
	if (w->ended && !w->told) {
		(void)shutdown(w->to, SHUT_WR);
		w->told = true;
	}
}

static int
wait_ms(const struct way *w)
{
	int64_t left;

	if (w->n == 0)
		return takes(w) || w->ended ? 1000 : 5;
	left = w->ring[w->first].due - now_ns();
	return left <= 0 ? 5 : (int)(left / 1000000) + 1;
}

static void
poll_both(struct way ways[2])
{
	struct pollfd fds[4];
	int ms = 1000;

	for (int i = 0; i < 2; i++) {
		struct way *w = &ways[i];
		bool due = w->n > 0 && w->ring[w->first].due <= now_ns();
		int wait = wait_ms(w);

		fds[2 * i] = (struct pollfd){
		    .fd = takes(w) ? w->from : -1, .events = POLLIN};
		fds[2 * i + 1] =
		    (struct pollfd){.fd = due ? w->to : -1, .events = POLLOUT};
		if (!due && wait < ms)
			ms = wait;
	}
	(void)poll(fds, 4, ms);
	for (int i = 0; i < 2; i++) {
		if (fds[2 * i].revents != 0)
			take(&ways[i]);
	}
}

static void
pass_on(int client, int server)
{
	struct way ways[2] = {
	    {.from = client, .to = server}, {.from = server, .to = client}};

	for (int i = 0; i < 2; i++) {
		ways[i].ring = calloc(PIECES, sizeof(struct piece));
		must(ways[i].ring != NULL, "calloc");
		must(fcntl(ways[i].from, F_SETFL, O_NONBLOCK) == 0, "fcntl");
	}
	while (!(ways[0].told && ways[1].told)) {
		poll_both(ways);
		give(&ways[0]);
		give(&ways[1]);
		if (cut > 0 && ways[0].passed >= (uint64_t)cut)
			break;
	}
	for (int i = 0; i < 2; i++) {
		free(ways[i].ring);
		(void)close(ways[i].from);
	}
}

static int
local_socket(uint16_t port, bool listens, struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(*addr);
	const int on = 1;

	must(fd >= 0, "socket");
	*addr = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(port)};
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!listens) {
		if (connect(fd, (struct sockaddr *)addr, sizeof(*addr)) == 0)
			return fd;
		(void)close(fd);
		return -1;
	}
	must(bind(fd, (struct sockaddr *)addr, sizeof(*addr)) == 0, "bind");
	must(listen(fd, 16) == 0, "listen");
	must(getsockname(fd, (struct sockaddr *)addr, &len) == 0, "socket");
	return fd;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in addr;
	uint16_t to;
	FILE *f;
	int listener;

	if (argc != 6) {
		(void)fprintf(
		    stderr, "usage: lag PORT-FILE TO-PORT DELAY-MS RATE CUT\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	to = (uint16_t)atoi(argv[2]);
	delay_ns = atoll(argv[3]) * 1000000;
	rate = atoll(argv[4]);
	cut = atoll(argv[5]);
	listener = local_socket(0, true, &addr);
	f = fopen(argv[1], "w");
	must(f != NULL, argv[1]);
	(void)fprintf(f, "%u\n", ntohs(addr.sin_port));
	must(fclose(f) == 0, argv[1]);
	for (;;) {
		int client = accept(listener, NULL, NULL);
		int server;

		if (client < 0)
			continue;
		/* The way there takes its time, before anything is said. */
		(void)usleep((useconds_t)(2 * delay_ns / 1000));
		server = local_socket(to, false, &addr);
		if (server >= 0 && fork() == 0) {
			(void)close(listener);
			pass_on(client, server);
			return 0;
		}
		(void)close(client);
		if (server >= 0)
			(void)close(server);
	}
}
