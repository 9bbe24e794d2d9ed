#include "snapshot/backup/item.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct dirh *
dirh_new(int fd)
{
	struct dirh *d = malloc(sizeof(*d));

	if (d == NULL)
		return NULL;
	atomic_init(&d->refs, 1);
	d->fd = fd;
	return d;
}

struct dirh *
dirh_ref(struct dirh *d)
{
	atomic_fetch_add(&d->refs, 1);
	return d;
}

void
dirh_unref(struct dirh *d)
{
	if (d == NULL || atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	close(d->fd);
	free(d);
}

struct item *
item_new(const char *name, size_t len, const struct stat *st)
{
	return item_new_after(name, len, st, (struct span){0});
}

struct item *
item_new_after(
    const char *name, size_t len, const struct stat *st, struct span last)
{
	struct item *it = malloc(sizeof(*it) + len + 1 + last.len);

	if (it == NULL)
		return NULL;
	memset(it, 0, sizeof(*it));
	memcpy(it->name, name, len);
	it->name[len] = '\0';
	it->namelen = len;
	if (last.len > 0) {
		it->last = (uint8_t *)it->name + len + 1;
		it->last_len = last.len;
		memcpy(it->last, last.p, last.len);
	}
	it->st = *st;
	return it;
}

void
item_free(struct item *it)
{
	if (it == NULL)
		return;
	wr_clear(&it->content);
	wr_clear(&it->xattrs);
	free(it->target);
	free(it);
}

struct job *
job_new(enum job_kind kind, const char *path)
{
	static const size_t most[] = {
	    [JOB_BATCH] = BATCH_ITEMS, [JOB_ENTER] = 1, [JOB_LEAVE] = 0};
	struct job *job =
	    calloc(1, sizeof(*job) + most[kind] * sizeof(struct item *));

	if (job == NULL)
		return NULL;
	job->kind = kind;
	if (path != NULL && (job->path = strdup(path)) == NULL) {
		free(job);
		return NULL;
	}
	return job;
}

void
job_free(struct job *job)
{
	if (job == NULL)
		return;
	for (size_t i = 0; i < job->n; i++)
		item_free(job->items[i]);
	dirh_unref(job->dir);
	wr_clear(&job->kept);
	free(job->path);
	free(job);
}
