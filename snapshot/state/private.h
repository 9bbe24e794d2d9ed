#ifndef SNAPSHOT_STATE_PRIVATE_H
#define SNAPSHOT_STATE_PRIVATE_H

/*
 * Private to this folder: directories and files that only their owner may
 * enter, whatever the umask. Thread: safe.
 */
#include "crypto/err.h"

/**
 * private_dir(path, err):
 * Make ${path} and its missing parents, each 0700. What exists is left as it
 * is.
 */
NODISCARD int private_dir(const char *path, struct err *err);

/**
 * private_file(path, err):
 * Make an empty file, 0600, unless there is one. An existing one is not even
 * opened: closing it again would drop SQLite's locks in this process.
 */
NODISCARD int private_file(const char *path, struct err *err);

/**
 * private_lock(path, fd, err):
 * Hold ${path} (made when missing) for this process until *${fd} is closed.
 * Errors: ERR_LOCKED somebody else holds it.
 */
NODISCARD int private_lock(const char *path, int *fd, struct err *err);

#endif
