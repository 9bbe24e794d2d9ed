#ifndef TESTS_UNIT_MEMSTORE_H
#define TESTS_UNIT_MEMSTORE_H

/*
 * A store in memory that takes the place of the real ones at link time, so that
 * tests can damage, swap and remove objects, and count and delay reads.
 * Thread: safe, but for what a test does to the bytes of an object.
 */
#include "snapshot/store/store.h"

struct store *memstore_new(void);

/** memstore_bytes(s, ref, len): An object's bytes, to be tampered with. */
uint8_t *memstore_bytes(
    struct store *s, const struct object_ref *ref, size_t *len);

/** memstore_set(s, ref, buf, len): Put bytes under any name, right or wrong. */
void memstore_set(
    struct store *s, const struct object_ref *ref, const void *buf, size_t len);

/** memstore_reads(s): Calls of store_read_at() and store_get() so far. */
unsigned memstore_reads(struct store *s);

/** memstore_will_reads(s): Calls of store_will_read() so far. */
unsigned memstore_will_reads(struct store *s);

/** memstore_delay(s, ms): Let every read take that long. */
void memstore_delay(struct store *s, unsigned ms);

/** memstore_fail(s, code): Let every read and write fail; 0: no more. */
void memstore_fail(struct store *s, int code);

#endif
