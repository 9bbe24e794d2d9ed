#ifndef FS_MOUNT_SESSION_H
#define FS_MOUNT_SESSION_H

/* Private to the mount: its session with libfuse and the kernel. */
#include "fs/fs.h"
#include "fs/mount.h"

/**
 * mount_session_new(fs, opt, err):
 * ${fs}->session, with all operations; and ${fs}->max_read. Errors: ERR_USAGE
 * libfuse refuses the options.
 */
NODISCARD int mount_session_new(
    struct fs *fs, const struct fs_options *opt, struct err *err);

/**
 * mount_session_start(fs, err):
 * Mount it on ${fs}->mountpoint, and shake hands with the kernel. What was begun
 * is noted in ${fs}, for fs_close(). Errors: ERR_DENIED; ERR_IO.
 */
NODISCARD int mount_session_start(struct fs *fs, struct err *err);

#endif
