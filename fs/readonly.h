#ifndef FS_READONLY_H
#define FS_READONLY_H

/*
 * All that would change something: EROFS. The mount is read-only, so the kernel
 * hardly ever asks; but root may remount it.
 */
#include "fs/fs.h"

/** readonly_ops(ops): Fill in its operations. */
void readonly_ops(struct fuse_lowlevel_ops *ops);

#endif
