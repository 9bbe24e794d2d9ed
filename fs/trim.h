#ifndef FS_TRIM_H
#define FS_TRIM_H

/*
 * Keeps the node table within bounds: the kernel remembers every node that it
 * has room for, and what it remembers has to be remembered here. So when there
 * are too many, a thread asks the kernel to let the oldest go; what is in use
 * stays. Thread: safe.
 */
#include "fs/node.h"

struct fs;
struct trim;

/** trim_new(fs, limit, out, err): Start it; ${limit} is in bytes of nodes. */
NODISCARD int trim_new(
    struct fs *fs, size_t limit, struct trim **out, struct err *err);
/** trim_free(): Ends the thread. */
void trim_free(struct trim *t);
DEFINE_AUTO(trim, trim_free)

/** trim_kick(t): Nodes were added; look whether there are too many. Cheap. */
void trim_kick(struct trim *t);

#endif
