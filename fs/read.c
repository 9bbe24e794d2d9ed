#include "fs/read.h"
#include "fs/lookup.h"
#include "fs/range.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * A range with a damaged chunk in it fails as a whole: a short reply would
 * mean the end of the file to the kernel. It then asks again page by page, so
 * nothing is lost but the damaged chunk.
 */

/* A few chunks, listed in the entry: the rest of them is read ahead. */
static void
list_ahead(struct chunks *chunks, const struct content *c, uint64_t end)
{
	uint64_t start = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (start >= end && !c->inl[i].hole)
			chunks_prefetch(chunks, &c->inl[i].name);
		start += c->inl[i].len;
	}
}

/* *${apart}: it is read here and there in a long file. */
static int
plan(struct fs *fs, const struct node *n, const struct entry *e, uint64_t off,
    size_t len, struct range *r, bool *apart, struct err *err)
{
	struct content c;
	struct stream *st;
	int rc = entry_content(e, &c, err);

	if (rc != 0)
		return rc;
	if (c.form != CONTENT_TREE) {
		list_ahead(n->ds->chunks, &c, off + len);
		return range_plan_list(r, &c, off, len, err);
	}
	rc = stream_open(fs->streams, n, &c, e->size, &st, err);
	if (rc != 0)
		return rc;
	rc = range_plan_tree(r, stream_cursor(st), off, len, err);
	*apart = rc == 0 && !stream_ahead(st, off, len);
	stream_close(st);
	return rc;
}

static void
reply_copied(fuse_req_t req, const struct range *r, size_t len)
{
	uint8_t *buf = malloc(len);

	if (buf == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	range_copy(r, buf);
	fuse_reply_buf(req, (const char *)buf, len);
	free(buf);
}

static void
reply(fuse_req_t req, const struct range *r, size_t len)
{
	struct range_vector vec;

	if (range_gather(r, &vec))
		fuse_reply_iov(req, vec.v, vec.n);
	else
		reply_copied(req, r, len);
}

/* --- operations -------------------------------------------------------- */

static int
read_file(struct fs *fs, const struct node *n, uint64_t off, size_t *len,
    struct range *r, bool *apart)
{
	struct err err = {0};
	struct entry e;
	int rc;

	if (n->kind != NODE_FILE)
		return EISDIR;
	rc = lookup_entry(fs, n, &e);
	if (rc != 0)
		return rc;
	if (e.type != ENTRY_FILE)
		return EINVAL;
	if (off >= e.size)
		*len = 0;
	else if (*len > e.size - off)
		*len = (size_t)(e.size - off);
	if (*len == 0)
		return 0;
	if (off == 0)
		ahead_of(fs->ahead, n);
	rc = plan(fs, n, &e, off, *len, r, apart, &err);
	if (rc == 0)
		rc = range_fetch(r, n->ds->chunks, &err);
	return rc == 0 ? 0 : report_errno(fs->report, n, &err);
}

static void
op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct node *n = lookup_node(fs, ino);
	RANGE_AUTO struct range r = {0};
	bool apart = false;
	int rc = ESTALE;

	if (n != NULL)
		rc = off < 0
			 ? EINVAL
			 : read_file(fs, n, (uint64_t)off, &size, &r, &apart);
	if (rc != 0)
		fuse_reply_err(req, rc);
	else
		reply(req, &r, size);
	/* What lies beside it goes to the page cache, if that is used. */
	if (rc == 0 && apart && (fi->flags & O_DIRECT) == 0)
		ahead_around(fs->ahead, n, (uint64_t)off);
	nodes_put(fs->nodes, n);
}

static int
seek_file(
    struct fs *fs, const struct node *n, uint64_t off, bool hole, uint64_t *pos)
{
	AUTO(content_cursor) struct content_cursor *cur = NULL;
	struct err err = {0};
	struct content c;
	struct entry e;
	int rc = n->kind == NODE_FILE ? lookup_entry(fs, n, &e) : EISDIR;

	if (rc != 0)
		return rc;
	if (e.type != ENTRY_FILE)
		return ESPIPE;
	rc = entry_content(&e, &c, &err);
	if (rc == 0)
		rc = content_cursor_new(n->ds->chunks, &c, e.size, &cur, &err);
	if (rc == 0) {
		rc = content_seek(cur, off, hole, pos, &err);
		if (rc == ERR_NOT_FOUND)
			return ENXIO;
	}
	return rc == 0 ? 0 : report_errno(fs->report, n, &err);
}

static void
op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
    struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct node *n = lookup_node(fs, ino);
	uint64_t pos = 0;
	int rc = ESTALE;

	(void)fi;
	if (n != NULL && off < 0)
		rc = ENXIO;
	else if (n != NULL && (whence == SEEK_HOLE || whence == SEEK_DATA))
		rc = seek_file(fs, n, (uint64_t)off, whence == SEEK_HOLE, &pos);
	else if (n != NULL)
		rc = EINVAL;
	nodes_put(fs->nodes, n);
	if (rc != 0)
		fuse_reply_err(req, rc);
	else
		fuse_reply_lseek(req, (off_t)pos);
}

/*
 * Every open of a node finds the same bytes for ever, so what the kernel has
 * in its page cache stays good, and it need not even ask.
 */
static void
op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);

	(void)ino;
	if ((fi->flags & O_ACCMODE) != O_RDONLY) {
		fuse_reply_err(req, EROFS);
		return;
	}
	if (fs->no_open) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	fi->keep_cache = 1;
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

void
read_ops(struct fuse_lowlevel_ops *ops)
{
	ops->open = op_open;
	ops->read = op_read;
	ops->lseek = op_lseek;
}
