#include "fs/readdir.h"
#include "fs/listing.h"
#include "fs/lookup.h"

#include <errno.h>

static void
forget_all(struct fs *fs, const struct listed *l)
{
	struct rd r = rd_init(l->nodes.buf, l->nodes.len);

	while (rd_left(&r) > 0)
		nodes_forget(fs->nodes, rd_u64(&r), 1);
}

static uint64_t
highest(const struct listed *l)
{
	struct rd r = rd_init(l->nodes.buf, l->nodes.len);
	uint64_t max = 0;

	while (rd_left(&r) > 0) {
		uint64_t id = rd_u64(&r);

		if (id > max)
			max = id;
	}
	return max;
}

static int
send(fuse_req_t req, const struct listing *l)
{
	struct fs *fs = l->fs;

	if (fuse_reply_buf(req, l->out.buf, l->out.len) != 0) {
		forget_all(fs, &l->out);
		return -1;
	}
	if (l->out.nodes.len > 0)
		ahead_listed(fs->ahead, highest(&l->out));
	return 0;
}

/* The next directory of a tour, while the reader is busy with this one. */
static void
prepare(const struct listing *sent)
{
	struct fs *fs = sent->fs;
	struct listing l = {.fs = fs, .plus = true, .size = sent->size};
	uint64_t next;
	struct tour *tour = tours_step(fs->tours, &sent->out, &next);
	bool made;

	if (tour == NULL)
		return;
	l.dir = lookup_node(fs, next);
	made = l.dir != NULL && l.dir->kind == NODE_DIR &&
	       listing_make(&l, 0) == 0;
	nodes_put(fs->nodes, l.dir);
	tours_ready(fs->tours, tour, made ? &l.out : NULL);
	listed_clear(&l.out);
}

static int
list(struct listing *l, fuse_ino_t ino, off_t off)
{
	int rc = ESTALE;

	if (off < 0)
		return EINVAL;
	if (l->plus && off == 0 &&
	    tours_take(l->fs->tours, ino, l->size, &l->out))
		return 0;
	l->dir = lookup_node(l->fs, ino);
	if (l->dir != NULL)
		rc = listing_make(l, off);
	nodes_put(l->fs->nodes, l->dir);
	return rc;
}

static void
reply(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, bool plus)
{
	struct listing l = {
	    .fs = fuse_req_userdata(req),
	    .plus = plus,
	    .size = size,
	};
	int rc = list(&l, ino, off);

	if (rc != 0)
		fuse_reply_err(req, rc);
	else if (send(req, &l) == 0 && plus && off == 0)
		prepare(&l);
	listed_clear(&l.out);
}

static void
op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	reply(req, ino, size, off, false);
}

static void
op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	reply(req, ino, size, off, true);
}

static void
op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);

	(void)ino;
	if (fs->no_opendir) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	fi->cache_readdir = 1;
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

void
readdir_ops(struct fuse_lowlevel_ops *ops)
{
	ops->opendir = op_opendir;
	ops->readdir = op_readdir;
	ops->readdirplus = op_readdirplus;
}
