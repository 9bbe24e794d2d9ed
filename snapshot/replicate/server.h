#ifndef SNAPSHOT_REPLICATE_SERVER_H
#define SNAPSHOT_REPLICATE_SERVER_H

/*
 * A site that others connect to: 'varve serve'. It takes, sends or hands out
 * objects, as each client asks, and removes what may go.
 * Source: PROTOCOL.md sections 4 to 11.
 */
#include "crypto/receipt.h"
#include "snapshot/replicate/reap.h"

#include <stdatomic.h>

#define SERVER_CLIENTS 32 /* at once, unless told otherwise */
#define SERVER_SHARE 4    /* of one key; of few clients, a quarter */

struct server_options {
	const char *address; /* of the store */
	struct sitedir *site;
	/* At once; half of them may be unknown yet, SERVER_SHARE of one key. */
	unsigned clients;
	const atomic_bool *stop;
	/*
	 * What happened, for a journal: to ${client}, or to nobody (NULL). ${why}
	 * has code 0 where nothing went wrong. By any thread, one at a time.
	 */
	void (*on_event)(void *arg, const char *client, const struct err *why);
	/* A receipt of who fetches, as in send_options; by any thread. */
	int (*on_receipt)(void *arg, const uint8_t buf[RECEIPT_LEN],
	    const struct receipt *receipt, struct err *err);
	void *arg;
};

/**
 * server_listen(opt, fds, n, err):
 * Serve who connects to these listening sockets until ${opt}->stop; then each
 * connection's finished objects are made durable and acknowledged.
 * The sockets, 16 at most, are the caller's.
 * Errors: ERR_IO the listening sockets are of no use; ERR_NOMEM. What goes wrong
 * with a client is an event, and no error.
 * Threads: one for each client, those of receive_run() and send_run(), and one
 * that removes. Returns when all have ended.
 */
NODISCARD int server_listen(const struct server_options *opt, const int *fds,
    size_t n, struct err *err);

/**
 * server_one(opt, fd, from, err): Serve the one client at ${fd}, which is
 * closed.
 */
NODISCARD int server_one(const struct server_options *opt, int fd,
    const char *from, struct err *err);

#endif
