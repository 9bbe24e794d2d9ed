#ifndef SNAPSHOT_CONTENT_PACK_CACHE_H
#define SNAPSHOT_CONTENT_PACK_CACHE_H

/*
 * Private to this folder: the recently opened packs of one dataset. What it
 * keeps of a pack is small: its header and an AES context or two.
 * Thread: safe.
 */
#include "snapshot/content/pack_internal.h"

struct pack_cache;

/** pack_cache_new(store, kr, decoder, dataset, out, err): All outlive it. */
NODISCARD int pack_cache_new(struct store *store, const struct keyring *kr,
    struct segment_decoder *decoder, const uint8_t dataset[DATASET_ID_LEN],
    struct pack_cache **out, struct err *err);
void pack_cache_free(struct pack_cache *c);
DEFINE_AUTO(pack_cache, pack_cache_free)

/** pack_cache_get(c, name, out, err): A reference; the errors of pack_open(). */
NODISCARD int pack_cache_get(struct pack_cache *c,
    const uint8_t name[OBJECT_NAME_LEN], struct pack **out, struct err *err);

/** pack_cache_forget(c, name): The pack has gone. */
void pack_cache_forget(
    struct pack_cache *c, const uint8_t name[OBJECT_NAME_LEN]);

#endif
