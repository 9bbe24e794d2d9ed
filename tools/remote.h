#ifndef TOOLS_REMOTE_H
#define TOOLS_REMOTE_H

/*
 * The store of a command, and a connection to another site of it: for
 * 'varve replicate' and 'varve repair'.
 */
#include "snapshot/replicate/party.h"
#include "snapshot/replicate/transport.h"
#include "tools/session.h"

#define REMOTE_TEXT 320

/* How an ssh:// address is reached: the value of the option below. */
struct remote_args {
	const char *ssh;
};

/*
 * A group of its own: what the environment says of it counts whatever other
 * options a command is given.
 */
extern const struct option remote_options[1]; /* --ssh */

/* The group of a command whose struct remote_args is at ${at}. */
#define REMOTE_GROUP(at)                                                       \
	{                                                                      \
		.title = "Connection", .options = remote_options,              \
		.n = ARRAY_LEN(remote_options), .base = (at)                   \
	}

struct remote {
	const struct run *run;
	const char *ssh;
	struct session *session; /* NULL: an empty replica */
	struct sitedir *site;    /* NULL: the store stands at no site */
	struct party party;
	/* The other side; known: it has a statement here. */
	bool known;
	struct statement statement;
	char address[SITE_ADDRESS_MAX + 1];
	char text[REMOTE_TEXT]; /* "site 'dr-london'" */
	struct transport transport;
	struct meeting meeting;
};

/* By whose key: the one that is named, or else the site's; or one of the two. */
enum remote_by { REMOTE_BY_ANY, REMOTE_BY_SITE, REMOTE_BY_PERSON };

/**
 * remote_open(run, args, how, by, out, err):
 * Open the store, and speak ${by} that key.
 * Errors: those of session_open() and sitedir_open(); ERR_USAGE the site's key is
 * wanted, and the store stands at no site.
 */
NODISCARD int remote_open(const struct run *run, const struct store_args *args,
    const struct remote_args *how, enum remote_by by, struct remote **out,
    struct err *err);
void remote_close(struct remote *r);
DEFINE_AUTO(remote, remote_close)

/**
 * remote_find(r, name, err):
 * Which site is meant: by its name, or by an address; then whoever answers has to
 * prove that the store knows it. Errors: ERR_NOT_FOUND; ERR_USAGE.
 */
NODISCARD int remote_find(struct remote *r, const char *name, struct err *err);

/** remote_connect(r, mode, follow, err): Errors: those of party_connect(). */
NODISCARD int remote_connect(
    struct remote *r, enum hello_mode mode, bool follow, struct err *err);
/** remote_disconnect(r): Say goodbye; waits for a program that was started. */
void remote_disconnect(struct remote *r);

/** remote_dataset(r, dataset): Its name, or NULL where this key sees none. */
const char *remote_dataset(
    const struct remote *r, const uint8_t dataset[DATASET_ID_LEN]);

#endif
