#include "snapshot/store/dirstore.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More than a dataset has; then it is cheaper to look again than to keep. */
#define DURABLE_MAX 4096

static int
by_path(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* mu is held. */
static void
forget(struct dirstore *d)
{
	tdestroy(d->durable.tree, free);
	d->durable = (struct dirstore_dirs){0};
}

void
dirstore_forget_dirs(struct dirstore *d)
{
	pthread_mutex_lock(&d->mu);
	forget(d);
	pthread_mutex_unlock(&d->mu);
}

static bool
is_durable(struct dirstore *d, const char *path)
{
	bool found;

	pthread_mutex_lock(&d->mu);
	found = tfind(path, &d->durable.tree, by_path) != NULL;
	pthread_mutex_unlock(&d->mu);
	return found;
}

static int
remember(struct dirstore *d, const char *path, struct err *err)
{
	char *copy = strdup(path);
	char **node;

	if (copy == NULL)
		return err_nomem(err);
	pthread_mutex_lock(&d->mu);
	if (d->durable.count >= DURABLE_MAX)
		forget(d);
	node = tsearch(copy, &d->durable.tree, by_path);
	if (node != NULL && *node == copy)
		d->durable.count++;
	pthread_mutex_unlock(&d->mu);
	if (node == NULL) {
		free(copy);
		return err_nomem(err);
	}
	if (*node != copy)
		free(copy); /* another thread was faster */
	return 0;
}

int
dirstore_sync_dir(const struct dirstore *d, const char *path, struct err *err)
{
	int fd = openat(d->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return dirstore_fail(d, err, "open", path);
	/* EINVAL: a filesystem that knows no such thing (some networked ones) */
	if (d->io->fsync(d->io->arg, fd) != 0 && errno != EINVAL)
		rc = dirstore_fail(d, err, "sync", path);
	(void)close(fd);
	return rc;
}

int
dirstore_make_dir(struct dirstore *d, const char *path, struct err *err)
{
	char parent[OBJECT_REF_TEXT];
	char *slash;
	int rc;

	if (strcmp(path, ".") == 0 || is_durable(d, path))
		return 0;
	(void)snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash != NULL)
		*slash = '\0';
	else
		(void)snprintf(parent, sizeof(parent), ".");
	rc = dirstore_make_dir(d, parent, err);
	if (rc != 0)
		return rc;
	if (d->io->mkdir(d->io->arg, d->root, path, DIR_MODE) != 0 &&
	    errno != EEXIST)
		return dirstore_fail(d, err, "make", path);
	rc = dirstore_sync_dir(d, parent, err);
	if (rc != 0)
		return rc;
	return remember(d, path, err);
}
