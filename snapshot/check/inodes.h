#ifndef SNAPSHOT_CHECK_INODES_H
#define SNAPSHOT_CHECK_INODES_H

/*
 * Private to this folder: the inode numbers of files with several links, and a
 * hash of what each one is. Thread: belongs to one thread. Memory: 32 bytes
 * each.
 */
#include "snapshot/content/mix.h"
#include "snapshot/tree/entry.h"

struct inode_slot {
	uint64_t ino; /* 0: free */
	uint64_t hash;
};

struct inodes {
	const struct mix *mix;
	struct inode_slot *slots;
	size_t n, cap; /* a power of two, or 0 */
};

/** inodes_init(in, mix): ${mix} outlives it. */
void inodes_init(struct inodes *in, const struct mix *mix);
void inodes_clear(struct inodes *in);

/**
 * inodes_same(in, ino, raw, err):
 * 1 when ${ino} (not 0) is new or was this encoded entry before; 0 when it was
 * another one; or an error.
 */
NODISCARD int inodes_same(
    struct inodes *in, uint64_t ino, struct span raw, struct err *err);

#endif
