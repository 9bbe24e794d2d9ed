#ifndef SNAPSHOT_CONTENT_VERIFY_H
#define SNAPSHOT_CONTENT_VERIFY_H

/*
 * Private to this folder: whether bytes are the chunk that they are named.
 *
 * A writer's key makes indexes and packs. What keeps it from putting other
 * bytes under a name that an earlier snapshot relies on is that every reader
 * computes the name again, once for each chunk that it opens.
 * Thread: safe; every thread under way has a namer of its own.
 */
#include "crypto/namer.h"

struct verifier;

/** verifier_new(key, out, err): ${key} outlives it. */
NODISCARD int verifier_new(
    const struct id_key *key, struct verifier **out, struct err *err);
void verifier_free(struct verifier *v);
DEFINE_AUTO(verifier, verifier_free)

/**
 * verifier_check(v, name, kind, buf, len, err):
 * ERR_CORRUPT: these bytes have another name. Cost: about 1.6 GB/s.
 */
NODISCARD int verifier_check(struct verifier *v, const struct chunk_name *name,
    enum chunk_kind kind, const uint8_t *buf, size_t len, struct err *err);

#endif
