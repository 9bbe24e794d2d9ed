#ifndef FS_AHEAD_H
#define FS_AHEAD_H

/*
 * Reading ahead over many small files. Whoever walks a tree (tar, grep -r, cp
 * -r, rsync) reads files in the order in which they were listed, and in that
 * order nodes got their ids and backups stored the files. So when files are
 * read in the order of their ids, those that come next are given to the
 * kernel before it asks (push.h), and the segments behind them are opened.
 *
 * What lies in the kernel's page cache is read without a word to us. So that
 * we still learn how far a reader has come, one file of every window is left
 * out: reading that trips the next window.
 *
 *	at        trip                to
 *	| pushed  | pushed            | not yet |
 *	'---------- left: two windows ----------'
 *
 * Thread: safe.
 */
#include "fs/node.h"

/* Longer files are read ahead each on its own (stream.h). */
#define AHEAD_FILE_MAX (256 * 1024)

struct ahead;

NODISCARD int ahead_new(
    struct nodes *nodes, struct ahead **out, struct err *err);
void ahead_free(struct ahead *a);
DEFINE_AUTO(ahead, ahead_free)

/** ahead_of(a, n): The beginning of file ${n} is being read. */
void ahead_of(struct ahead *a, const struct node *n);

/**
 * ahead_listed(a, id):
 * The kernel was told of nodes up to ${id}. It takes nothing for others, though
 * there may be some already.
 */
void ahead_listed(struct ahead *a, uint64_t id);

/**
 * ahead_around(a, n, off):
 * Somebody reads here and there in ${n}, a long file, now at ${off}: what was
 * opened along with these bytes is to be given as well. May do nothing.
 */
void ahead_around(struct ahead *a, const struct node *n, uint64_t off);

/* What is to be given to the kernel. */
struct ahead_item {
	struct node *n; /* a reference */
	bool around;    /* not all of a short file, but what lies around: */
	uint64_t off;
};

/** ahead_next(a, out): The next item; false: none for now. */
bool ahead_next(struct ahead *a, struct ahead_item *out);

/**
 * ahead_wait(a):
 * Wait until there may be one; false: ahead_stop() was called.
 */
bool ahead_wait(struct ahead *a);
void ahead_stop(struct ahead *a);

#endif
