#ifndef SNAPSHOT_STORE_STORE_BATCH_H
#define SNAPSHOT_STORE_STORE_BATCH_H

/*
 * Many objects made durable together: what a sync costs is paid once for all.
 * Objects are written one after the other, each under the name that it has to
 * have; until the commit none of them is visible.
 *
 * Thread: a batch belongs to one thread at a time; it may be filled by one and
 * committed by another.
 */
#include "snapshot/store/store.h"

struct store_batch;

NODISCARD int store_batch_new(
    struct store *s, struct store_batch **out, struct err *err);

/** store_batch_free(b): What was not committed leaves nothing behind. */
void store_batch_free(struct store_batch *b);
DEFINE_AUTO(store_batch, store_batch_free)

/**
 * store_batch_begin(b, ref, err):
 * The next object, which is to be ${ref} (not OBJECT_ROOT). One that was begun
 * and not ended is given up. Each takes an open file until the commit.
 * Errors: ERR_FULL; ERR_DENIED the store is read-only; ERR_IO.
 */
NODISCARD int store_batch_begin(
    struct store_batch *b, const struct object_ref *ref, struct err *err);
NODISCARD int store_batch_write(
    struct store_batch *b, const void *buf, size_t len, struct err *err);
/**
 * store_batch_end(b, err):
 * Errors: ERR_CORRUPT the SHA-256 of what was written is not the object's name:
 * it is given up, and the batch goes on without it.
 */
NODISCARD int store_batch_end(struct store_batch *b, struct err *err);
/** store_batch_drop(b): Give up what was begun; nothing when nothing was. */
void store_batch_drop(struct store_batch *b);

/**
 * store_batch_split(b, out, err):
 * Move the whole objects to a new batch; what was begun goes on in ${b}.
 */
NODISCARD int store_batch_split(
    struct store_batch *b, struct store_batch **out, struct err *err);

/**
 * store_batch_rely(b): The next commit also makes durable what others have put
 * into the store before it.
 */
void store_batch_rely(struct store_batch *b);

/** store_batch_count(b), store_batch_bytes(b): Of the objects that are whole. */
size_t store_batch_count(const struct store_batch *b);
uint64_t store_batch_bytes(const struct store_batch *b);

/**
 * store_batch_commit(b, err):
 * Make all whole objects durable, then visible, in the order in which they came;
 * names that are there already are left as they are. A crash may leave any of them
 * and not the others: what needs others goes into a later batch. The batch is
 * empty then, also when it fails.
 * Errors: as store_put().
 * Cost: few objects are synced one by one, many by one sync of the filesystem.
 */
NODISCARD int store_batch_commit(struct store_batch *b, struct err *err);

#endif
