#ifndef TOOLS_RECOVERY_FILE_H
#define TOOLS_RECOVERY_FILE_H

/* A recovery key in a file, as printed: one line of text. */
#include "crypto/root.h"

/** recovery_file_read(path, out, err): ERR_USAGE it holds none; ERR_DENIED. */
NODISCARD int recovery_file_read(
    const char *path, struct recovery **out, struct err *err);

/**
 * recovery_file_create(path, fd, err):
 * A new, empty file that only its owner may read, so that there is a place for
 * the key before there is a key. *${fd} is the caller's. ERR_USAGE it is there.
 */
NODISCARD int recovery_file_create(const char *path, int *fd, struct err *err);

/** recovery_file_write(fd, path, recovery, err): Durable when it returns. */
NODISCARD int recovery_file_write(
    int fd, const char *path, const struct recovery *recovery, struct err *err);

#endif
