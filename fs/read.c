#include "fs/read.h"
#include "fs/lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * A read in three steps:
 *
 *	plan	which runs of which chunks, and which holes, make the range
 *	fetch	the chunks, from the cache or by opening their segments; those
 *		behind the first are asked for before the first is waited for
 *	reply	straight from the segments' memory, where it's not too scattered
 *
 * A range with a damaged chunk in it fails as a whole: a short reply would
 * mean the end of the file to the kernel. It then asks again page by page, so
 * nothing is lost but the damaged chunk.
 */

/* A run of bytes of the range. */
struct piece {
	struct element el;
	uint64_t skip; /* bytes of the element before it */
	size_t len;
	struct chunk chunk; /* once fetched; unless a hole */
};

struct plan {
	struct piece *v; /* NULL: few */
	struct piece few[8];
	size_t n;
	size_t cap;
};

/* What writev() takes at once, libfuse's header counted. */
#define IOV_MAX_REPLY 1000

static const uint8_t zeros[64 * 1024];

static struct piece *
pieces(struct plan *p)
{
	return p->v != NULL ? p->v : p->few;
}

static void
plan_clear(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		chunk_release(&pieces(p)[i].chunk);
	free(p->v);
}

#define PLAN_AUTO __attribute__((cleanup(plan_clear)))

/* --- plan -------------------------------------------------------------- */

static int
plan_add(struct plan *p, const struct element *el, uint64_t skip, size_t len,
    struct err *err)
{
	if (p->n == (p->v != NULL ? p->cap : ARRAY_LEN(p->few))) {
		size_t cap = p->n * 4;
		struct piece *v = realloc(p->v, cap * sizeof(*v));

		if (v == NULL)
			return err_nomem(err);
		if (p->v == NULL)
			memcpy(v, p->few, sizeof(p->few));
		p->v = v;
		p->cap = cap;
	}
	pieces(p)[p->n++] = (struct piece){.el = *el, .skip = skip, .len = len};
	return 0;
}

/* The part of an element that starts at ${start} within [off, off + len). */
static int
plan_element(struct plan *p, const struct element *el, uint64_t start,
    uint64_t off, size_t len, struct err *err)
{
	uint64_t from = start > off ? start : off;
	uint64_t to = start + el->len;

	if (to > off + len)
		to = off + len;
	if (from >= to)
		return 0;
	return plan_add(p, el, from - start, (size_t)(to - from), err);
}

/* A few chunks, listed in the entry. The rest of them is read ahead. */
static int
plan_inline(struct plan *p, struct chunks *chunks, const struct content *c,
    uint64_t off, size_t len, struct err *err)
{
	uint64_t start = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct element *el = &c->inl[i];
		int rc = plan_element(p, el, start, off, len, err);

		if (rc != 0)
			return rc;
		if (start >= off + len && !el->hole)
			chunks_prefetch(chunks, &el->name);
		start += el->len;
	}
	return 0;
}

static int
plan_stream(struct plan *p, struct stream *st, uint64_t off, size_t len,
    struct err *err)
{
	uint64_t at = off;

	while (at < off + len) {
		struct element el;
		uint64_t start;
		int rc = content_at(stream_cursor(st), at, &el, &start, err);

		if (rc == 0)
			rc = plan_element(p, &el, start, off, len, err);
		if (rc != 0)
			return rc;
		at = start + el.len;
	}
	return 0;
}

static int
plan_range(struct fs *fs, const struct node *n, const struct entry *e,
    uint64_t off, size_t len, struct plan *p, struct err *err)
{
	struct content c;
	struct stream *st;
	int rc = entry_content(e, &c, err);

	if (rc != 0)
		return rc;
	if (c.form != CONTENT_TREE)
		return plan_inline(p, n->ds->chunks, &c, off, len, err);
	rc = stream_open(fs->streams, n, &c, e->size, &st, err);
	if (rc != 0)
		return rc;
	rc = plan_stream(p, st, off, len, err);
	if (rc == 0)
		stream_ahead(st, off, len);
	stream_close(st);
	return rc;
}

/* --- fetch ------------------------------------------------------------- */

static int
fetch(struct chunks *chunks, struct plan *p, struct err *err)
{
	struct piece *v = pieces(p);

	for (size_t i = 1; i < p->n; i++)
		if (!v[i].el.hole)
			chunks_prefetch(chunks, &v[i].el.name);
	for (size_t i = 0; i < p->n; i++) {
		int rc;

		if (v[i].el.hole)
			continue;
		rc = chunks_get(
		    chunks, &v[i].el.name, CHUNK_DATA, &v[i].chunk, err);
		if (rc != 0)
			return rc;
		if (v[i].chunk.len != v[i].el.len)
			return err_set(err, ERR_CORRUPT,
			    "a chunk of %u bytes is listed as %llu",
			    v[i].chunk.len, (unsigned long long)v[i].el.len);
	}
	return 0;
}

/* --- reply ------------------------------------------------------------- */

struct vector {
	struct iovec v[IOV_MAX_REPLY];
	int n;
};

/* Append bytes, joined with those before where they lie side by side. */
static bool
vector_add(struct vector *vec, const void *base, size_t len)
{
	if (vec->n > 0) {
		struct iovec *last = &vec->v[vec->n - 1];

		if ((char *)last->iov_base + last->iov_len == base) {
			last->iov_len += len;
			return true;
		}
	}
	if (vec->n == IOV_MAX_REPLY)
		return false;
	vec->v[vec->n++] =
	    (struct iovec){.iov_base = (void *)base, .iov_len = len};
	return true;
}

static bool
vector_piece(struct vector *vec, const struct piece *pc)
{
	if (!pc->el.hole)
		return vector_add(vec, pc->chunk.data + pc->skip, pc->len);
	for (size_t left = pc->len; left > 0;) {
		size_t len = left < sizeof(zeros) ? left : sizeof(zeros);

		if (!vector_add(vec, zeros, len))
			return false;
		left -= len;
	}
	return true;
}

static void
reply_copied(fuse_req_t req, struct plan *p, size_t len)
{
	char *buf = calloc(1, len), *at = buf;

	if (buf == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct piece *pc = &pieces(p)[i];

		if (!pc->el.hole)
			memcpy(at, pc->chunk.data + pc->skip, pc->len);
		at += pc->len;
	}
	fuse_reply_buf(req, buf, len);
	free(buf);
}

static void
reply(fuse_req_t req, struct plan *p, size_t len)
{
	struct vector vec;

	vec.n = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (!vector_piece(&vec, &pieces(p)[i])) {
			reply_copied(req, p, len);
			return;
		}
	}
	fuse_reply_iov(req, vec.v, vec.n);
}

/* --- operations -------------------------------------------------------- */

static int
read_file(struct fs *fs, const struct node *n, uint64_t off, size_t *len,
    struct plan *p)
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
		ahead_of(fs->ahead, n, e.size);
	rc = plan_range(fs, n, &e, off, *len, p, &err);
	if (rc == 0)
		rc = fetch(n->ds->chunks, p, &err);
	return rc == 0 ? 0 : report_errno(fs->report, n, &err);
}

static void
op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct node *n = lookup_node(fs, ino);
	PLAN_AUTO struct plan p = {0};
	int rc = ESTALE;

	(void)fi;
	if (n != NULL)
		rc = off < 0 ? EINVAL
			     : read_file(fs, n, (uint64_t)off, &size, &p);
	nodes_put(fs->nodes, n);
	if (rc != 0)
		fuse_reply_err(req, rc);
	else
		reply(req, &p, size);
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
