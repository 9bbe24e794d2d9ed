#ifndef SNAPSHOT_REPLICATE_TRANSPORT_H
#define SNAPSHOT_REPLICATE_TRANSPORT_H

/*
 * How a site is reached: what carries the TLS connection (PROTOCOL.md section
 * 1).
 *
 *	tls://HOST:PORT            TCP to 'varve serve --listen'
 *	ssh://[USER@]HOST[:PORT]/PATH  'ssh HOST varve serve --stdio PATH'
 *	PATH                       'varve serve --stdio PATH', on this machine
 *
 * Thread: safe, but for the standard streams: one of them at a time.
 */
#include "crypto/err.h"

#include <stdbool.h>
#include <sys/types.h>

#define TRANSPORT_PORT "7710"    /* where none is given */
#define TRANSPORT_NO_PROGRAM 127 /* the exit status, as a shell has it */

struct pump;

struct transport {
	int fd;      /* a connected stream socket; -1 once it was handed on */
	pid_t child; /* who is on its other end, or 0 */
	int status; /* after transport_close(): how it ended, as wait(2) has it */
	struct pump *pump; /* of transport_stdio(), or NULL */
};

struct transport_plan {
	/* The program to run for a local path. */
	const char *program;
	/* In place of 'ssh', or NULL: the words before HOST, split at blanks. */
	const char *ssh;
	unsigned connect_ms;
};

/**
 * transport_check(address, err): ERR_USAGE unless it has one of these forms.
 */
NODISCARD int transport_check(const char *address, struct err *err);

/**
 * transport_connect(address, plan, out, err):
 * Errors: ERR_USAGE; ERR_NOT_FOUND no such host; ERR_IO it can't be reached.
 */
NODISCARD int transport_connect(const char *address,
    const struct transport_plan *plan, struct transport *out, struct err *err);

/**
 * transport_stdio(out, err): Standard input and output, for 'serve --stdio'.
 */
NODISCARD int transport_stdio(struct transport *out, struct err *err);

/**
 * transport_close(t): Close what is still open, and wait for the child to end;
 * one that doesn't within a few seconds is ended.
 */
void transport_close(struct transport *t);

/**
 * transport_tune(fd): Of a TCP connection: frames go out whole, so that small
 * ones need not wait for more; and it is found out when the other side has
 * gone.
 */
void transport_tune(int fd);

/**
 * transport_listen(address, fds, max, n, err):
 * ADDRESS:PORT, '[::1]:7710', ':7710' or '*:7710' (all addresses): a socket for
 * each that the system gives, ${max} at most, which the caller closes.
 * Errors: ERR_USAGE; ERR_DENIED; ERR_IO the address is in use.
 */
NODISCARD int transport_listen(
    const char *address, int *fds, size_t max, size_t *n, struct err *err);

#endif
