#include "snapshot/tree/refs.h"

/* --- of contents -------------------------------------------------------- */

int
content_refs(const struct content *c, uint64_t size, ref_fn *visit, void *arg,
    struct err *err)
{
	struct ref ref = {.kind = REF_LIST,
	    .level = c->level,
	    .len = size,
	    .holes = c->holes};
	int rc = 0;

	if (c->form == CONTENT_TREE) {
		ref.name = c->root;
		return visit(arg, &ref, err);
	}
	ref = (struct ref){.kind = REF_DATA};
	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		if (c->inl[i].hole)
			continue;
		ref.name = c->inl[i].name;
		ref.len = c->inl[i].len;
		rc = visit(arg, &ref, err);
	}
	return rc;
}

int
list_refs(
    const struct list_node *node, ref_fn *visit, void *arg, struct err *err)
{
	struct ref ref = {.kind = node->level > 0 ? REF_LIST : REF_DATA};
	int rc = 0;

	if (node->level > 0)
		ref.level = (uint8_t)(node->level - 1);
	for (size_t i = 0; rc == 0 && i < node->n; i++) {
		if (node->items[i].hole)
			continue;
		ref.name = node->items[i].name;
		ref.len = node->items[i].end - list_start(node, i);
		ref.holes = node->items[i].holes;
		rc = visit(arg, &ref, err);
	}
	return rc;
}

int
ref_list(struct chunks *chunks, const struct ref *ref, struct list_node *out,
    struct err *err)
{
	CHUNK_AUTO struct chunk ch = {0};
	int rc = content_chunk(chunks, &ref->name, CHUNK_LIST, 0, &ch, err);

	if (rc == 0)
		rc = list_decode(ch.data, ch.len, out, err);
	if (rc == 0 && (out->level != ref->level ||
			   out->items[out->n - 1].end != ref->len ||
			   out->holes != ref->holes))
		rc = err_set(err, ERR_CORRUPT,
		    "node of another level, length or number of bytes in holes"
		    " than listed");
	return rc;
}

/* --- of entries --------------------------------------------------------- */

static int
xattr_refs(const struct entry *e, ref_fn *visit, void *arg, struct err *err)
{
	struct rd r = rd_init(e->xattrs.p, e->xattrs.len);
	struct xattr x;
	int rc = 0;

	while (rc == 0 && xattr_next(&r, &x)) {
		struct ref ref = {
		    .kind = REF_DATA, .name = x.chunk, .len = x.value_len};

		if (x.in_chunk)
			rc = visit(arg, &ref, err);
	}
	return rc;
}

static int
file_refs(const struct entry *e, ref_fn *visit, void *arg, struct err *err)
{
	struct content content;
	int rc = entry_content(e, &content, err);

	return rc != 0 ? rc : content_refs(&content, e->size, visit, arg, err);
}

static int
dir_refs(const struct entry *e, ref_fn *visit, void *arg, struct err *err)
{
	struct ref ref = {.kind = REF_PAGE,
	    .name = e->dir.root,
	    .level = e->dir.level,
	    .len = e->dir.entries};

	return e->dir.entries == 0 ? 0 : visit(arg, &ref, err);
}

int
entry_refs(const struct entry *e, ref_fn *visit, void *arg, struct err *err)
{
	int rc = xattr_refs(e, visit, arg, err);

	if (rc == 0 && e->type == ENTRY_FILE)
		rc = file_refs(e, visit, arg, err);
	if (rc == 0 && e->type == ENTRY_DIR)
		rc = dir_refs(e, visit, arg, err);
	return rc;
}
