#ifndef SNAPSHOT_CONTENT_NAME_SET_H
#define SNAPSHOT_CONTENT_NAME_SET_H

/*
 * A set of names: of chunks, or of objects. They may be of somebody's choice, as
 * those are that an index lists: where one belongs in the set is a hash under a
 * random key. Thread: the caller locks. Cost: about 50 bytes a name.
 */
#include "snapshot/content/mix.h"
#include "snapshot/store/store.h"

/* Zeroed, it is empty. */
struct name_set {
	struct mix mix;
	struct chunk_name *slots; /* all zero: free */
	size_t cap;               /* a power of two, or 0 */
	size_t n;
};

/**
 * name_set_add(): 1 when it was new, 0 when it was there; ERR_NOMEM; ERR_IO no
 * random bytes can be had.
 */
NODISCARD int name_set_add(
    struct name_set *set, const struct chunk_name *name, struct err *err);
bool name_set_has(const struct name_set *set, const struct chunk_name *name);
void name_set_remove(struct name_set *set, const struct chunk_name *name);
void name_set_clear(struct name_set *set);

/** name_set_add_object() and so on: The same by an object's name. */
NODISCARD int name_set_add_object(
    struct name_set *set, const uint8_t name[OBJECT_NAME_LEN], struct err *err);
bool name_set_has_object(
    const struct name_set *set, const uint8_t name[OBJECT_NAME_LEN]);
void name_set_remove_object(
    struct name_set *set, const uint8_t name[OBJECT_NAME_LEN]);

#endif
