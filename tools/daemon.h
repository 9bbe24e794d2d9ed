#ifndef TOOLS_DAEMON_H
#define TOOLS_DAEMON_H

/*
 * A process that stays behind. It forks first, while there are neither threads
 * nor keys, and works on in the child; the parent waits for its word:
 *
 *	parent				child
 *	daemon_fork() ... waits		daemon_fork() returns 1
 *					... asks for the passphrase, opens ...
 *			<-- ready --	daemon_ready()
 *	returns 0			serves
 *			<-- error --	daemon_failed()
 *	returns the error		ends
 */
#include "crypto/err.h"

#include <sys/types.h>

struct daemon {
	int pipe;  /* the child's end; -1: nobody waits */
	pid_t pid; /* the child's, in the parent */
};

/**
 * daemon_fork(d, err):
 * 1 in the child; 0 in the parent once the child is ready, or else the child's
 * error. A signal to the parent alone is passed on.
 */
NODISCARD int daemon_fork(struct daemon *d, struct err *err);

/**
 * daemon_ready(d, err):
 * Leave the terminal, the working directory and the standard streams behind,
 * then tell the parent.
 */
NODISCARD int daemon_ready(struct daemon *d, struct err *err);

/** daemon_failed(d, why): Tell the parent that it will not come to that. */
void daemon_failed(struct daemon *d, const struct err *why);

#endif
