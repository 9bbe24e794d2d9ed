#ifndef FS_LOOKUP_H
#define FS_LOOKUP_H

/*
 * Looking names up, and attributes: lookup, forget, getattr, access,
 * readlink, statfs.
 */
#include "fs/names.h"
#include "snapshot/tree/dir.h"

/** lookup_ops(ops): Fill in its operations. */
void lookup_ops(struct fuse_lowlevel_ops *ops);

/*
 * For the other operations. Each returns 0 or an errno, having reported it.
 */

/** lookup_entry(fs, n, e): The node's entry, decoded; NODE_DIR, NODE_FILE. */
NODISCARD int lookup_entry(
    struct fs *fs, const struct node *n, struct entry *e);

/** lookup_key(fs, in, de, key): How the node of an entry of ${in} is found. */
void lookup_key(
    const struct node *in, const struct dir_entry *de, struct node_key *key);

/** lookup_stat(fs, n, st): Attributes of any node. */
NODISCARD int lookup_stat(struct fs *fs, struct node *n, struct stat *st);

/**
 * lookup_intern(fs, key, param):
 * The node of ${key}, looked up once more, as the kernel is told of it.
 */
NODISCARD int lookup_intern(
    struct fs *fs, const struct node_key *key, struct fuse_entry_param *param);

/** lookup_node(fs, ino): A reference (nodes_put); NULL: no such node. */
struct node *lookup_node(struct fs *fs, fuse_ino_t ino);

#endif
