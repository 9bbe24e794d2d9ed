#ifndef FS_FS_H
#define FS_FS_H

/*
 * What the parts of the mount share. From the kernel down:
 *
 *	mount.c			the session, the handshake
 *	loop.c			the threads that serve requests
 *	lookup.c readdir.c	one file a family of operations; each replies
 *	read.c xattr.c		exactly once
 *	readonly.c
 *	names.c			the upper tree: datasets, days, snapshots,
 *				'latest', @TIME
 *	folder.c		of which: the tree that datasets' names make
 *	days.c dated.c		snapshots by day and dated name
 *	watch.c			when logs are loaded, and read again
 *	node.c node_table.c	the nodes that the kernel knows
 *	inode.c			their attributes and inode numbers
 *	range.c			a range of a file's bytes in memory
 *	stream.c ahead.c	reading ahead: in a file, and from file to file
 *	push.c			gives the kernel what it will ask for
 *	listing.c		a directory's listing, as the kernel wants it
 *	cursors.c		where long listings go on
 *	tours.c			the next directory, listed beforehand
 *	trim.c			makes the kernel forget what there's no room for
 *	report.c		errors: to errno, and to a line for a person
 *	mountpoint.c machine.c	what a mount needs of its surroundings
 */
#define FUSE_USE_VERSION 312
#include "fs/ahead.h"
#include "fs/inode.h"
#include "fs/mount.h"
#include "fs/report.h"
#include "fs/stream.h"
#include "fs/tours.h"
#include "fs/trim.h"
#include "fs/watch.h"

#include <fuse_lowlevel.h>

/* Below a snapshot nothing ever changes. */
#define FS_FOREVER 1e9
/* In the upper tree snapshots come and go. */
#define FS_MOMENT 1.0

struct cursors;
struct loop;
struct push;
struct trim;

struct fs {
	struct access *access;
	struct heads *heads;
	struct segcache *cache;
	struct nodes *nodes;
	struct watch *watch;
	struct report *report;
	struct streams *streams;
	struct ahead *ahead;
	struct push *push;
	struct cursors *cursors;
	struct tours *tours;
	struct trim *trim;

	char *mountpoint;
	struct fuse_session *session;
	struct loop *loop;
	bool mounted;
	bool handles_signals;
	bool greeted; /* the kernel's INIT was answered */

	/* Set by the handshake. */
	bool no_open; /* the kernel need not tell us of opens */
	bool no_opendir;
	bool can_prune;    /* the kernel forgets nodes on request */
	unsigned max_read; /* what libfuse was told, or 0 */

	bool allow_other;
	bool sharing;
	uid_t uid; /* who mounted */
	gid_t gid;
	struct moment since; /* when */
};

#endif
