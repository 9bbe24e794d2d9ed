#ifndef SNAPSHOT_RESTORE_BARE_H
#define SNAPSHOT_RESTORE_BARE_H

/*
 * Taking from a file what it has and its entry may not have. What is made in a
 * directory with a default ACL gets that ACL, and a directory hands it on: when
 * the top of a restore is rid of it before anything is made in it, nothing below
 * has any that the snapshot does not give it.
 */
#include "crypto/err.h"

#include <stdbool.h>

/**
 * bare_acls(fd, path, err):
 * No ACL, of access or default, on an open file, or (${fd} < 0) on what ${path}
 * names. That there is none, or can't be any here, is fine.
 * Errors: ERR_DENIED not the owner, and there is one; ERR_IO.
 */
NODISCARD int bare_acls(int fd, const char *path, struct err *err);

/**
 * bare_attributes(fd, root, err):
 * No attribute user.*, nor (${root}) trusted.*. Those of security.* the system
 * gives to every file, and they stay.
 * Errors: as above; what can be taken away is, whatever fails.
 */
NODISCARD int bare_attributes(int fd, bool root, struct err *err);

#endif
