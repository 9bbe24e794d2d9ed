#ifndef SNAPSHOT_REPLICATE_FETCH_H
#define SNAPSHOT_REPLICATE_FETCH_H

/*
 * Single objects, for whoever has a damaged one (PROTOCOL.md section 8): sites
 * at which the store's objects may lie, and admins, may have any object.
 */
#include "snapshot/replicate/party.h"
#include "snapshot/store/store_batch.h"

/**
 * fetch_serve(p, c, err):
 * Answer until the other side says goodbye. Errors: as channel_receive().
 */
NODISCARD int fetch_serve(struct party *p, struct channel *c, struct err *err);

/* What the other side has. */
struct fetch {
	struct channel *channel;
	struct frame_log *heads;
	size_t nheads;
};

/** fetch_begin(f, c, err): Learn what there is; fetch_end() also on failure. */
NODISCARD int fetch_begin(struct fetch *f, struct channel *c, struct err *err);
void fetch_end(struct fetch *f);

/**
 * fetch_object(f, ref, b, err):
 * Add an object to a batch. Errors: ERR_NOT_FOUND the other side doesn't have
 * it; ERR_CORRUPT it is damaged there, too, or the protocol was not kept
 * (${f}->channel is of no use then); those of channel_receive().
 */
NODISCARD int fetch_object(struct fetch *f, const struct object_ref *ref,
    struct store_batch *b, struct err *err);

/** fetch_key_names(f, visit, arg, err): The names of its key objects. */
NODISCARD int fetch_key_names(
    struct fetch *f, store_visit_fn *visit, void *arg, struct err *err);

#endif
