#ifndef TESTS_UNIT_TREE_MODEL_H
#define TESTS_UNIT_TREE_MODEL_H

/*
 * A small tree in memory, to be stored as a snapshot's and changed, so that a
 * test can say by itself what two trees differ in.
 */
#include "tests/unit/tree_fixture.h"

#define MODEL_NAME 24
#define MODEL_DATA 80

struct node {
	char name[MODEL_NAME];
	enum entry_type type;
	uint32_t mode;
	uint32_t uid;
	int64_t mtime;
	uint64_t ino;
	uint64_t nlink;
	char data[MODEL_DATA];  /* a file's bytes, or a symlink's target */
	size_t cut;             /* where the bytes are cut in two; 0: nowhere */
	char xattr[MODEL_DATA]; /* value of 'user.x'; "": none */
	bool xattr_in_chunk;
	struct node **child; /* sorted by name */
	size_t n;
};

struct node *node_new(enum entry_type type, const char *name);
void node_free(struct node *n);

/** node_add(dir, n): ${dir} takes ${n}; its name is a new one. */
void node_add(struct node *dir, struct node *n);
/** node_file(dir, name, data): Add a file and return it. */
struct node *node_file(struct node *dir, const char *name, const char *data);
struct node *node_dir(struct node *dir, const char *name);
/** node_at(root, path): The node, or NULL. */
struct node *node_at(struct node *root, const char *path);
/** node_take(dir, i): Take the i-th child out. */
struct node *node_take(struct node *dir, size_t i);
/** node_remove(root, path): With all below it. */
void node_remove(struct node *root, const char *path);

/** node_store(n, c, raw): Store all below it and append its entry to ${raw}. */
void node_store(const struct node *n, struct chunks *c, struct wr *raw);

#endif
