#include "snapshot/content/content.h"
#include "snapshot/content/list.h"

#include <stdio.h>
#include <string.h>

/*
 * A content field (FORMAT.md section 4):
 *	u8 form; 1: varint n, n elements; 2: u8 level, varint holes, name of the
 *	root node
 */
void
content_encode(const struct content *c, struct wr *w)
{
	wr_u8(w, (uint8_t)c->form);
	if (c->form == CONTENT_INLINE_LIST) {
		wr_varint(w, c->n);
		for (size_t i = 0; i < c->n; i++)
			list_put_element(&c->inl[i], w);
	} else if (c->form == CONTENT_TREE) {
		wr_u8(w, c->level);
		wr_varint(w, c->holes);
		wr_bytes(w, c->root.b, sizeof(c->root.b));
	}
}

static bool
get_inline(struct rd *r, uint64_t size, struct content *out)
{
	uint64_t left = size;

	out->n = rd_count(r, 1);
	if (out->n == 0 || out->n > CONTENT_INLINE_MAX)
		return false;
	for (size_t i = 0; i < out->n; i++) {
		if (!list_get_element(r, &out->inl[i]))
			return false;
		if (out->inl[i].len > left)
			return false;
		left -= out->inl[i].len;
		if (out->inl[i].hole)
			out->holes += out->inl[i].len;
	}
	return left == 0;
}

static bool
get_tree(struct rd *r, uint64_t size, struct content *out)
{
	out->level = rd_u8(r);
	out->holes = rd_varint(r);
	rd_copy(r, out->root.b, sizeof(out->root.b));
	return !r->failed && out->level < CONTENT_LEVELS && size > 0 &&
	       out->holes <= size;
}

static bool
get_content(struct rd *r, uint64_t size, struct content *out)
{
	uint8_t form = rd_u8(r);

	if (r->failed || size > CONTENT_SIZE_MAX)
		return false;
	out->level = 0;
	out->holes = 0;
	out->n = 0;
	switch (form) {
	case CONTENT_EMPTY:
		out->form = CONTENT_EMPTY;
		return size == 0;
	case CONTENT_INLINE_LIST:
		out->form = CONTENT_INLINE_LIST;
		return get_inline(r, size, out);
	case CONTENT_TREE:
		out->form = CONTENT_TREE;
		return get_tree(r, size, out);
	default:
		return false;
	}
}

int
content_decode(
    struct rd *r, uint64_t size, struct content *out, struct err *err)
{
	if (get_content(r, size, out))
		return 0;
	r->failed = true;
	return err_set(err, ERR_CORRUPT, "malformed content of a file");
}

void
content_name_text(const struct chunk_name *name, char out[CONTENT_NAME_TEXT])
{
	for (size_t i = 0; i < (CONTENT_NAME_TEXT - 1) / 2; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", name->b[i]);
}

int
content_chunk(struct chunks *chunks, const struct chunk_name *name,
    enum chunk_kind kind, uint64_t len, struct chunk *out, struct err *err)
{
	char text[CONTENT_NAME_TEXT];
	int rc = chunks_get(chunks, name, kind, out, err);

	if (rc == ERR_NOT_FOUND && err != NULL)
		err->code = ERR_CORRUPT;
	if (rc == ERR_NOT_FOUND)
		rc = ERR_CORRUPT;
	if (rc < 0) {
		memset(out, 0, sizeof(*out));
		return rc;
	}
	if (len == 0 || out->len == len)
		return 0;
	content_name_text(name, text);
	rc = err_set(err, ERR_CORRUPT,
	    "chunk '%s' has %u bytes where %llu are listed", text, out->len,
	    (unsigned long long)len);
	chunk_release(out);
	memset(out, 0, sizeof(*out));
	return rc;
}
