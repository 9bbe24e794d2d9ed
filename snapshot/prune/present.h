#ifndef SNAPSHOT_PRUNE_PRESENT_H
#define SNAPSHOT_PRUNE_PRESENT_H

/*
 * Private to this folder: the objects of one class that are in the store, by
 * name.
 */
#include "snapshot/store/store.h"

struct present_object {
	uint8_t name[OBJECT_NAME_LEN];
	uint64_t size;
};

struct present {
	struct present_object *v;
	size_t n, cap;
};

/** present_list(p, store, cls, dataset, err): Fill ${p}, which is empty. */
NODISCARD int present_list(struct present *p, struct store *store,
    enum object_class cls, const uint8_t dataset[STORE_DATASET_LEN],
    struct err *err);
/** present_add(p, name, size, err): Out of order; then present_sort(). */
NODISCARD int present_add(struct present *p,
    const uint8_t name[OBJECT_NAME_LEN], uint64_t size, struct err *err);
void present_sort(struct present *p);
/** present_find(p, name): NULL when it isn't there. */
const struct present_object *present_find(
    const struct present *p, const uint8_t name[OBJECT_NAME_LEN]);
void present_clear(struct present *p);
#define PRESENT_AUTO __attribute__((cleanup(present_clear)))

#endif
