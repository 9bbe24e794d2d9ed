#include "snapshot/replicate/server_internal.h"

#include "snapshot/replicate/receive.h"
#include "snapshot/replicate/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENERS_MAX 16
#define POLL_MS 250

void
server_event(const struct server_options *opt, struct server *s,
    const char *client, const struct err *why)
{
	if (opt->on_event == NULL)
		return;
	if (s != NULL)
		pthread_mutex_lock(&s->telling);
	opt->on_event(opt->arg, client, why);
	if (s != NULL)
		pthread_mutex_unlock(&s->telling);
}

struct receive_room *
server_room(const struct server *s)
{
	return s != NULL ? s->room : NULL;
}

int
server_one(
    const struct server_options *opt, int fd, const char *from, struct err *err)
{
	struct conn c = {.opt = opt, .control = -1};

	(void)snprintf(c.from, sizeof(c.from), "%s", from);
	return conn_run(&c, fd, err);
}

/* --- connections -------------------------------------------------------- */

static void *
conn_thread(void *arg)
{
	struct conn *c = arg;
	struct server *s = c->server;
	struct err err = {0};
	int rc = conn_run(c, c->fd, &err);

	if (rc != 0 && rc != ERR_CANCELLED)
		server_event(c->opt, s, c->from, &err);
	pthread_mutex_lock(&s->mu);
	c->over = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->mu);
	return NULL;
}

/* mu is held. Join the threads that have ended. */
static void
collect(struct server *s)
{
	for (size_t i = 0; i < s->n;) {
		struct conn *c = s->conns[i];

		if (!c->over) {
			i++;
			continue;
		}
		/* It has nothing left to do that takes the lock. */
		(void)pthread_join(c->thread, NULL);
		(void)close(c->control);
		free(c);
		s->conns[i] = s->conns[--s->n];
	}
}

/*
 * mu is held. Strangers may take half of the places: the one who has been one
 * the longest has to go when another comes.
 */
static void
make_room(struct server *s)
{
	struct conn *oldest = NULL;
	size_t strangers = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct conn *c = s->conns[i];

		if (c->met || c->over)
			continue;
		strangers++;
		if (oldest == NULL || c->number < oldest->number)
			oldest = c;
	}
	if (oldest != NULL && strangers >= (s->opt->clients + 1) / 2)
		(void)shutdown(oldest->control, SHUT_RDWR);
}

static void
name_client(
    const struct sockaddr_storage *addr, socklen_t len, char out[SERVER_FROM])
{
	/* Not the port: it would make every connection another client. */
	if (getnameinfo((const struct sockaddr *)addr, len, out, SERVER_FROM,
		NULL, 0, NI_NUMERICHOST) != 0)
		(void)snprintf(out, SERVER_FROM, "an unknown address");
}

/* mu is held. */
static bool
start(struct server *s, struct conn *c)
{
	if (s->n == s->opt->clients ||
	    pthread_create(&c->thread, NULL, conn_thread, c) != 0)
		return false;
	s->conns[s->n++] = c;
	return true;
}

/* Serve it, or turn it away. Takes ${fd} over. */
static int
admit(struct server *s, int fd, const char *from, struct err *err)
{
	struct conn *c = calloc(1, sizeof(*c));
	int control = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	bool started = false;

	if (c != NULL && control >= 0) {
		*c = (struct conn){.opt = s->opt,
		    .server = s,
		    .fd = fd,
		    .control = control,
		    .number = s->came++};
		(void)snprintf(c->from, sizeof(c->from), "%s", from);
		pthread_mutex_lock(&s->mu);
		collect(s);
		make_room(s);
		started = start(s, c);
		pthread_mutex_unlock(&s->mu);
	}
	if (started)
		return 0;
	free(c);
	if (control >= 0)
		(void)close(control);
	(void)close(fd);
	return err_set(err, ERR_FULL,
	    "turned away: %u clients are being served", s->opt->clients);
}

static void
accept_one(struct server *s, int listener)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char from[SERVER_FROM];
	struct err why;
	int fd =
	    accept4(listener, (struct sockaddr *)&addr, &len, SOCK_CLOEXEC);

	/* It has gone again, or there are too many files open for now. */
	if (fd < 0)
		return;
	transport_tune(fd);
	name_client(&addr, len, from);
	if (admit(s, fd, from, &why) != 0)
		server_event(s->opt, s, from, &why);
}

/* --- closing ------------------------------------------------------------ */

/* Who is known may finish; who is not has nothing to finish. */
static void
close_all(struct server *s)
{
	pthread_mutex_lock(&s->mu);
	s->closing = true;
	pthread_cond_broadcast(&s->changed);
	for (size_t i = 0; i < s->n; i++) {
		struct conn *c = s->conns[i];

		if (c->channel != NULL)
			channel_stop_reading(c->channel);
		else if (!c->met)
			(void)shutdown(c->control, SHUT_RDWR);
	}
	for (collect(s); s->n > 0; collect(s))
		pthread_cond_wait(&s->changed, &s->mu);
	pthread_mutex_unlock(&s->mu);
}

/* --- listening ---------------------------------------------------------- */

static int
accept_all(struct server *s, const int *fds, size_t n, struct err *err)
{
	struct pollfd polled[LISTENERS_MAX];

	for (size_t i = 0; i < n; i++)
		polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	while (!atomic_load(s->opt->stop)) {
		int ready = poll(polled, (nfds_t)n, POLL_MS);

		if (ready < 0 && errno != EINTR)
			return err_errno(err, "cannot wait for clients");
		for (size_t i = 0; ready > 0 && i < n; i++) {
			if (polled[i].revents != 0)
				accept_one(s, fds[i]);
		}
	}
	return 0;
}

static int
run(struct server *s, const int *fds, size_t n, struct err *err)
{
	pthread_t reaper;
	int rc;

	errno = pthread_create(&reaper, NULL, server_reap_thread, s);
	if (errno != 0)
		return err_errno(err, "cannot start a thread");
	rc = accept_all(s, fds, n, err);
	close_all(s);
	(void)pthread_join(reaper, NULL);
	return rc;
}

int
server_listen(
    const struct server_options *opt, const int *fds, size_t n, struct err *err)
{
	struct server s = {.opt = opt};
	int rc;

	if (n > LISTENERS_MAX || opt->clients == 0)
		return err_set(err, ERR_BUG, "%zu listeners", n);
	rc = receive_room_new(&s.room, err);
	if (rc != 0)
		return rc;
	s.conns = calloc(opt->clients, sizeof(struct conn *));
	if (s.conns == NULL) {
		receive_room_free(s.room);
		return err_nomem(err);
	}
	(void)pthread_mutex_init(&s.mu, NULL);
	(void)pthread_mutex_init(&s.telling, NULL);
	(void)pthread_cond_init(&s.changed, NULL);
	rc = run(&s, fds, n, err);
	(void)pthread_cond_destroy(&s.changed);
	(void)pthread_mutex_destroy(&s.telling);
	(void)pthread_mutex_destroy(&s.mu);
	free(s.conns);
	receive_room_free(s.room);
	return rc;
}
