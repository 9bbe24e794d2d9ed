#ifndef FS_XATTR_H
#define FS_XATTR_H

/*
 * Extended attributes and ACLs, as they were backed up. A snapshot's directory
 * has four more, which are not listed, so that nobody copies them:
 *
 *	user.varve.id	the snapshot's id, in hexadecimal
 *	user.varve.time	2026-11-21T14:20:00Z
 *	user.varve.kind	full, differential
 *	user.varve.host	the machine it was made on
 */
#include "fs/fs.h"

/** xattr_ops(ops): Fill in its operations. */
void xattr_ops(struct fuse_lowlevel_ops *ops);

#endif
