#ifndef FS_NAMES_H
#define FS_NAMES_H

/*
 * The upper tree, above the snapshots:
 *
 *	folder/			of datasets; the root is one
 *	  dataset/
 *	    latest		-> 2026-11-21/14-20-00Z
 *	    2026-11-21/		a day
 *	      latest		-> 14-20-00Z
 *	      14-20-00Z/	a snapshot
 *	    @TIME/		not listed: a snapshot, as when_select() finds it
 *
 * Functions return 0 or an errno, after reporting what a person should know.
 * Thread: safe.
 */
#include "fs/fs.h"
#include "snapshot/log/when.h"

/* A name found, and all it takes to make its node. */
struct named {
	struct node_key key; /* its name is ${name}, or the caller's */
	uint64_t next;       /* where a listing goes on */
	char name[WHEN_DAY_TEXT + WHEN_TIME_TEXT];
	char target[WHEN_DAY_TEXT + WHEN_TIME_TEXT];
};

/** names_is_upper(n): Whether a node is a directory of the upper tree. */
bool names_is_upper(const struct node *n);

/** names_root(fs, key): The mount's root. */
void names_root(struct fs *fs, struct node_key *key);

/** names_lookup(fs, in, name, out): ENOENT when ${in} has no such name. */
NODISCARD int names_lookup(
    struct fs *fs, struct node *in, struct span name, struct named *out);

/**
 * names_next(fs, in, from, out, found):
 * The first name listed in ${in} from place ${from} on (0: the first one).
 * Places stay what they are while names come and go.
 */
NODISCARD int names_next(struct fs *fs, struct node *in, uint64_t from,
    struct named *out, bool *found);

/**
 * names_stat(fs, n, st):
 * Attributes of a directory or link of the upper tree. The mtime of a
 * directory changes whenever what it lists does, for the kernel keeps listings
 * as long as it does not.
 */
void names_stat(struct fs *fs, const struct node *n, struct stat *st);

#endif
