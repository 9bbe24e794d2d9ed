#ifndef FS_READ_H
#define FS_READ_H

/* Files' bytes: open, read, lseek. */
#include "fs/fs.h"

/** read_ops(ops): Fill in its operations. */
void read_ops(struct fuse_lowlevel_ops *ops);

#endif
