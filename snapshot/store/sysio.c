#include "snapshot/store/sysio.h"
#include "crypto/attr.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int
libc_open(UNUSED void *arg, int dir, const char *path, int flags, mode_t mode)
{
	return openat(dir, path, flags, mode);
}

static ssize_t
libc_write(UNUSED void *arg, int fd, const void *buf, size_t len)
{
	return write(fd, buf, len);
}

static int
libc_fsync(UNUSED void *arg, int fd)
{
	return fsync(fd);
}

static int
libc_syncfs(UNUSED void *arg, int dir)
{
	return syncfs(dir);
}

static int
libc_rename(
    UNUSED void *arg, int dir, const char *from, const char *to, unsigned flags)
{
	return renameat2(dir, from, dir, to, flags);
}

static int
libc_link(UNUSED void *arg, int dir, const char *from, const char *to)
{
	return linkat(dir, from, dir, to, 0);
}

static int
libc_unlink(UNUSED void *arg, int dir, const char *path, int flags)
{
	return unlinkat(dir, path, flags);
}

static int
libc_mkdir(UNUSED void *arg, int dir, const char *path, mode_t mode)
{
	return mkdirat(dir, path, mode);
}

const struct sysio sysio_libc = {
    .open = libc_open,
    .write = libc_write,
    .fsync = libc_fsync,
    .syncfs = libc_syncfs,
    .rename = libc_rename,
    .link = libc_link,
    .unlink = libc_unlink,
    .mkdir = libc_mkdir,
};
