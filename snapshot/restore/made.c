#include "snapshot/restore/made.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct made {
	pthread_mutex_t mu;
	void *tree; /* of struct made_file, tsearch() */
};

/* The inode number is part of the entry, so the hash is all there is to it. */
static int
compare(const void *a, const void *b)
{
	const struct made_file *x = a, *y = b;

	return memcmp(x->hash, y->hash, sizeof(x->hash));
}

static void
forget_paths(struct made_file *file, size_t from)
{
	for (size_t i = from; i < file->npaths; i++)
		free(file->paths[i]);
	if (file->npaths > from)
		file->npaths = from;
}

void
made_file_free(struct made_file *file)
{
	if (file == NULL)
		return;
	forget_paths(file, 0);
	free(file->paths);
	free(file);
}

static void
free_node(void *p)
{
	made_file_free(p);
}

int
made_new(struct made **out, struct err *err)
{
	struct made *m = calloc(1, sizeof(*m));

	*out = m;
	if (m == NULL)
		return err_nomem(err);
	(void)pthread_mutex_init(&m->mu, NULL);
	return 0;
}

void
made_free(struct made *m)
{
	if (m == NULL)
		return;
	tdestroy(m->tree, free_node);
	(void)pthread_mutex_destroy(&m->mu);
	free(m);
}

void
made_lock(struct made *m)
{
	(void)pthread_mutex_lock(&m->mu);
}

void
made_unlock(struct made *m)
{
	(void)pthread_mutex_unlock(&m->mu);
}

int
made_find(struct made *m, const uint8_t *raw, size_t len,
    struct made_file **out, struct err *err)
{
	struct made_file key;
	struct made_file **at;
	int ret = sha256(raw, len, key.hash, err);

	*out = NULL;
	if (ret != 0)
		return ret;
	at = tfind(&key, &m->tree, compare);
	if (at != NULL)
		*out = *at;
	return 0;
}

static int
add_path(struct made_file *file, const char *path, struct err *err)
{
	if (file->npaths == file->cap) {
		size_t cap = file->cap * 2 + 2;
		char **paths = reallocarray(file->paths, cap, sizeof(*paths));

		if (paths == NULL)
			return err_nomem(err);
		file->paths = paths;
		file->cap = cap;
	}
	if ((file->paths[file->npaths] = strdup(path)) == NULL)
		return err_nomem(err);
	file->npaths++;
	return 0;
}

int
made_add(struct made *m, const uint8_t *raw, size_t len, uint64_t nlink,
    const char *path, struct made_file **out, struct err *err)
{
	AUTO(made_file) struct made_file *file = calloc(1, sizeof(*file));
	int ret;

	*out = NULL;
	if (file == NULL)
		return err_nomem(err);
	file->nlink = nlink;
	file->links = 1;
	if ((ret = sha256(raw, len, file->hash, err)) != 0 ||
	    (ret = add_path(file, path, err)) != 0)
		return ret;
	if (tsearch(file, &m->tree, compare) == NULL)
		return err_nomem(err);
	*out = STEAL(file);
	return 0;
}

/* Nothing more to come. */
static void
forget_if_complete(struct made *m, struct made_file *file)
{
	if (!file->filled || file->links < file->nlink)
		return;
	made_take(m, file);
	made_file_free(file);
}

int
made_link(
    struct made *m, struct made_file *file, const char *path, struct err *err)
{
	int ret = file->filled ? 0 : add_path(file, path, err);

	if (ret != 0)
		return ret;
	file->links++;
	forget_if_complete(m, file);
	return 0;
}

void
made_filled(struct made *m, struct made_file *file)
{
	file->filled = true;
	forget_paths(file, 1);
	forget_if_complete(m, file);
}

void
made_take(struct made *m, struct made_file *file)
{
	(void)tdelete(file, &m->tree, compare);
}
