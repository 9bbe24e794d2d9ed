#ifndef SNAPSHOT_REPLICATE_TRANSPORT_INTERNAL_H
#define SNAPSHOT_REPLICATE_TRANSPORT_INTERNAL_H

/*
 * Private to this folder: how a site is reached, as its files share it.
 *
 *	transport.c		by whichever way its address says
 *	transport_address.c	what an address says
 *	transport_tcp.c		TCP, as client and as server
 *	transport_child.c	a program on the other end: ssh, or this one
 *	transport_stdio.c	being that program
 */
#include "snapshot/replicate/transport.h"

/* --- addresses ---------------------------------------------------------- */

#define HOST_MAX 256
#define PORT_MAX 8

struct host_port {
	char host[HOST_MAX];
	char port[PORT_MAX];
};

/**
 * transport_split(text, len, out):
 * 'host', 'host:port', '[v6]', '[v6]:port'; whether it is one of them.
 */
bool transport_split(const char *text, size_t len, struct host_port *out);

/* What ssh is told: its target and port, and the path there. */
struct ssh_target {
	char host[HOST_MAX]; /* [USER@]HOST */
	char port[PORT_MAX]; /* or "" */
	const char *path;
};

bool transport_parse_ssh(const char *rest, struct ssh_target *out);

bool transport_starts(const char *text, const char *with);

/** transport_bad_address(address, err): ERR_USAGE, with the forms there are. */
int transport_bad_address(const char *address, struct err *err);

/* --- ways --------------------------------------------------------------- */

/** transport_connect_tcp(rest, ms, out, err): ${rest}: HOST:PORT. */
NODISCARD int transport_connect_tcp(
    const char *rest, unsigned ms, struct transport *out, struct err *err);

/** transport_spawn_ssh(), transport_spawn_local(): ${out}'s child is theirs. */
NODISCARD int transport_spawn_ssh(const char *rest,
    const struct transport_plan *plan, struct transport *out, struct err *err);
NODISCARD int transport_spawn_local(const char *path,
    const struct transport_plan *plan, struct transport *out, struct err *err);

/**
 * transport_wait_child(child): For its end; it is ended when that takes long.
 * How it ended, as wait(2) has it; 0 when it was ended.
 */
int transport_wait_child(pid_t child);

/** transport_end_pump(p): Of transport_stdio(). */
void transport_end_pump(struct pump *p);

#endif
