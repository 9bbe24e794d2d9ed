#ifndef FS_RANGE_H
#define FS_RANGE_H

/*
 * A range of a file's bytes in memory, in three steps:
 *
 *	plan	which runs of which chunks, and which holes, make the range
 *	fetch	the chunks, from the cache or by opening their segments; those
 *		behind the first are asked for before the first is waited for
 *	gather	straight from the segments' memory, as a vector for writev()
 *
 * Thread: a range belongs to one thread.
 */
#include "snapshot/content/content.h"

#include <sys/uio.h>

/* A run of bytes of the range. */
struct piece {
	struct element el;
	uint64_t skip; /* bytes of the element before it */
	size_t len;
	struct chunk chunk; /* once fetched; unless a hole */
};

/* Zeroed, it is empty. */
struct range {
	struct piece *v; /* NULL: few */
	struct piece few[8];
	size_t n;
	size_t cap;
};

/** range_clear(r): Let go of the chunks. */
void range_clear(struct range *r);
#define RANGE_AUTO __attribute__((cleanup(range_clear)))

/**
 * range_plan_list(r, c, off, len, err):
 * Plan ${len} bytes from ${off} of a content that is listed in place. Errors:
 * ERR_NOMEM.
 */
NODISCARD int range_plan_list(struct range *r, const struct content *c,
    uint64_t off, size_t len, struct err *err);

/**
 * range_plan_tree(r, cur, off, len, err):
 * The same with the cursor of any content. Errors: those of content_at().
 */
NODISCARD int range_plan_tree(struct range *r, struct content_cursor *cur,
    uint64_t off, size_t len, struct err *err);

/** range_fetch(r, chunks, err): Errors: those of chunks_get(). */
NODISCARD int range_fetch(
    struct range *r, struct chunks *chunks, struct err *err);

/* What writev() takes at once, with some room for headers. */
#define RANGE_IOV 1000

struct range_vector {
	struct iovec v[RANGE_IOV];
	int n;
};

/**
 * range_gather(r, vec):
 * The fetched bytes in place, for as long as the range holds them; false when
 * they are too scattered for one vector.
 */
bool range_gather(const struct range *r, struct range_vector *vec);

/** range_copy(r, dst): Copy the fetched bytes. */
void range_copy(const struct range *r, uint8_t *dst);

#endif
