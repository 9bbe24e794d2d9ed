#include "fs/folder.h"

#include <stdlib.h>
#include <string.h>

struct folders {
	struct folder **v; /* by number */
	size_t n;
	size_t cap;
};

static int
append(struct folders *f, struct folder *parent, struct span name,
    struct folder **out, struct err *err)
{
	struct folder *new;

	if (f->n == f->cap) {
		size_t cap = f->cap == 0 ? 64 : f->cap * 2;
		struct folder **v =
		    realloc(f->v, cap * sizeof(struct folder *));

		if (v == NULL)
			return err_nomem(err);
		f->v = v;
		f->cap = cap;
	}
	new = calloc(1, sizeof(*new) + name.len + 1);
	if (new == NULL)
		return err_nomem(err);
	new->parent = parent;
	new->number = (uint32_t)f->n;
	new->name_len = name.len;
	if (name.len > 0)
		memcpy(new->name, name.p, name.len);
	f->v[f->n++] = new;
	*out = new;
	return 0;
}

int
folders_new(struct folders **out, struct err *err)
{
	AUTO(folders) struct folders *f = calloc(1, sizeof(*f));
	struct folder *root;
	int rc;

	*out = NULL;
	if (f == NULL)
		return err_nomem(err);
	rc = append(f, NULL, (struct span){NULL, 0}, &root, err);
	if (rc != 0)
		return rc;
	*out = STEAL(f);
	return 0;
}

void
folders_free(struct folders *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i]);
	free(f->v);
	free(f);
}

struct folder *
folders_root(const struct folders *f)
{
	return f->v[0];
}

struct folder *
folders_child(
    const struct folders *f, const struct folder *in, struct span name)
{
	for (size_t i = 1; i < f->n; i++) {
		struct folder *c = f->v[i];

		if (c->parent == in && c->name_len == name.len &&
		    memcmp(c->name, name.p, name.len) == 0)
			return c;
	}
	return NULL;
}

struct folder *
folders_next(const struct folders *f, const struct folder *in, uint64_t from)
{
	for (uint64_t i = from > 0 ? from : 1; i < f->n; i++)
		if (f->v[i]->parent == in)
			return f->v[i];
	return NULL;
}

int
folders_add(
    struct folders *f, const char *path, struct fs_dataset *ds, struct err *err)
{
	struct folder *at = folders_root(f);
	const char *p = path;

	for (;;) {
		size_t len = strcspn(p, "/");
		struct span name = {(const uint8_t *)p, len};
		bool last = p[len] == '\0';
		struct folder *c;
		int rc;

		if (!entry_name_ok(name.p, name.len))
			return err_set(err, ERR_USAGE,
			    "dataset '%s' can't be a place in a mount", path);
		c = folders_child(f, at, name);
		if (c != NULL && (last || c->ds != NULL))
			return err_set(err, ERR_USAGE,
			    "dataset '%s' is in the way of another", path);
		if (c == NULL) {
			rc = append(f, at, name, &c, err);
			if (rc != 0)
				return rc;
		}
		if (last) {
			c->ds = ds;
			return 0;
		}
		at = c;
		p += len + 1;
	}
}

size_t
folders_count(const struct folders *f)
{
	return f->n;
}
