#ifndef CRYPTO_ISSUER_H
#define CRYPTO_ISSUER_H

/*
 * Private to this folder: who issues an object of a store. It is an admin, who
 * is named by the id; or the store's master key, for which zeros stand.
 * Source: KEYS.md 'Conventions'. Thread: safe.
 */
#include "crypto/root.h"

/*
 * Of objects that replace each other the newest counts, by when it begins: beyond
 * this (Unix seconds) none may, so that the last possible moment is out of the
 * way of arithmetic, and of those who would be the last for ever.
 */
#define ISSUER_FROM_MAX ((int64_t)1 << 40)

/** issuer_id(issuer): What names it in an object; NULL is the master key. */
const uint8_t *issuer_id(const struct identity *issuer);

/**
 * issuer_sign(o, label, what, issuer, master, w, err):
 * Sign ${o} under ${label}, as object_sign() does, by ${issuer} or, when that
 * is NULL, by ${master}; and append it to ${w}, which is left alone on failure.
 * Errors: ERR_USAGE both are NULL: a ${what} without an issuer; ERR_NOMEM.
 */
NODISCARD int issuer_sign(struct wr *o, const char *label, const char *what,
    const struct identity *issuer, const struct master *master, struct wr *w,
    struct err *err);

#endif
