#include "fs/xattr.h"
#include "fs/lookup.h"

#include <errno.h>
#include <string.h>

#define OWN_PREFIX "user.varve."

/* --- a snapshot's own -------------------------------------------------- */

static void
put_text(struct wr *w, const char *text)
{
	wr_bytes(w, text, strlen(text));
}

static void
put_id(struct wr *w, const struct snapshot *s)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(s->id); i++) {
		wr_u8(w, (uint8_t)digits[s->id[i] >> 4]);
		wr_u8(w, (uint8_t)digits[s->id[i] & 15]);
	}
}

static void
put_time(struct wr *w, const struct snapshot *s)
{
	char text[2 * WHEN_DAY_TEXT];

	when_iso(s->time, text);
	put_text(w, text);
}

static void
put_kind(struct wr *w, const struct snapshot *s)
{
	put_text(w, s->kind == SNAPSHOT_FULL ? "full" : "differential");
}

static void
put_host(struct wr *w, const struct snapshot *s)
{
	put_text(w, s->host);
}

static const struct {
	const char *name;
	void (*put)(struct wr *w, const struct snapshot *s);
} own[] = {
    {OWN_PREFIX "id", put_id},
    {OWN_PREFIX "time", put_time},
    {OWN_PREFIX "kind", put_kind},
    {OWN_PREFIX "host", put_host},
};

/* Whether ${name} is one of them, then its value is appended to ${w}. */
static bool
get_own(const struct node *n, const char *name, struct wr *w)
{
	if (n->kind != NODE_DIR || n->s == NULL ||
	    strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (strcmp(name, own[i].name) != 0)
			continue;
		own[i].put(w, n->s);
		return true;
	}
	return false;
}

/* --- an entry's -------------------------------------------------------- */

static int
get(struct fs *fs, const struct node *n, const char *name, struct wr *w)
{
	struct err err = {0};
	struct xattr x;
	struct entry e;
	int rc;

	if (n == NULL)
		return ESTALE;
	if (n->kind != NODE_DIR && n->kind != NODE_FILE)
		return ENODATA;
	if (get_own(n, name, w))
		return w->failed ? ENOMEM : 0;
	rc = lookup_entry(fs, n, &e);
	if (rc != 0)
		return rc;
	if (!xattr_find(&e, name, &x))
		return ENODATA;
	if (xattr_value(n->ds->chunks, &x, w, &err) != 0)
		return report_errno(fs->report, n, &err);
	return 0;
}

static int
list(struct fs *fs, const struct node *n, struct wr *w)
{
	struct xattr x;
	struct entry e;
	struct rd r;
	int rc;

	if (n == NULL)
		return ESTALE;
	if (n->kind != NODE_DIR && n->kind != NODE_FILE)
		return 0;
	rc = lookup_entry(fs, n, &e);
	if (rc != 0)
		return rc;
	r = rd_init(e.xattrs.p, e.xattrs.len);
	while (xattr_next(&r, &x)) {
		wr_bytes(w, x.name.p, x.name.len);
		wr_u8(w, 0);
	}
	return w->failed ? ENOMEM : 0;
}

/* --- operations -------------------------------------------------------- */

/* ${size} 0: only how long it is. */
static void
reply(fuse_req_t req, int rc, const struct wr *w, size_t size)
{
	if (rc == 0 && size > 0 && w->len > size)
		rc = ERANGE;
	if (rc != 0)
		fuse_reply_err(req, rc);
	else if (size == 0)
		fuse_reply_xattr(req, w->len);
	else
		fuse_reply_buf(req, (const char *)w->buf, w->len);
}

static void
op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct fs *fs = fuse_req_userdata(req);
	struct node *n = lookup_node(fs, ino);
	WR_AUTO struct wr w = {0};
	int rc = get(fs, n, name, &w);

	nodes_put(fs->nodes, n);
	reply(req, rc, &w, size);
}

static void
op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct fs *fs = fuse_req_userdata(req);
	struct node *n = lookup_node(fs, ino);
	WR_AUTO struct wr w = {0};
	int rc = list(fs, n, &w);

	nodes_put(fs->nodes, n);
	reply(req, rc, &w, size);
}

void
xattr_ops(struct fuse_lowlevel_ops *ops)
{
	ops->getxattr = op_getxattr;
	ops->listxattr = op_listxattr;
}
