#ifndef SNAPSHOT_ACCESS_PEER_H
#define SNAPSHOT_ACCESS_PEER_H

/*
 * Who speaks from another machine, and the key objects that come from there:
 * what admins have signed vouches for them, whoever carries it.
 * Thread: access_peer(), access_peer_fetch() and access_introduce() as
 * access.h; access_meet() and access_take() as access_refresh().
 */
#include "snapshot/access/site.h"

/* How messages call a peer: "host 'web1'". */
#define PEER_TEXT 300

/**
 * access_peer(a, key, now, text, err):
 * Whether who signs with ${key} is known to this store at ${now} (Unix
 * seconds): the first admin, or with a grant of any role that holds, or a site
 * with a statement that has not ended or expired. ${text} receives what it is.
 * Errors: ERR_DENIED it is not.
 * Cost: one signature check.
 */
NODISCARD int access_peer(const struct access *a,
    const struct ed25519_public *key, int64_t now, char text[PEER_TEXT],
    struct err *err);

/**
 * access_peer_fetch(a, key, now, err):
 * Whether who signs with ${key} may be given any object: a site at which the
 * store's objects may lie (site_allowed()), or an admin.
 * Errors: ERR_DENIED.
 */
NODISCARD int access_peer_fetch(const struct access *a,
    const struct ed25519_public *key, int64_t now, struct err *err);

/* What one sends to be known; a return other than 0 ends it. */
typedef int access_introduce_fn(
    void *arg, const uint8_t *buf, size_t len, struct err *err);

#define INTRODUCTION_MAX 256 /* key objects */

/**
 * access_introduce(a, key, visit, arg, err):
 * The key objects by which access_peer() knows ${key}: the grants of admins,
 * which vouch for the rest, and some grants and statements of ${key} itself.
 */
NODISCARD int access_introduce(const struct access *a,
    const struct ed25519_public *key, access_introduce_fn *visit, void *arg,
    struct err *err);

/* A key object that is offered, and what became of it. */
struct key_offer {
	const uint8_t *buf;
	size_t len;
	bool taken;     /* it is in the store now */
	struct err why; /* or else: why not */
};

/**
 * access_take(a, offers, n, err):
 * Store those key objects that count in this store: grants, key sets,
 * statements and policies that are signed by who may, persons of whom a grant
 * or the root speaks, and a recovery object where there is none. They may vouch
 * for each other. Durable when it returns.
 * Errors: those of store_put().
 */
NODISCARD int access_take(
    struct access *a, struct key_offer *offers, size_t n, struct err *err);

/**
 * access_meet(a, offers, n, key, now, text, err):
 * As access_peer(), of who has sent ${n} key objects to be known by. Grants and
 * statements that count are stored, but only when ${key} is known by then, and
 * nothing else is. Errors: ERR_DENIED nothing was stored; those of store_put().
 */
NODISCARD int access_meet(struct access *a, struct key_offer *offers, size_t n,
    const struct ed25519_public *key, int64_t now, char text[PEER_TEXT],
    struct err *err);

/** access_keys_hash(a, out, err): The SHA-256 of the names, ascending. */
NODISCARD int access_keys_hash(
    const struct access *a, uint8_t out[OBJECT_NAME_LEN], struct err *err);

/** access_has_key_set(a, dataset): Whether there is one, of any epoch. */
bool access_has_key_set(
    const struct access *a, const uint8_t dataset[DATASET_ID_LEN]);

typedef int access_dataset_fn(
    void *arg, const uint8_t dataset[DATASET_ID_LEN], struct err *err);
/**
 * access_visit_key_sets(a, visit, arg, err):
 * Each dataset of which there is a key set, once, whoever may open it; a return
 * other than 0 ends it.
 */
NODISCARD int access_visit_key_sets(const struct access *a,
    access_dataset_fn *visit, void *arg, struct err *err);

#endif
