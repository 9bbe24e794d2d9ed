#ifndef FS_NODE_TABLE_H
#define FS_NODE_TABLE_H

/*
 * Three hash tables over the same nodes, for node.c alone:
 *
 *	BY_ID	id			every node
 *	BY_PATH	parent, name		directories and the upper tree
 *	BY_INO	scope, inode number	entries: files and directories
 *
 * Finding gives the first node of a chain, in which others may stand before the
 * one that is looked for. Thread: the caller locks.
 */
#include "fs/node.h"

enum node_by { BY_ID, BY_PATH, BY_INO, NODE_TABLES };

struct node_table {
	uint64_t seed; /* so that nobody can aim names at one slot */
	size_t bytes;  /* of all nodes */
	struct {
		struct node **slots;
		size_t mask;
		size_t n;
	} by[NODE_TABLES];
};

NODISCARD int node_table_init(struct node_table *t, struct err *err);
/** node_table_clear(): Frees the nodes, too. */
void node_table_clear(struct node_table *t);

/** node_table_insert(t, n): In all tables that it belongs to. */
void node_table_insert(struct node_table *t, struct node *n);
void node_table_remove(struct node_table *t, struct node *n);

/* Chains: go on with id_next, path_next, ino_next. */
struct node *node_table_id(const struct node_table *t, uint64_t id);
struct node *node_table_path(
    const struct node_table *t, const struct node *parent, struct span name);
struct node *node_table_ino(
    const struct node_table *t, uint64_t scope, uint64_t ino);

/** node_table_is_entry(kind): Whether it is in BY_INO. */
bool node_table_is_entry(enum node_kind kind);

#endif
