#ifndef SNAPSHOT_ACCESS_SITE_H
#define SNAPSHOT_ACCESS_SITE_H

/*
 * Sites, as a store knows them: the statements that admins have signed, and the
 * countries that they allow. None of it needs a key to be read, so that the
 * sender, the site itself, and a site beyond it all check the same.
 *
 * What is forged, or signed by who may not, counts for nothing: it neither lets
 * a site in nor takes one away (access_visit_damage() tells of it).
 * Source: KEYS.md 'Sites'. Thread: as access.h; site_add(), site_remove() and
 * site_allow() as access_grant().
 */
#include "crypto/policy.h"
#include "snapshot/access/access.h"

/**
 * site_find(a, name, out, err):
 * The newest statement of the site ${name}; it may have ended or expired.
 * Errors: ERR_NOT_FOUND there is none; ERR_AUTH there is none but what is
 * forged, or signed by someone who was no admin then.
 * Cost: one signature check for a statement that is met the first time.
 */
NODISCARD int site_find(const struct access *a, const char *name,
    struct statement *out, struct err *err);

/**
 * site_find_key(a, key, out, err):
 * The newest statement of the site that signs with ${key}. One whose name has a
 * newer statement with another key is no site any more: ERR_NOT_FOUND.
 */
NODISCARD int site_find_key(const struct access *a,
    const struct ed25519_public *key, struct statement *out, struct err *err);

/**
 * site_find_id(a, id, out, err):
 * The same by the id of the site's public half: for a receipt, or a record.
 */
NODISCARD int site_find_id(const struct access *a,
    const uint8_t id[IDENTITY_ID_LEN], struct statement *out, struct err *err);

/**
 * site_policy(a, out, err):
 * The newest location policy; ERR_NOT_FOUND when none was made: then every
 * country is allowed.
 */
NODISCARD int site_policy(
    const struct access *a, struct policy *out, struct err *err);

/**
 * site_allowed(a, st, now, err):
 * Whether the store's objects may lie at a site at ${now} (Unix seconds).
 * Errors: ERR_DENIED, and the text says what to do: it was taken away, it has
 * expired, or its country is none of the policy's.
 */
NODISCARD int site_allowed(const struct access *a, const struct statement *st,
    int64_t now, struct err *err);

/**
 * site_check_key(st, key, err):
 * Whether who answers there with ${key} is the site: ERR_AUTH it is not.
 */
NODISCARD int site_check_key(const struct statement *st,
    const struct ed25519_public *key, struct err *err);

/* A return other than 0 ends the visit with it. */
typedef int site_visit_fn(
    void *arg, const struct statement *st, struct err *err);
/** site_each(a, visit, arg, err): The newest statement of each, by name. */
NODISCARD int site_each(
    const struct access *a, site_visit_fn *visit, void *arg, struct err *err);

/* --- by admins ---------------------------------------------------------- */

/**
 * site_add(a, name, address, request, out, err):
 * Sign a statement for the site that made ${request}, which is called ${name}.
 * It takes the place of an older one of that name.
 * Errors: ERR_DENIED not an admin; ERR_AUTH the request is for another store;
 * ERR_USAGE the site calls itself otherwise, the address is none, or the
 * request has expired; those of site_allowed().
 */
NODISCARD int site_add(struct access *a, const char *name, const char *address,
    const struct site_request *request, struct statement *out, struct err *err);

/**
 * site_remove(a, name, err):
 * Sign that ${name} is no site of this store any more. What it holds, it holds.
 * Errors: ERR_DENIED; ERR_NOT_FOUND.
 */
NODISCARD int site_remove(struct access *a, const char *name, struct err *err);

/**
 * site_allow(a, countries, n, err):
 * Sign a policy with these countries, in the place of an older one.
 * Errors: ERR_DENIED; ERR_USAGE none, too many, or no country.
 */
NODISCARD int site_allow(
    struct access *a, const char *const *countries, size_t n, struct err *err);

#endif
