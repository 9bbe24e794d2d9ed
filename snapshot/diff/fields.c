#include "snapshot/diff/fields.h"
#include "snapshot/tree/span.h"

/* What every type has, but for attributes. */
static unsigned
compare_common(const struct entry *a, const struct entry *b)
{
	unsigned fields = 0;

	if (a->type != b->type)
		fields |= DIFF_TYPE;
	if (a->mode != b->mode)
		fields |= DIFF_MODE;
	if (a->uid != b->uid || a->gid != b->gid ||
	    !span_equal(a->user, b->user) || !span_equal(a->group, b->group))
		fields |= DIFF_OWNER;
	if (a->mtime != b->mtime || a->mtime_ns != b->mtime_ns)
		fields |= DIFF_MTIME;
	if (a->nlink != b->nlink)
		fields |= DIFF_NLINK;
	return fields;
}

static int
equal_values(const struct fields_side *a, const struct xattr *xa,
    const struct fields_side *b, const struct xattr *xb, bool same_names,
    bool *equal, struct err *err)
{
	WR_AUTO struct wr va = {0};
	WR_AUTO struct wr vb = {0};
	int rc;

	*equal = xa->value_len == xb->value_len;
	if (!*equal)
		return 0;
	if (same_names && xa->in_chunk && xb->in_chunk) {
		*equal = memcmp(&xa->chunk, &xb->chunk, sizeof(xa->chunk)) == 0;
		return 0;
	}
	rc = xattr_value(a->chunks, xa, &va, err);
	if (rc == 0)
		rc = xattr_value(b->chunks, xb, &vb, err);
	if (rc == 0)
		*equal = span_equal((struct span){va.buf, va.len},
		    (struct span){vb.buf, vb.len});
	return rc;
}

static int
equal_xattrs(const struct fields_side *a, const struct fields_side *b,
    bool same_names, bool *equal, struct err *err)
{
	struct rd ra = rd_init(a->e->xattrs.p, a->e->xattrs.len);
	struct rd rb = rd_init(b->e->xattrs.p, b->e->xattrs.len);
	struct xattr xa;
	struct xattr xb;

	*equal = a->e->nxattrs == b->e->nxattrs;
	while (*equal && xattr_next(&ra, &xa) && xattr_next(&rb, &xb)) {
		int rc;

		*equal = span_equal(xa.name, xb.name);
		if (!*equal)
			break;
		rc = equal_values(a, &xa, b, &xb, same_names, equal, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
open_cursor(
    const struct fields_side *s, struct content_cursor **out, struct err *err)
{
	struct content c;
	int rc = entry_content(s->e, &c, err);

	if (rc == 0)
		rc = content_cursor_new(s->chunks, &c, s->e->size, out, err);
	return rc;
}

static int
equal_bytes(const struct fields_side *a, const struct fields_side *b,
    const struct diff_options *opt, bool *equal, struct err *err)
{
	AUTO(content_cursor) struct content_cursor *ca = NULL;
	AUTO(content_cursor) struct content_cursor *cb = NULL;
	int rc;

	if (opt->same_names) {
		*equal = span_equal(a->e->content, b->e->content);
		if (*equal || opt->unread)
			return 0;
	}
	rc = open_cursor(a, &ca, err);
	if (rc == 0)
		rc = open_cursor(b, &cb, err);
	if (rc == 0)
		rc = content_equal(ca, cb, opt->same_names, equal, err);
	return rc;
}

static int
compare_files(const struct fields_side *a, const struct fields_side *b,
    const struct diff_options *opt, unsigned *fields, struct err *err)
{
	bool equal;
	int rc;

	if (a->e->size != b->e->size) {
		*fields |= DIFF_SIZE | DIFF_CONTENT;
		return 0;
	}
	rc = equal_bytes(a, b, opt, &equal, err);
	if (rc == 0 && !equal)
		*fields |= DIFF_CONTENT;
	return rc;
}

/* What only this type has; both are of it. */
static int
compare_by_type(const struct fields_side *a, const struct fields_side *b,
    const struct diff_options *opt, unsigned *fields, struct err *err)
{
	switch (a->e->type) {
	case ENTRY_FILE:
		return compare_files(a, b, opt, fields, err);
	case ENTRY_SYMLINK:
		if (!span_equal(a->e->target, b->e->target))
			*fields |= DIFF_TARGET;
		return 0;
	case ENTRY_CHAR:
	case ENTRY_BLOCK:
		if (a->e->rdev_major != b->e->rdev_major ||
		    a->e->rdev_minor != b->e->rdev_minor)
			*fields |= DIFF_DEVICE;
		return 0;
	case ENTRY_DIR:
	case ENTRY_FIFO:
	case ENTRY_SOCKET:
		return 0;
	}
	return err_set(err, ERR_BUG, "an entry of no type");
}

int
fields_compare(const struct fields_side *a, const struct fields_side *b,
    const struct diff_options *opt, unsigned *out, struct err *err)
{
	bool equal;
	int rc;

	*out = compare_common(a->e, b->e);
	rc = equal_xattrs(a, b, opt->same_names, &equal, err);
	if (rc == 0 && !equal)
		*out |= DIFF_XATTRS;
	if (rc == 0 && (*out & DIFF_TYPE) == 0)
		rc = compare_by_type(a, b, opt, out, err);
	return rc;
}
