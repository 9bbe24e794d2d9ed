#include "fs/readonly.h"

#include <errno.h>

static void
op_setattr(fuse_req_t req, fuse_ino_t ino UNUSED, struct stat *attr UNUSED,
    int to_set UNUSED, struct fuse_file_info *fi UNUSED)
{
	fuse_reply_err(req, EROFS);
}

static void
op_mknod(fuse_req_t req, fuse_ino_t parent UNUSED, const char *name UNUSED,
    mode_t mode UNUSED, dev_t rdev UNUSED)
{
	fuse_reply_err(req, EROFS);
}

static void
op_mkdir(fuse_req_t req, fuse_ino_t parent UNUSED, const char *name UNUSED,
    mode_t mode UNUSED)
{
	fuse_reply_err(req, EROFS);
}

static void
op_remove(fuse_req_t req, fuse_ino_t parent UNUSED, const char *name UNUSED)
{
	fuse_reply_err(req, EROFS);
}

static void
op_symlink(fuse_req_t req, const char *target UNUSED, fuse_ino_t parent UNUSED,
    const char *name UNUSED)
{
	fuse_reply_err(req, EROFS);
}

static void
op_rename(fuse_req_t req, fuse_ino_t parent UNUSED, const char *name UNUSED,
    fuse_ino_t to UNUSED, const char *to_name UNUSED, unsigned flags UNUSED)
{
	fuse_reply_err(req, EROFS);
}

static void
op_link(fuse_req_t req, fuse_ino_t ino UNUSED, fuse_ino_t parent UNUSED,
    const char *name UNUSED)
{
	fuse_reply_err(req, EROFS);
}

static void
op_create(fuse_req_t req, fuse_ino_t parent UNUSED, const char *name UNUSED,
    mode_t mode UNUSED, struct fuse_file_info *fi UNUSED)
{
	fuse_reply_err(req, EROFS);
}

static void
op_write(fuse_req_t req, fuse_ino_t ino UNUSED, const char *buf UNUSED,
    size_t size UNUSED, off_t off UNUSED, struct fuse_file_info *fi UNUSED)
{
	fuse_reply_err(req, EROFS);
}

static void
op_fallocate(fuse_req_t req, fuse_ino_t ino UNUSED, int mode UNUSED,
    off_t off UNUSED, off_t len UNUSED, struct fuse_file_info *fi UNUSED)
{
	fuse_reply_err(req, EROFS);
}

static void
op_setxattr(fuse_req_t req, fuse_ino_t ino UNUSED, const char *name UNUSED,
    const char *value UNUSED, size_t size UNUSED, int flags UNUSED)
{
	fuse_reply_err(req, EROFS);
}

static void
op_removexattr(fuse_req_t req, fuse_ino_t ino UNUSED, const char *name UNUSED)
{
	fuse_reply_err(req, EROFS);
}

void
readonly_ops(struct fuse_lowlevel_ops *ops)
{
	ops->setattr = op_setattr;
	ops->mknod = op_mknod;
	ops->mkdir = op_mkdir;
	ops->unlink = op_remove;
	ops->rmdir = op_remove;
	ops->symlink = op_symlink;
	ops->rename = op_rename;
	ops->link = op_link;
	ops->create = op_create;
	ops->write = op_write;
	ops->fallocate = op_fallocate;
	ops->setxattr = op_setxattr;
	ops->removexattr = op_removexattr;
}
