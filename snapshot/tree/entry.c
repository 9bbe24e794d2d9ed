#include "snapshot/tree/entry.h"
#include "snapshot/tree/span.h"

#include <sys/stat.h>

#define MODE_MAX 07777
#define NS_MAX 999999999
#define XATTR_MIN 3 /* a name of one byte, the form, an empty value */

/* An entry (FORMAT.md section 8): first what every type has. */
static void
put_common(const struct entry *e, struct wr *w)
{
	wr_u8(w, (uint8_t)e->type);
	wr_varint(w, e->mode);
	wr_varint(w, e->uid);
	wr_varint(w, e->gid);
	wr_string(w, e->user.p, e->user.len);
	wr_string(w, e->group.p, e->group.len);
	wr_svarint(w, e->mtime);
	wr_varint(w, e->mtime_ns);
	wr_varint(w, e->ino);
	wr_varint(w, e->nlink);
	wr_varint(w, e->nxattrs);
	wr_bytes(w, e->xattrs.p, e->xattrs.len);
}

static uint64_t
get_upto(struct rd *r, uint64_t max)
{
	uint64_t v = rd_varint(r);

	if (v <= max)
		return v;
	r->failed = true;
	return 0;
}

static struct span
get_owner(struct rd *r)
{
	struct span s;

	s.p = rd_string(r, &s.len);
	if (s.len > ENTRY_OWNER_MAX)
		r->failed = true;
	return s;
}

/* Walk the attributes to find their end; their names ascend strictly. */
static void
get_xattrs(struct rd *r, struct entry *out)
{
	const uint8_t *start;
	struct span last = {NULL, 0};
	struct xattr x;

	out->nxattrs = rd_count(r, XATTR_MIN);
	start = r->p;
	for (size_t i = 0; i < out->nxattrs; i++) {
		if (!xattr_next(r, &x) || span_compare(last, x.name) >= 0) {
			r->failed = true;
			return;
		}
		last = x.name;
	}
	out->xattrs = (struct span){start, (size_t)(r->p - start)};
}

static void
get_common(struct rd *r, struct entry *out)
{
	out->mode = (uint32_t)get_upto(r, MODE_MAX);
	out->uid = (uint32_t)get_upto(r, UINT32_MAX);
	out->gid = (uint32_t)get_upto(r, UINT32_MAX);
	out->user = get_owner(r);
	out->group = get_owner(r);
	out->mtime = rd_svarint(r);
	out->mtime_ns = (uint32_t)get_upto(r, NS_MAX);
	out->ino = get_upto(r, ENTRY_INO_MAX);
	out->nlink = rd_varint(r);
	if (out->ino == 0 || out->nlink == 0)
		r->failed = true;
	get_xattrs(r, out);
}

/* What a file has: varint size, content. */
static void
put_file(const struct entry *e, struct wr *w)
{
	wr_varint(w, e->size);
	wr_bytes(w, e->content.p, e->content.len);
}

static void
get_file(struct rd *r, struct entry *out)
{
	struct content c;

	out->size = rd_varint(r);
	out->content.p = r->p;
	if (content_decode(r, out->size, &c, NULL) < 0)
		return;
	out->content.len = (size_t)(r->p - out->content.p);
}

/* What a directory has: its pages, and the totals of what is below it. */
static void
put_dir(const struct entry *e, struct wr *w)
{
	wr_varint(w, e->dir.entries);
	if (e->dir.entries > 0) {
		wr_bytes(w, e->dir.root.b, sizeof(e->dir.root.b));
		wr_u8(w, e->dir.level);
	}
	wr_varint(w, e->totals.files);
	wr_varint(w, e->totals.dirs);
	wr_varint(w, e->totals.others);
	wr_varint(w, e->totals.bytes);
}

static void
get_dir(struct rd *r, struct entry *out)
{
	out->dir.entries = rd_varint(r);
	if (out->dir.entries > 0) {
		rd_copy(r, out->dir.root.b, sizeof(out->dir.root.b));
		out->dir.level = rd_u8(r);
	}
	out->totals.files = rd_varint(r);
	out->totals.dirs = rd_varint(r);
	out->totals.others = rd_varint(r);
	out->totals.bytes = rd_varint(r);
	if (out->dir.level >= DIR_LEVELS || out->nlink != 1)
		r->failed = true;
}

static void
get_symlink(struct rd *r, struct entry *out)
{
	out->target.p = rd_string(r, &out->target.len);
	if (out->target.len == 0 || out->target.len > ENTRY_TARGET_MAX ||
	    memchr(out->target.p, 0, out->target.len) != NULL)
		r->failed = true;
}

static void
get_device(struct rd *r, struct entry *out)
{
	out->rdev_major = (uint32_t)get_upto(r, UINT32_MAX);
	out->rdev_minor = (uint32_t)get_upto(r, UINT32_MAX);
}

void
entry_encode(const struct entry *e, struct wr *w)
{
	put_common(e, w);
	switch (e->type) {
	case ENTRY_FILE:
		put_file(e, w);
		break;
	case ENTRY_DIR:
		put_dir(e, w);
		break;
	case ENTRY_SYMLINK:
		wr_string(w, e->target.p, e->target.len);
		break;
	case ENTRY_CHAR:
	case ENTRY_BLOCK:
		wr_varint(w, e->rdev_major);
		wr_varint(w, e->rdev_minor);
		break;
	case ENTRY_FIFO:
	case ENTRY_SOCKET:
		break;
	}
}

static void
get_by_type(struct rd *r, struct entry *out)
{
	switch (out->type) {
	case ENTRY_FILE:
		get_file(r, out);
		break;
	case ENTRY_DIR:
		get_dir(r, out);
		break;
	case ENTRY_SYMLINK:
		get_symlink(r, out);
		break;
	case ENTRY_CHAR:
	case ENTRY_BLOCK:
		get_device(r, out);
		break;
	case ENTRY_FIFO:
	case ENTRY_SOCKET:
		break;
	}
}

int
entry_decode(const uint8_t *buf, size_t len, struct entry *out, struct err *err)
{
	struct rd r = rd_init(buf, len);
	uint8_t type = rd_u8(&r);

	memset(out, 0, sizeof(*out));
	if (len > ENTRY_MAX || type < ENTRY_FILE || type > ENTRY_BLOCK)
		return err_set(err, ERR_CORRUPT, "not an entry of a directory");
	out->type = (enum entry_type)type;
	get_common(&r, out);
	if (!r.failed)
		get_by_type(&r, out);
	if (!rd_done(&r)) {
		memset(out, 0, sizeof(*out));
		return err_set(
		    err, ERR_CORRUPT, "malformed entry of a directory");
	}
	return 0;
}

int
entry_content(const struct entry *e, struct content *out, struct err *err)
{
	struct rd r = rd_init(e->content.p, e->content.len);
	int rc;

	if (e->type != ENTRY_FILE)
		return err_set(err, ERR_BUG, "content of what is not a file");
	rc = content_decode(&r, e->size, out, err);
	if (rc == 0 && !rd_done(&r))
		rc = err_set(err, ERR_CORRUPT, "malformed content of a file");
	return rc;
}

uint32_t
entry_mode(const struct entry *e)
{
	static const uint32_t formats[] = {
	    [ENTRY_FILE] = S_IFREG,
	    [ENTRY_DIR] = S_IFDIR,
	    [ENTRY_SYMLINK] = S_IFLNK,
	    [ENTRY_FIFO] = S_IFIFO,
	    [ENTRY_SOCKET] = S_IFSOCK,
	    [ENTRY_CHAR] = S_IFCHR,
	    [ENTRY_BLOCK] = S_IFBLK,
	};

	return formats[e->type] | e->mode;
}

bool
entry_name_ok(const uint8_t *name, size_t len)
{
	if (len == 0 || len > ENTRY_NAME_MAX)
		return false;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return false;
	return memchr(name, '/', len) == NULL && memchr(name, 0, len) == NULL;
}
