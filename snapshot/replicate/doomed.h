#ifndef SNAPSHOT_REPLICATE_DOOMED_H
#define SNAPSHOT_REPLICATE_DOOMED_H

/* Private to this folder: the objects that a log's prune records condemn. */
#include "snapshot/store/store.h"

/*
 * Its clock runs from the first record of the row of prune records that list it
 * without a gap; a snapshot that lists a pack anew, in an index of its own,
 * ends the row.
 */
struct doomed {
	enum object_class cls;
	uint8_t name[OBJECT_NAME_LEN];
	uint64_t since;  /* seq of the first record of the row */
	uint64_t newest; /* seq of the newest snapshot before that; 0: none */
	size_t
	    listed; /* number of the last prune record that lists it; 0: none */
	bool gone;  /* as that one says */
	bool needed; /* by the newest prune record's set, or one after it */
};

struct doomed_set {
	void *tree; /* of those that all has */
	struct doomed **all;
	size_t n, cap;
};

/** doomed_find(s, cls, name): NULL when it is not in the set. */
struct doomed *doomed_find(const struct doomed_set *s, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN]);

/** doomed_add(s, cls, name, out, err): One that is not in the set yet. */
NODISCARD int doomed_add(struct doomed_set *s, enum object_class cls,
    const uint8_t name[OBJECT_NAME_LEN], struct doomed **out, struct err *err);

void doomed_clear(struct doomed_set *s);

#endif
