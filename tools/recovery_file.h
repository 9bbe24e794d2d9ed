#ifndef TOOLS_RECOVERY_FILE_H
#define TOOLS_RECOVERY_FILE_H

/* A recovery key in a file, as printed: one line of text. */
#include "crypto/root.h"

/** recovery_file_read(path, out, err): ERR_USAGE it holds none; ERR_DENIED. */
NODISCARD int recovery_file_read(
    const char *path, struct recovery **out, struct err *err);

/**
 * recovery_file_write(path, recovery, err):
 * A new file that only its owner may read; durable. ERR_USAGE it is there.
 */
NODISCARD int recovery_file_write(
    const char *path, const struct recovery *recovery, struct err *err);

#endif
