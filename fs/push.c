#include "fs/push.h"
#include "fs/range.h"
#include "fs/stream.h"

#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct push {
	struct fs *fs;
	/* Of its own: nobody who reads is to wait while it looks around. */
	struct streams *streams;
	pthread_t thread;
	_Atomic bool stopped;
};

#define PAGE 4096
/* Bytes to give on either side of a place. */
#define AROUND_MAX (512 * 1024)

/*
 * FUSE_NOTIFY_STORE of fetched bytes. Not by libfuse's call, which copies what
 * is not in one piece. That it fails is nobody's loss: the kernel has
 * forgotten the node, or goes away.
 */
static void
store(
    struct fs *fs, uint64_t id, uint64_t off, const struct range *r, size_t len)
{
	struct iovec v[2 + RANGE_IOV];
	struct range_vector vec;
	struct fuse_notify_store_out store = {
	    .nodeid = id,
	    .offset = off,
	    .size = (uint32_t)len,
	};
	struct fuse_out_header head = {
	    .len = (uint32_t)(sizeof(head) + sizeof(store) + len),
	    .error = FUSE_NOTIFY_STORE,
	};

	if (!range_gather(r, &vec))
		return;
	v[0] = (struct iovec){.iov_base = &head, .iov_len = sizeof(head)};
	v[1] = (struct iovec){.iov_base = &store, .iov_len = sizeof(store)};
	memcpy(v + 2, vec.v, (size_t)vec.n * sizeof(*v));
	(void)!writev(fuse_session_fd(fs->session), v, 2 + vec.n);
}

static bool
content_of(const struct node *n, struct entry *e, struct content *c)
{
	struct span raw = node_raw(n);

	return n->kind == NODE_FILE &&
	       entry_decode(raw.p, raw.len, e, NULL) == 0 &&
	       e->type == ENTRY_FILE && entry_content(e, c, NULL) == 0;
}

/* What can't be read is left for who reads it, and gets to know why. */
static void
push_file(struct fs *fs, const struct node *n)
{
	RANGE_AUTO struct range r = {0};
	struct content c;
	struct entry e;

	if (content_of(n, &e, &c) &&
	    range_plan_list(&r, &c, 0, (size_t)e.size, NULL) == 0 &&
	    range_fetch(&r, n->ds->chunks, NULL) == 0)
		store(fs, n->id, 0, &r, (size_t)e.size);
}

/* --- around a place ----------------------------------------------------- */

/*
 * From the element at ${off}, the end of those in one direction that were
 * opened along with ${ch}; or a bit of them, for one chunk may be repeated
 * without end.
 */
static uint64_t
reach(struct content_cursor *cur, const struct chunk *ch, uint64_t off,
    uint64_t size, bool back)
{
	struct element el;
	uint64_t start, end = off;

	for (;;) {
		uint64_t at = back ? end - 1 : end;

		if ((back ? off - end : end - off) >= AROUND_MAX ||
		    (back ? end == 0 : end >= size) ||
		    content_at(cur, at, &el, &start, NULL) != 0 || el.hole ||
		    !chunk_beside(ch, &el.name))
			return end;
		end = back ? start : start + el.len;
	}
}

/* The whole pages around ${off} that are open anyway. */
static bool
plan_around(struct content_cursor *cur, struct chunks *chunks, uint64_t size,
    uint64_t *off, size_t *len, struct range *r)
{
	CHUNK_AUTO struct chunk ch = {0};
	struct element el;
	uint64_t from, to;

	if (content_at(cur, *off, &el, &from, NULL) != 0 || el.hole ||
	    chunks_get(chunks, &el.name, CHUNK_DATA, &ch, NULL) != 0)
		return false;
	to = reach(cur, &ch, from + el.len, size, false);
	from = reach(cur, &ch, from, size, true);
	from = (from + PAGE - 1) / PAGE * PAGE;
	if (to < size)
		to = to / PAGE * PAGE;
	if (from >= to)
		return false;
	*off = from;
	*len = (size_t)(to - from);
	return range_plan_tree(r, cur, from, *len, NULL) == 0;
}

static void
push_around(const struct push *p, const struct node *n, uint64_t off)
{
	RANGE_AUTO struct range r = {0};
	struct chunks *chunks = n->ds->chunks;
	struct stream *st;
	struct content c;
	struct entry e;
	size_t len;
	bool planned;

	if (!content_of(n, &e, &c) ||
	    stream_open(p->streams, n, &c, e.size, &st, NULL) != 0)
		return;
	planned =
	    plan_around(stream_cursor(st), chunks, e.size, &off, &len, &r);
	stream_close(st);
	if (planned && range_fetch(&r, chunks, NULL) == 0)
		store(p->fs, n->id, off, &r, len);
}

/* --- the thread ---------------------------------------------------------- */

static void *
run(void *arg)
{
	struct push *p = arg;
	struct fs *fs = p->fs;

	while (ahead_wait(fs->ahead)) {
		struct ahead_item it;

		while (ahead_next(fs->ahead, &it)) {
			if (it.around)
				push_around(p, it.n, it.off);
			else
				push_file(fs, it.n);
			nodes_put(fs->nodes, it.n);
		}
	}
	atomic_store(&p->stopped, true);
	return NULL;
}

static void
push_clear(struct push *p)
{
	streams_free(p->streams);
	free(p);
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
	rc = streams_new(0, &p->streams, err);
	if (rc == 0) {
		errno = pthread_create(&p->thread, NULL, run, p);
		if (errno != 0)
			rc = err_errno(err, "cannot start a thread");
	}
	if (rc != 0) {
		push_clear(p);
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
	push_clear(p);
}
