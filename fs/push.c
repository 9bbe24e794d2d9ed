#include "fs/push.h"
#include "fs/range.h"

#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct push {
	struct fs *fs;
	pthread_t thread;
	_Atomic bool stopped;
};

/*
 * FUSE_NOTIFY_STORE. Not by libfuse's call, which copies what is not in one
 * piece. That it fails is nobody's loss: the kernel has forgotten the node, or
 * goes away.
 */
static void
store(struct fs *fs, uint64_t id, const struct range_vector *vec, size_t len)
{
	struct iovec v[2 + RANGE_IOV];
	struct fuse_notify_store_out store = {
	    .nodeid = id,
	    .size = (uint32_t)len,
	};
	struct fuse_out_header head = {
	    .len = (uint32_t)(sizeof(head) + sizeof(store) + len),
	    .error = FUSE_NOTIFY_STORE,
	};

	v[0] = (struct iovec){.iov_base = &head, .iov_len = sizeof(head)};
	v[1] = (struct iovec){.iov_base = &store, .iov_len = sizeof(store)};
	memcpy(v + 2, vec->v, (size_t)vec->n * sizeof(*v));
	(void)!writev(fuse_session_fd(fs->session), v, 2 + vec->n);
}

/* What can't be read is left for who reads it, and gets to know why. */
static void
push_file(struct fs *fs, const struct node *n)
{
	RANGE_AUTO struct range r = {0};
	struct span raw = node_raw(n);
	struct range_vector vec;
	struct content c;
	struct entry e;

	if (entry_decode(raw.p, raw.len, &e, NULL) == 0 &&
	    entry_content(&e, &c, NULL) == 0 &&
	    range_plan_list(&r, &c, 0, (size_t)e.size, NULL) == 0 &&
	    range_fetch(&r, n->ds->chunks, NULL) == 0 && range_gather(&r, &vec))
		store(fs, n->id, &vec, (size_t)e.size);
}

static void *
run(void *arg)
{
	struct push *p = arg;
	struct fs *fs = p->fs;

	while (ahead_wait(fs->ahead)) {
		struct node *n;

		while ((n = ahead_next(fs->ahead)) != NULL) {
			push_file(fs, n);
			nodes_put(fs->nodes, n);
		}
	}
	atomic_store(&p->stopped, true);
	return NULL;
}

int
push_new(struct fs *fs, struct push **out, struct err *err)
{
	struct push *p = calloc(1, sizeof(*p));
	int rc;

	*out = NULL;
	if (p == NULL)
		return err_nomem(err);
	p->fs = fs;
	errno = pthread_create(&p->thread, NULL, run, p);
	if (errno != 0) {
		rc = err_errno(err, "cannot start a thread");
		free(p);
		return rc;
	}
	*out = p;
	return 0;
}

void
push_stop(struct push *p)
{
	ahead_stop(p->fs->ahead);
}

bool
push_stopped(struct push *p)
{
	return atomic_load(&p->stopped);
}

void
push_free(struct push *p)
{
	if (p == NULL)
		return;
	push_stop(p);
	(void)pthread_join(p->thread, NULL);
	free(p);
}
