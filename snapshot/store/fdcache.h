#ifndef SNAPSHOT_STORE_FDCACHE_H
#define SNAPSHOT_STORE_FDCACHE_H

/*
 * Recently read objects, kept open. Whoever got a file may read from it until
 * it is released, even when the cache has let go of it meanwhile.
 * Thread: safe; no system call but close() is made under the lock.
 */
#include "snapshot/store/store.h"

#define FDCACHE_SLOTS 64

struct fdcache;
struct fdcache_file;

NODISCARD int fdcache_new(struct fdcache **out, struct err *err);
/** fdcache_free(c): Every file must have been released. */
void fdcache_free(struct fdcache *c);

/** fdcache_get(c, ref): The open file (fdcache_release), or NULL. */
struct fdcache_file *fdcache_get(
    struct fdcache *c, const struct object_ref *ref);

/**
 * fdcache_add(c, ref, fd, err):
 * Keep ${fd}, which the cache takes over in every case, in the place of the
 * file that was not used for longest. Returns the file (fdcache_release), or
 * NULL when memory runs out.
 */
struct fdcache_file *fdcache_add(
    struct fdcache *c, const struct object_ref *ref, int fd, struct err *err);

int fdcache_fd(const struct fdcache_file *f);
void fdcache_release(struct fdcache *c, struct fdcache_file *f);

/** fdcache_drop(c, ref): Let go of a removed object, to give its space back. */
void fdcache_drop(struct fdcache *c, const struct object_ref *ref);

#endif
