#ifndef SNAPSHOT_STORE_PLAINFILE_H
#define SNAPSHOT_STORE_PLAINFILE_H

/*
 * Files that are no objects: a key file, what a site keeps for itself. Each
 * function goes on after a signal; on failure it returns -1 and leaves errno,
 * for a message that says which file it was. Thread: safe.
 */
#include "crypto/attr.h"

/** plainfile_close(fd): Unless *${fd} is negative; for FD_AUTO. */
void plainfile_close(int *fd);

/* FD_AUTO int fd = -1; closes itself at the end of its scope. */
#define FD_AUTO __attribute__((cleanup(plainfile_close)))

/**
 * plainfile_read(fd, buf, max, len):
 * Read to the end, but no more than ${max} bytes: give it one byte more than
 * the file may have, and too much is noticed. *${len} is set in any case.
 */
NODISCARD int plainfile_read(int fd, void *buf, size_t max, size_t *len);

/** plainfile_write(fd, buf, len): All of it; also to a pipe or a socket. */
NODISCARD int plainfile_write(int fd, const void *buf, size_t len);

/** plainfile_sync_parent(path): So that the name ${path} is durable, too. */
NODISCARD int plainfile_sync_parent(const char *path);

#endif
