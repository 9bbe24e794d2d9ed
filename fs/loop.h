#ifndef FS_LOOP_H
#define FS_LOOP_H

/*
 * Threads that serve requests. As long as only names and attributes are asked
 * for, one of them, the leader, takes requests from the kernel and serves them
 * itself, one after the other: to hand a request to another thread takes longer
 * than to serve it. For a moment after each it looks out for the next instead
 * of going to sleep, for tools that walk over a tree ask again at once. When
 * two requests come at a time, or one takes the leader longer than five
 * milliseconds, another thread takes the lead.
 *
 * Reading data takes its time, and other threads work for it as well: then all
 * take requests, whoever the kernel wakes.
 */
#include "crypto/err.h"

#include <stddef.h>

struct fuse_session;
struct loop;

/**
 * loop_new(session, threads, out, err):
 * Threads for ${session}, which outlives it: ${threads} at most, but two at
 * least; 0: a number that will do.
 */
NODISCARD int loop_new(struct fuse_session *session, unsigned threads,
    struct loop **out, struct err *err);
void loop_free(struct loop *l);

/**
 * loop_run(l):
 * Serve until the session has ended, by an unmount or by a signal that is
 * handled in the calling thread. Returns 0, or the errno that ended it.
 */
NODISCARD int loop_run(struct loop *l);

/**
 * loop_answer(l):
 * Once loop_run() has returned: serve one request, if one comes within a moment.
 */
void loop_answer(struct loop *l);

/** loop_request_max(): Bytes of the largest request. */
size_t loop_request_max(void);

/**
 * loop_receive(session, mem):
 * Take the next request into ${mem}, which has room for loop_request_max() bytes.
 * Returns its length; 0: it was unmounted; or a negative errno, -EAGAIN when there
 * is none. What was taken has to be processed, even if the session has ended
 * meanwhile: the kernel waits for an answer, and may hold a page until then.
 */
NODISCARD int loop_receive(const struct fuse_session *session, char *mem);

#endif
