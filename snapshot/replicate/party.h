#ifndef SNAPSHOT_REPLICATE_PARTY_H
#define SNAPSHOT_REPLICATE_PARTY_H

/*
 * One side of a connection, and how it and the other side find out who they
 * are to each other (PROTOCOL.md section 4).
 *
 *	party.c		what both sides do: to introduce, and be introduced
 *	party_client.c	who connects
 *	party_server.c	who is connected to
 */
#include "snapshot/access/peer.h"
#include "snapshot/replicate/channel.h"
#include "snapshot/site/sitedir.h"

struct party {
	const char *address;        /* of its store */
	struct access *access;      /* NULL: an empty replica */
	struct sitedir *site;       /* NULL: it stands at no site */
	const struct identity *key; /* by which it is known */
	const uint8_t *fingerprint; /* of the store's root */
};

/*
 * What came of it. The channel's peer says who the other side is; it is the
 * caller's (channel_free), NULL on failure.
 */
struct meeting {
	struct channel *channel;
	enum hello_mode mode;
	bool follow;
	struct ed25519_public peer;
};

/* What a client wants, and of whom. */
struct wish {
	enum hello_mode mode;
	bool follow;
	/*
	 * The site it means to reach; NULL: whoever answers has to prove that
	 * this store knows it (HELLO_PULL, HELLO_FETCH).
	 */
	const struct statement *site;
	const char *text; /* what messages call the site */
};

/**
 * party_connect(p, fd, wish, out, err):
 * ${fd} is taken over, also when it fails. An empty replica has its root
 * object, and ${p}->access is open, when it returns: the caller's to close
 * then.
 * Errors: ERR_AUTH it is not the site that the statement names, or another
 * store's; ERR_DENIED it is not known to this store; what the other side says;
 * those of tls_handshake() and access_meet().
 */
NODISCARD int party_connect(struct party *p, int fd, const struct wish *wish,
    struct meeting *out, struct err *err);

/**
 * party_accept(p, fd, from, out, err):
 * The same of a server; ${from} is what the transport knows of the client. What
 * it refuses, it notes and tells the client. Errors: ERR_DENIED it is not
 * known; ERR_VERSION; ERR_AUTH it means another store.
 */
NODISCARD int party_accept(struct party *p, int fd, const char *from,
    struct meeting *out, struct err *err);

/** party_time(p): The clock's time in Unix seconds. */
int64_t party_time(void);

/**
 * party_refused(p, client, known, why): Note what was refused; where there is no
 * site to note it at, nothing. ${known}: to the store; not a stranger.
 */
void party_refused(const struct party *p, const char *client, bool known,
    const struct err *why);

/* --- for this folder ---------------------------------------------------- */

/* Before they know each other, nobody waits long, or takes much. */
#define PARTY_MEET_MS 20000
#define PARTY_KEYS_BYTES (1024 * 1024)

/** party_hello(p, mode, follow, c, err): Say it. */
NODISCARD int party_hello(const struct party *p, enum hello_mode mode,
    bool follow, struct channel *c, struct err *err);
/** party_check_store(p, h, err): ERR_AUTH: the other side has another store. */
NODISCARD int party_check_store(
    const struct party *p, const struct hello *h, struct err *err);
/** party_introduce(p, root, c, err): Answer WHO: with ROOT, KEY..., KNOWN. */
NODISCARD int party_introduce(
    const struct party *p, bool root, struct channel *c, struct err *err);
/**
 * party_learn(p, m, who, err):
 * Send WHO, and find by what is answered who it is. Errors: ERR_DENIED it is
 * not known by that, either: nothing but the root was stored.
 */
NODISCARD int party_learn(struct party *p, const struct meeting *m,
    char who[PEER_TEXT], struct err *err);

#endif
