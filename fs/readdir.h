#ifndef FS_READDIR_H
#define FS_READDIR_H

/* Listing directories, with or without their entries' attributes. */
#include "fs/fs.h"

/** readdir_ops(ops): Fill in its operations. */
void readdir_ops(struct fuse_lowlevel_ops *ops);

#endif
