#ifndef SNAPSHOT_SITE_SITEDIR_H
#define SNAPSHOT_SITE_SITEDIR_H

/*
 * A site's own directory, STORE/site/: what the machine that a store stands on
 * knows, and no other copy of the store. It holds the site's key, the request
 * that it made for a statement, what it knows (sitedb.h), and the mark of a
 * replica (store.h).
 * Source: FORMAT.md 'A site's directory'. Thread: an open one may be used by
 * many threads; sitedir_init() and sitedir_adopt() are one thread's.
 */
#include "crypto/receipt.h"
#include "snapshot/state/sitedb.h"
#include "snapshot/store/store.h"

/* What 'varve serve --init' is told. What is NULL or 0 is as it was. */
struct sitedir_plan {
	const char *name;
	const char *country;
	const char *accreditation;
	int64_t until; /* Unix seconds, exclusive */
	int64_t lock; /* seconds; -1: as it was, SITEDB_LOCK_DEFAULT at first */
	/* The store that a replica is for: its root object, or that's hash. */
	const uint8_t *root;
	size_t rootlen;
	const uint8_t *fingerprint; /* FINGERPRINT_LEN bytes */
};

struct sitedir_made {
	struct site_request request;
	struct wr text; /* the request, to be sent to an admin: wr_clear() */
	int64_t lock;   /* seconds */
	bool replica;   /* it is one */
	bool renewed;   /* the site was there before */
};

/**
 * sitedir_init(address, plan, now, out, err):
 * Make the directory ${address} a site.
 *
 *	missing or empty  an empty replica, for the store of ${plan}
 *	a store           it gets a key and stays what it is
 *	a site            a new request, by the same key; the lock is lengthened;
 *			  where what it knows has gone, only with a lock
 *
 * An empty replica to which the root object was not given receives it with the
 * first objects: sitedir_adopt(). After a crash, do it again.
 * Errors: ERR_USAGE something that is needed is not told, or can't be, or is
 * not what it was before (name, store); ERR_DENIED a shorter lock; those of
 * store_create(), sitedb_open() and access_write_keyfile().
 */
NODISCARD int sitedir_init(const char *address, const struct sitedir_plan *plan,
    int64_t now, struct sitedir_made *out, struct err *err);
void sitedir_made_clear(struct sitedir_made *m);

struct sitedir;

/**
 * sitedir_open(address, out, err):
 * The site at ${address}, whether or not its store has arrived.
 * Errors: ERR_NOT_FOUND there is none; ERR_DENIED another user's, or a key file
 * that others may read; ERR_CORRUPT, also where what it knows has gone; those of
 * sitedb_open().
 */
NODISCARD int sitedir_open(
    const char *address, struct sitedir **out, struct err *err);
void sitedir_close(struct sitedir *d);
DEFINE_AUTO(sitedir, sitedir_close)

const struct identity *sitedir_key(const struct sitedir *d);
struct sitedb *sitedir_db(struct sitedir *d);
/** sitedir_request(d): What it says of itself, and the store that it is for. */
const struct site_request *sitedir_request(const struct sitedir *d);

/**
 * sitedir_peek(address, out, err):
 * The request alone: needs no right to the key. ERR_NOT_FOUND no site.
 */
NODISCARD int sitedir_peek(
    const char *address, struct site_request *out, struct err *err);

/**
 * sitedir_adopt(d, root, len, out, err):
 * The root object arrived: make the empty replica a store, and open it.
 * Errors: ERR_AUTH it is another store's; those of store_finish_replica().
 */
NODISCARD int sitedir_adopt(struct sitedir *d, const uint8_t *root, size_t len,
    struct store **out, struct err *err);

/**
 * sitedir_receipt(d, store, dataset, seq, head, clock, out, err):
 * A signed receipt, now: ${clock} as for sitedb_clock().
 */
NODISCARD int sitedir_receipt(struct sitedir *d,
    const uint8_t store[STORE_ID_LEN],
    const uint8_t dataset[RECEIPT_DATASET_LEN], uint64_t seq,
    const uint8_t head[RECEIPT_NAME_LEN], int64_t clock,
    uint8_t out[RECEIPT_LEN], struct err *err);

#endif
