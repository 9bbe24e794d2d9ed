#ifndef FS_MACHINE_H
#define FS_MACHINE_H

/* What a mount asks of the machine it runs on. */
#include "crypto/err.h"

#include <stdbool.h>

/** machine_kernel(major, minor): Whether the kernel is that new. */
bool machine_kernel(unsigned major, unsigned minor);

/**
 * machine_lock_memory():
 * Keep what was decrypted from being swapped out, if this process may: root
 * may, others only where no limit is set. Nothing is brought in beforehand.
 */
void machine_lock_memory(void);

/**
 * machine_read_ahead(mountpoint, kib):
 * Let the kernel read so much ahead in files of this mount; only root may.
 * The mount answers no requests yet, and gets none.
 */
void machine_read_ahead(const char *mountpoint, unsigned kib);

/** machine_may_allow_other(err): ERR_USAGE /etc/fuse.conf does not let us. */
NODISCARD int machine_may_allow_other(struct err *err);

/** machine_has_fuse(err): ERR_NOT_FOUND, ERR_DENIED. */
NODISCARD int machine_has_fuse(struct err *err);

#endif
