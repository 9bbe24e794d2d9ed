#ifndef SNAPSHOT_TREE_REFS_H
#define SNAPSHOT_TREE_REFS_H

/*
 * What a stored thing leads to: the chunks that an entry, a content or a list's
 * node names. For those who go through all that snapshots need.
 */
#include "snapshot/content/list.h"
#include "snapshot/tree/entry.h"

enum ref_kind {
	REF_DATA, /* a chunk of a file's bytes, or an attribute's value */
	REF_LIST, /* a node of a chunk list */
	REF_PAGE, /* the root page of a directory */
};

struct ref {
	enum ref_kind kind;
	struct chunk_name name;
	uint8_t level;  /* of a node or page */
	uint64_t len;   /* bytes of the file; of a page: entries */
	uint64_t holes; /* of a node: how many of these lie in holes */
};

/* A return other than 0 ends it. */
typedef int ref_fn(void *arg, const struct ref *ref, struct err *err);

/** entry_refs(e, visit, arg, err): Errors: also ERR_CORRUPT its content. */
NODISCARD int entry_refs(
    const struct entry *e, ref_fn *visit, void *arg, struct err *err);

/** content_refs(c, size, visit, arg, err): ${size}: of the file. */
NODISCARD int content_refs(const struct content *c, uint64_t size,
    ref_fn *visit, void *arg, struct err *err);

/** list_refs(node, visit, arg, err): Its chunks or its child nodes. */
NODISCARD int list_refs(
    const struct list_node *node, ref_fn *visit, void *arg, struct err *err);

/**
 * ref_list(chunks, ref, out, err):
 * Read the node ${ref}: it has to be of the level and length, and to have the
 * holes, that ${ref} says.
 * ${out} is zero or was used before; list_clear(), also after a failure.
 * Errors: those of content_chunk(); ERR_CORRUPT.
 */
NODISCARD int ref_list(struct chunks *chunks, const struct ref *ref,
    struct list_node *out, struct err *err);

#endif
