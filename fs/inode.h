#ifndef FS_INODE_H
#define FS_INODE_H

/*
 * Inode numbers and attributes.
 *
 * st_ino, by its two highest bits:
 *
 *	0x	dataset's ordinal + 1 (15 bits), the entry's inode number (48):
 *		dense, in storage order, the same in all snapshots
 *	00	with 0 in the dataset's place: the upper tree
 *	10	without sharing: ordinal (12), snapshot (18), inode number (32)
 *	11	from a counter, for what does not fit, or lies
 */
#include "fs/node.h"

#include <sys/stat.h>

/**
 * inode_scope(ordinal, seq):
 * Within which inode numbers mean the same: a dataset, or (${seq} not 0) one
 * of its snapshots.
 */
uint64_t inode_scope(uint32_t ordinal, uint64_t seq);

/** inode_number(scope, ino): An entry's st_ino, or 0 when none fits. */
uint64_t inode_number(uint64_t scope, uint64_t ino);

/* The upper tree's. */
uint64_t inode_folder(uint32_t number);
uint64_t inode_day(uint32_t ordinal, int64_t day);

/**
 * inode_stat(n, e, st):
 * Attributes of an entry, ${e} decoded from the node's bytes. They are true for
 * every snapshot that the node stands for. Nothing is read for them.
 */
void inode_stat(const struct node *n, const struct entry *e, struct stat *st);

#endif
