#include "tests/unit/tree_model.h"

#include <assert.h>

struct node *
node_new(enum entry_type type, const char *name)
{
	struct node *n = calloc(1, sizeof(*n));

	assert(n != NULL && strlen(name) < sizeof(n->name));
	memcpy(n->name, name, strlen(name) + 1);
	n->type = type;
	n->mode = type == ENTRY_DIR ? 0755 : 0644;
	n->mtime = 1700000000;
	n->ino = 7;
	n->nlink = 1;
	if (type == ENTRY_SYMLINK)
		memcpy(n->data, "target", 7);
	return n;
}

void
node_free(struct node *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->n; i++)
		node_free(n->child[i]);
	free(n->child);
	free(n);
}

void
node_add(struct node *dir, struct node *n)
{
	size_t i = dir->n;

	dir->child =
	    reallocarray(dir->child, dir->n + 1, sizeof(struct node *));
	assert(dir->child != NULL);
	for (; i > 0 && strcmp(dir->child[i - 1]->name, n->name) > 0; i--)
		dir->child[i] = dir->child[i - 1];
	dir->child[i] = n;
	dir->n++;
}

struct node *
node_file(struct node *dir, const char *name, const char *data)
{
	struct node *n = node_new(ENTRY_FILE, name);

	assert(strlen(data) < sizeof(n->data));
	memcpy(n->data, data, strlen(data) + 1);
	node_add(dir, n);
	return n;
}

struct node *
node_dir(struct node *dir, const char *name)
{
	struct node *n = node_new(ENTRY_DIR, name);

	node_add(dir, n);
	return n;
}

static size_t
child_index(const struct node *dir, const char *name, size_t len)
{
	for (size_t i = 0; i < dir->n; i++)
		if (strlen(dir->child[i]->name) == len &&
		    memcmp(dir->child[i]->name, name, len) == 0)
			return i;
	return SIZE_MAX;
}

struct node *
node_at(struct node *root, const char *path)
{
	while (root != NULL && *path != '\0') {
		size_t len = strcspn(path, "/");
		size_t i = child_index(root, path, len);

		root = i != SIZE_MAX ? root->child[i] : NULL;
		path += len + (path[len] == '/' ? 1 : 0);
	}
	return root;
}

struct node *
node_take(struct node *dir, size_t i)
{
	struct node *n = dir->child[i];

	memmove(&dir->child[i], &dir->child[i + 1],
	    (dir->n - i - 1) * sizeof(struct node *));
	dir->n--;
	return n;
}

void
node_remove(struct node *root, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char dir[256] = "";
	struct node *parent;

	if (slash != NULL)
		memcpy(dir, path, (size_t)(slash - path));
	parent = node_at(root, dir);
	node_free(node_take(parent, child_index(parent, name, strlen(name))));
}

static void
put_piece(struct content_builder *b, struct chunks *c, const char *p, size_t n)
{
	struct element el = {.len = n};

	if (n == 0)
		return;
	assert_ok(ingest_chunk(fake_lane(c), CHUNK_DATA, p, n, &el.name, &err));
	assert_ok(content_builder_add(b, fake_lane(c), &el, &err));
}

static void
store_data(
    const struct node *n, struct chunks *c, struct entry *e, struct wr *field)
{
	AUTO(content_builder) struct content_builder *b = NULL;
	struct content content;

	assert_ok(content_builder_new(&b, &err));
	put_piece(b, c, n->data, n->cut);
	put_piece(b, c, n->data + n->cut, strlen(n->data) - n->cut);
	assert_ok(
	    content_builder_finish(b, fake_lane(c), &content, &e->size, &err));
	content_encode(&content, field);
	e->content = (struct span){field->buf, field->len};
}

static void
store_children(const struct node *n, struct chunks *c, struct entry *e)
{
	AUTO(dir_builder) struct dir_builder *b = NULL;

	assert_ok(dir_builder_new(&b, &err));
	for (size_t i = 0; i < n->n; i++) {
		const char *name = n->child[i]->name;
		WR_AUTO struct wr raw = {0};

		node_store(n->child[i], c, &raw);
		assert_ok(
		    dir_builder_add(b, fake_lane(c), (const uint8_t *)name,
			strlen(name), raw.buf, raw.len, &err));
	}
	assert_ok(dir_builder_finish(b, fake_lane(c), &e->dir, &err));
}

static void
store_xattr(
    const struct node *n, struct chunks *c, struct entry *e, struct wr *xattrs)
{
	struct xattr x = {.name = span_of("user.x"),
	    .value = span_of(n->xattr),
	    .in_chunk = n->xattr_in_chunk,
	    .value_len = (uint32_t)strlen(n->xattr)};

	if (x.value_len == 0)
		return;
	if (x.in_chunk)
		assert_ok(ingest_chunk(fake_lane(c), CHUNK_DATA, n->xattr,
		    x.value_len, &x.chunk, &err));
	xattr_encode(&x, xattrs);
	e->nxattrs = 1;
	e->xattrs = (struct span){xattrs->buf, xattrs->len};
}

void
node_store(const struct node *n, struct chunks *c, struct wr *raw)
{
	WR_AUTO struct wr field = {0};
	WR_AUTO struct wr xattrs = {0};
	struct entry e = {.type = n->type,
	    .mode = n->mode,
	    .uid = n->uid,
	    .mtime = n->mtime,
	    .ino = n->ino,
	    .nlink = n->nlink};

	store_xattr(n, c, &e, &xattrs);
	if (n->type == ENTRY_FILE)
		store_data(n, c, &e, &field);
	else if (n->type == ENTRY_SYMLINK)
		e.target = span_of(n->data);
	else if (n->type == ENTRY_DIR)
		store_children(n, c, &e);
	entry_encode(&e, raw);
}
