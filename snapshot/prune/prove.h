#ifndef SNAPSHOT_PRUNE_PROVE_H
#define SNAPSHOT_PRUNE_PROVE_H

/*
 * Private to this folder: whether a chunk lies where an index says. An index is
 * the word of whoever may write; the chunk's name is not.
 * Thread: belongs to one thread.
 */
#include "snapshot/content/index.h"

struct prove;

/** prove_new(store, kr, out, err): ${store} and ${kr} outlive it. */
NODISCARD int prove_new(struct store *store, const struct keyring *kr,
    struct prove **out, struct err *err);
void prove_free(struct prove *p);
DEFINE_AUTO(prove, prove_free)

/**
 * prove_place(p, ix, name, err):
 * 1 when the place that ${ix} has for the chunk opens and holds bytes of that
 * name, 0 when not. Errors: what is neither's fault. Cost: opens a segment, but
 * for the one that it opened last.
 */
NODISCARD int prove_place(struct prove *p, struct index *ix,
    const struct chunk_name *name, struct err *err);

#endif
