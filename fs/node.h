#ifndef FS_NODE_H
#define FS_NODE_H

/*
 * The nodes that the kernel knows: every directory by its path, and everything
 * else by what it is, so that a file that is the same in a thousand snapshots is
 * one node. Node ids come from a counter and are never used again.
 *
 * A node lives while the kernel has looked it up more often than it forgot it,
 * while somebody holds a reference, and while a node that names it as its
 * parent lives. All but the counts never changes.
 * Thread: safe.
 */
#include "snapshot/tree/entry.h"

#define NODE_ROOT_ID 1

enum node_kind {
	NODE_FOLDER,  /* of datasets; the root is one */
	NODE_DATASET, /* has days */
	NODE_DAY,     /* has snapshots */
	NODE_LINK,    /* 'latest' */
	NODE_DIR,     /* a snapshot's root, or a directory below it */
	NODE_FILE,    /* anything else in a snapshot */
};

struct node;
struct folder;
struct fs_dataset;
struct snapshot;

/* What a node is: how it is found, and what it keeps. */
struct node_key {
	enum node_kind kind;
	struct node *parent; /* NULL: the root */
	struct span name;
	struct span raw; /* the entry as encoded; NODE_LINK: the target */

	/* Entries: their inode number counts within the scope (inode.h). */
	uint64_t scope;
	uint64_t ino;

	/* The st_ino to show; 0: take a private one. */
	uint64_t st_ino;

	struct folder *folder;    /* NODE_FOLDER, NODE_DATASET */
	struct fs_dataset *ds;    /* all but NODE_FOLDER */
	int64_t day;              /* NODE_DAY */
	const struct snapshot *s; /* NODE_DIR: of a snapshot's root */
};

/* There are as many as the kernel remembers inodes: every byte counts. */
struct node {
	uint64_t id;
	uint64_t st_ino;
	uint64_t scope;
	uint64_t ino;
	struct node *parent; /* a reference */
	struct fs_dataset *ds;
	union {
		struct folder *folder;
		int64_t day;
		const struct snapshot *s;
	};

	/* These belong to the table and are guarded by its mutex. */
	uint64_t nlookup;
	struct node *id_next;
	struct node *path_next;
	struct node *ino_next, **ino_at;
	uint32_t refs;

	uint32_t raw_len;
	uint16_t name_len;
	uint8_t kind;    /* enum node_kind */
	uint8_t bytes[]; /* name, raw */
};

struct span node_name(const struct node *n);
struct span node_raw(const struct node *n);

struct nodes;

/** nodes_new(root, out, err): ${root} describes the root. */
NODISCARD int nodes_new(
    const struct node_key *root, struct nodes **out, struct err *err);
/** nodes_free(): All nodes with it, whatever their counts. */
void nodes_free(struct nodes *t);
DEFINE_AUTO(nodes, nodes_free)

/**
 * nodes_intern(t, key, out, err):
 * The node that ${key} describes, made if need be and counted as looked up
 * once more. It stays until nodes_forget() takes that back.
 *
 * Entries get ${key}->st_ino as long as no node with other bytes shows it; so
 * a writer who gives one inode number to two files can't make them look equal.
 * Errors: ERR_NOMEM.
 */
NODISCARD int nodes_intern(struct nodes *t, const struct node_key *key,
    struct node **out, struct err *err);

/** nodes_get(t, id): A reference, or NULL when there is no such node. */
struct node *nodes_get(struct nodes *t, uint64_t id);
void nodes_put(struct nodes *t, struct node *n);

/** nodes_forget(t, id, count): The kernel forgets ${count} look-ups. */
void nodes_forget(struct nodes *t, uint64_t id, uint64_t count);

/** nodes_last_id(t): The id that was given last. */
uint64_t nodes_last_id(struct nodes *t);

size_t nodes_count(struct nodes *t);
/** nodes_bytes(t): Memory that all nodes take, about. */
size_t nodes_bytes(struct nodes *t);

/**
 * nodes_idle(t, ids, max):
 * Up to ${max} ids of nodes that no other node hangs below and nobody uses
 * right now. The next call goes on with others, round and round. Returns how
 * many. Cost: a walk over the nodes that are passed over.
 */
size_t nodes_idle(struct nodes *t, uint64_t *ids, size_t max);

/**
 * node_path(n, w): Append its path from the mount's root, bytes that a terminal
 * or a line of text would mind written as \ooo.
 */
void node_path(const struct node *n, struct wr *w);

#endif
