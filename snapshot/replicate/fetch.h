#ifndef SNAPSHOT_REPLICATE_FETCH_H
#define SNAPSHOT_REPLICATE_FETCH_H

/*
 * Single objects, for whoever has a damaged one (PROTOCOL.md section 8): sites
 * at which the store's objects may lie, and admins, may have any object.
 * Thread: the one that receives from the channel.
 */
#include "snapshot/replicate/party.h"
#include "snapshot/store/store_batch.h"

/**
 * fetch_serve(p, m, err):
 * Answer whom ${m} met until it says goodbye, or may not fetch any more: that is
 * looked at before its first request, and anew each minute.
 * Errors: ERR_DENIED it may not; those of channel_receive().
 */
NODISCARD int fetch_serve(
    struct party *p, const struct meeting *m, struct err *err);

/* How far the other side has come. */
struct fetch {
	struct channel *channel; /* borrowed */
	struct frame_log *heads; /* a dataset each; fetch_end() */
	size_t nheads;
};

/** fetch_begin(f, c, err): Ask for it; fetch_end() also on failure. */
NODISCARD int fetch_begin(struct fetch *f, struct channel *c, struct err *err);
void fetch_end(struct fetch *f);

/**
 * fetch_object(c, ref, b, err):
 * Add an object to a batch. Errors: ERR_NOT_FOUND the other side doesn't have
 * it; ERR_CORRUPT it is damaged there, too, or the protocol was not kept
 * (then ${c} is of no use any more); those of channel_receive().
 */
NODISCARD int fetch_object(struct channel *c, const struct object_ref *ref,
    struct store_batch *b, struct err *err);

/**
 * fetch_bytes(c, ref, max, buf, len, err):
 * The same into memory: *${buf} is the caller's (free).
 */
NODISCARD int fetch_bytes(struct channel *c, const struct object_ref *ref,
    uint64_t max, uint8_t **buf, size_t *len, struct err *err);

/**
 * fetch_key_names(c, visit, arg, err):
 * The names of its key objects. ${visit} may not fetch.
 */
NODISCARD int fetch_key_names(
    struct channel *c, store_visit_fn *visit, void *arg, struct err *err);

#endif
