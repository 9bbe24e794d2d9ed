#include "snapshot/find/found.h"
#include "snapshot/diff/fields.h"
#include "snapshot/find/path_set.h"
#include "snapshot/tree/span.h"

#include <stdlib.h>

/* A path (NUL-terminated, and its versions' too), and what it was. */
struct file {
	struct path_key key;
	struct find_version **v; /* the newest last */
	size_t n;
	size_t cap;
	bool open; /* the newest goes on */
	size_t seen;
};

struct found {
	struct path_set by_path;
	struct file **files;
	size_t n;
	size_t cap;
};

int
found_new(struct found **out, struct err *err)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? 0 : err_nomem(err);
}

static void
version_free(struct find_version *v)
{
	if (v != NULL)
		free((void *)(uintptr_t)v->raw.p);
	free(v);
}
DEFINE_AUTO(find_version, version_free)

static void
file_free(struct file *file)
{
	if (file == NULL)
		return;
	for (size_t i = 0; i < file->n; i++)
		version_free(file->v[i]);
	free(file->v);
	free(file->key.path);
	free(file);
}
DEFINE_AUTO(file, file_free)

void
found_free(struct found *f)
{
	if (f == NULL)
		return;
	path_set_clear(&f->by_path);
	for (size_t i = 0; i < f->n; i++)
		file_free(f->files[i]);
	free(f->files);
	free(f);
}

static int
compare_slots(const void *a, const void *b)
{
	const struct file *const *x = a;
	const struct file *const *y = b;

	return path_set_compare(&(*x)->key, &(*y)->key);
}

/* ${slots} with room for one more pointer, or NULL when memory runs out. */
static void *
grown(void *slots, size_t n, size_t *cap)
{
	size_t more = *cap > 0 ? 2 * *cap : 4;
	void *p;

	if (n < *cap)
		return slots;
	p = reallocarray(slots, more, sizeof(void *));
	if (p != NULL)
		*cap = more;
	return p;
}

static struct file *
find(const struct found *f, const char *path, size_t len)
{
	/* The key is a file's first member. */
	return (struct file *)path_set_find(&f->by_path, path, len);
}

static int
add_file(struct found *f, const char *path, size_t len, struct file **out,
    struct err *err)
{
	AUTO(file) struct file *file = calloc(1, sizeof(*file));
	struct file **files = grown(f->files, f->n, &f->cap);

	if (files != NULL)
		f->files = files;
	if (files == NULL || file == NULL)
		return err_nomem(err);
	file->key.path = strndup(path, len);
	file->key.len = len;
	if (file->key.path == NULL || !path_set_add(&f->by_path, &file->key))
		return err_nomem(err);
	*out = file;
	f->files[f->n++] = STEAL(file);
	return 0;
}

static int
version_new(const struct file *file, struct span raw, size_t at,
    struct find_version **out, struct err *err)
{
	AUTO(find_version) struct find_version *v = calloc(1, sizeof(*v));
	uint8_t *copy = malloc(raw.len);
	int rc;

	if (v == NULL || copy == NULL) {
		free(copy);
		return err_nomem(err);
	}
	memcpy(copy, raw.p, raw.len);
	*v = (struct find_version){.path = file->key.path,
	    .path_len = file->key.len,
	    .raw = {copy, raw.len},
	    .first = at,
	    .last = at};
	rc = entry_decode(copy, raw.len, &v->e, err);
	if (rc == 0)
		*out = STEAL(v);
	return rc;
}

static int
add_version(struct file *file, struct span raw, size_t at, struct err *err)
{
	struct find_version **v = grown(file->v, file->n, &file->cap);
	int rc;

	if (v == NULL)
		return err_nomem(err);
	file->v = v;
	rc = version_new(file, raw, at, &v[file->n], err);
	if (rc < 0)
		return rc;
	file->n++;
	file->open = true;
	return 0;
}

/* The newest version ended before snapshot ${at}. */
static void
file_close(struct file *file, size_t at)
{
	struct find_version *v;

	if (!file->open)
		return;
	file->open = false;
	v = file->v[file->n - 1];
	v->last = at - 1;
	/* Begun and ended by the same snapshot: it was never there. */
	if (v->first == at) {
		version_free(v);
		file->n--;
	}
}

/*
 * Whether the newest version is the same as ${e}. One that can't be compared,
 * because an attribute's value can't be read, is another.
 */
static bool
goes_on(const struct file *file, const struct entry *e,
    const struct find_snapshot *snapshot)
{
	static const struct diff_options opt = {
	    .same_names = true, .unread = true};
	struct fields_side a = {snapshot->chunks, NULL};
	struct fields_side b = {snapshot->chunks, e};
	unsigned fields;

	if (!file->open)
		return false;
	a.e = &file->v[file->n - 1]->e;
	return fields_compare(&a, &b, &opt, &fields, NULL) == 0 && fields == 0;
}

int
found_there(struct found *f, const char *path, size_t len,
    const struct dir_entry *de, const struct find_snapshot *snapshot, size_t at,
    struct err *err)
{
	struct file *file = find(f, path, len);
	int rc = 0;

	if (file == NULL)
		rc = add_file(f, path, len, &file, err);
	if (rc < 0)
		return rc;
	file->seen = at;
	if (goes_on(file, &de->e, snapshot))
		return 0;
	file_close(file, at);
	return add_version(file, de->raw, at, err);
}

void
found_gone(struct found *f, const char *path, size_t len, size_t at)
{
	struct file *file = find(f, path, len);

	if (file != NULL)
		file_close(file, at);
}

void
found_sweep(struct found *f, size_t at)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->files[i]->seen != at)
			file_close(f->files[i], at);
}

int
found_finish(struct found *f, size_t n, const struct find_version ***out,
    size_t *count, struct err *err)
{
	size_t total = 0;
	const struct find_version **all;

	for (size_t i = 0; i < f->n; i++) {
		file_close(f->files[i], n);
		total += f->files[i]->n;
	}
	if (f->n > 0)
		qsort(f->files, f->n, sizeof(struct file *), compare_slots);
	*out = NULL;
	*count = 0;
	all = reallocarray(NULL, total + 1, sizeof(struct find_version *));
	if (all == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->files[i]->n; k++)
			all[(*count)++] = f->files[i]->v[k];
	*out = all;
	return 0;
}
