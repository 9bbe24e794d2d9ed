#include "snapshot/tree/entry.h"

#include <string.h>

#define NAME_MAX_LEN 255

enum value_form { VALUE_INLINE = 0, VALUE_CHUNK = 1 };

/*
 * An extended attribute (FORMAT.md section 8):
 *	string name, u8 0, string value
 *	string name, u8 1, varint length, name of a chunk
 */
void
xattr_encode(const struct xattr *x, struct wr *w)
{
	wr_string(w, x->name.p, x->name.len);
	if (x->in_chunk) {
		wr_u8(w, VALUE_CHUNK);
		wr_varint(w, x->value_len);
		wr_bytes(w, x->chunk.b, sizeof(x->chunk.b));
	} else {
		wr_u8(w, VALUE_INLINE);
		wr_string(w, x->value.p, x->value.len);
	}
}

static void
get_inline(struct rd *r, struct xattr *out)
{
	out->in_chunk = false;
	out->value.p = rd_string(r, &out->value.len);
	if (out->value.len > ENTRY_XATTR_MAX)
		r->failed = true;
	out->value_len = (uint32_t)out->value.len;
}

static void
get_chunk(struct rd *r, struct xattr *out)
{
	uint64_t len = rd_varint(r);

	out->in_chunk = true;
	out->value = (struct span){NULL, 0};
	rd_copy(r, out->chunk.b, sizeof(out->chunk.b));
	if (len == 0 || len > ENTRY_XATTR_MAX)
		r->failed = true;
	out->value_len = (uint32_t)len;
}

bool
xattr_next(struct rd *r, struct xattr *out)
{
	if (r->failed || rd_left(r) == 0)
		return false;
	out->name.p = rd_string(r, &out->name.len);
	if (out->name.len == 0 || out->name.len > NAME_MAX_LEN ||
	    memchr(out->name.p, 0, out->name.len) != NULL)
		r->failed = true;
	switch (rd_u8(r)) {
	case VALUE_INLINE:
		get_inline(r, out);
		break;
	case VALUE_CHUNK:
		get_chunk(r, out);
		break;
	default:
		r->failed = true;
	}
	return !r->failed;
}

bool
xattr_find(const struct entry *e, const char *name, struct xattr *out)
{
	struct rd r = rd_init(e->xattrs.p, e->xattrs.len);
	size_t len = strlen(name);

	while (xattr_next(&r, out))
		if (out->name.len == len && memcmp(out->name.p, name, len) == 0)
			return true;
	return false;
}

int
xattr_value(
    struct chunks *chunks, const struct xattr *x, struct wr *w, struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};
	int rc;

	if (!x->in_chunk) {
		wr_bytes(w, x->value.p, x->value.len);
		return w->failed ? err_nomem(err) : 0;
	}
	rc = content_chunk(
	    chunks, &x->chunk, CHUNK_DATA, x->value_len, &ch, err);
	if (rc < 0)
		return rc;
	wr_bytes(w, ch.data, ch.len);
	return w->failed ? err_nomem(err) : 0;
}
