#ifndef SNAPSHOT_CONTENT_PACK_INTERNAL_H
#define SNAPSHOT_CONTENT_PACK_INTERNAL_H

/* Private to this folder: what the readers of packs share. */
#include "snapshot/content/pack.h"

/** pack_openers_sharing(): pack_openers_new() with a decoder that others use. */
NODISCARD int pack_openers_sharing(const struct keyring *kr,
    struct segment_decoder *decoder, struct pack_openers **out,
    struct err *err);

/** pack_openers_decoder(o): Borrowed. */
struct segment_decoder *pack_openers_decoder(const struct pack_openers *o);

/**
 * pack_openers_find(o, epoch, out, err):
 * The opener of an epoch, borrowed. Errors: ERR_DENIED no private half.
 */
NODISCARD int pack_openers_find(struct pack_openers *o, uint32_t epoch,
    struct packopener **out, struct err *err);

#endif
