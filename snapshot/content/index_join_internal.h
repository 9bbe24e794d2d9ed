#ifndef SNAPSHOT_CONTENT_INDEX_JOIN_INTERNAL_H
#define SNAPSHOT_CONTENT_INDEX_JOIN_INTERNAL_H

/* Private to the joining of indexes: what its two files share. */
#include "snapshot/content/index_internal.h"
#include "snapshot/content/index_write.h"

/* In place of a pack's number: */
#define INDEX_JOIN_DOUBLE UINT32_MAX /* an earlier index lists that pack */
#define INDEX_JOIN_LEFT_OUT (UINT32_MAX - 1) /* a pack that is not taken */

/* An index on its way into another. */
struct join_part {
	const struct index_part *want;
	struct index *ix;
	uint32_t *numbers; /* of each of its packs in the new one */
	uint8_t *page;     /* of entries, at hand */
	size_t next_page, at, n;
};

struct index_join {
	struct join_part *parts;
	size_t n;
	struct index_pack *packs; /* the new one's */
	size_t npacks;
	struct index_writer w;
};

/**
 * index_join_packs(j, err):
 * Make the new index's list of packs, and set the numbers of each part's. Errors:
 * ERR_CORRUPT two say different things of a pack; ERR_USAGE too much for one
 * index; ERR_NOMEM.
 */
NODISCARD int index_join_packs(struct index_join *j, struct err *err);

#endif
