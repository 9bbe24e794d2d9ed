#ifndef SNAPSHOT_CONTENT_LIST_H
#define SNAPSHOT_CONTENT_LIST_H

/*
 * Elements and list nodes as bytes (FORMAT.md section 4). For the files of this
 * folder, for check/, which has to look at every node once, and for what tests
 * the decoders.
 */
#include "snapshot/content/content.h"

#define LIST_ITEMS_MAX 4096 /* what a reader accepts in a node */

/* An element of a node of level 0, or a child of a higher one. */
struct list_item {
	uint64_t end; /* where it ends, from the node's start */
	bool hole;
	uint64_t holes;         /* bytes of it in holes */
	struct chunk_name name; /* unless hole */
};

/* A node in memory. Zero it before its first use; it can be used again. */
struct list_node {
	uint8_t level;
	uint64_t holes; /* of all its items */
	size_t n;
	size_t cap;
	struct list_item *items; /* owned; list_clear() */
};

void list_put_element(const struct element *el, struct wr *w);
/** list_get_element(r, el): false when malformed (r->failed then). */
bool list_get_element(struct rd *r, struct element *el);

/** list_put_child(bytes, holes, name, w): An item of a node above level 0. */
void list_put_child(uint64_t bytes, uint64_t holes,
    const struct chunk_name *name, struct wr *w);

/** list_put_head(level, n, w): What precedes a node's ${n} items. */
void list_put_head(uint8_t level, size_t n, struct wr *w);

/**
 * list_decode(buf, len, out, err):
 * A node. Allocates at most LIST_ITEMS_MAX items. Errors: ERR_CORRUPT (the node
 * is then empty); ERR_NOMEM.
 */
NODISCARD int list_decode(
    const uint8_t *buf, size_t len, struct list_node *out, struct err *err);
void list_clear(struct list_node *node);

/** list_start(node, i): Where item ${i} starts, from the node's start. */
uint64_t list_start(const struct list_node *node, size_t i);

/** list_find(node, off): The item that covers ${off}, which is in the node. */
size_t list_find(const struct list_node *node, uint64_t off);

/** list_reserve(node, n, err): Make room for ${n} items. */
NODISCARD int list_reserve(struct list_node *node, size_t n, struct err *err);

#endif
