#ifndef FS_PUSH_H
#define FS_PUSH_H

/*
 * Gives the kernel files before it asks for them: a thread that stores their
 * bytes in its page cache, so that reading them costs no round trip.
 *
 * The kernel makes whoever stores a page wait while it is being read. So no
 * request may ever wait for this thread, and as long as it runs, requests have
 * to be answered.
 */
#include "fs/fs.h"

struct push;

/** push_new(fs, out, err): ${fs}->session and ->ahead outlive it. */
NODISCARD int push_new(struct fs *fs, struct push **out, struct err *err);

/**
 * push_stop(p): It is to end; returns at once.
 * push_stopped(p): It has ended. Until then, requests have to be answered.
 */
void push_stop(struct push *p);
bool push_stopped(struct push *p);

/** push_free(p): Waits until it has ended. */
void push_free(struct push *p);

#endif
