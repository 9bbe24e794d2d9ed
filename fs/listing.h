#ifndef FS_LISTING_H
#define FS_LISTING_H

/* A directory's listing as the kernel wants it. */
#include "fs/fs.h"

struct listing {
	struct fs *fs;
	struct node *dir; /* borrowed */
	bool plus;        /* with attributes: the kernel knows the nodes then */
	size_t size;      /* room in the reply */
	struct listed out;
};

/**
 * listing_make(l, off):
 * Fills ${l}->out from offset ${off} on. Returns 0, or an errno, having
 * reported it: then nothing was looked up. ${l}->out is the caller's anyhow.
 */
NODISCARD int listing_make(struct listing *l, off_t off);

#endif
