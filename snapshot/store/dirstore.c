#include "snapshot/store/dirstore.h"
#include "snapshot/store/fdcache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
dirstore_not_file(const struct dirstore *d, struct err *err, const char *path)
{
	return err_set(err, ERR_CORRUPT, "'%s/%s' is not a regular file",
	    d->base.address, path);
}

int
dirstore_fail(const struct dirstore *d, struct err *err, const char *verb,
    const char *path)
{
	switch (errno) {
	case ELOOP: /* O_NOFOLLOW met a symbolic link */
	case ENXIO: /* a socket, or a device without a driver */
		return dirstore_not_file(d, err, path);
	case ENOTDIR:
		return err_set(err, ERR_CORRUPT,
		    "cannot %s '%s/%s': something on its path is not a "
		    "directory",
		    verb, d->base.address, path);
	default:
		return err_errno(
		    err, "cannot %s '%s/%s'", verb, d->base.address, path);
	}
}

static void
dirstore_close(struct store *s)
{
	struct dirstore *d = dirstore_of(s);

	fdcache_free(d->files);
	dirstore_forget_dirs(d);
	dirstore_free_marks(d);
	pthread_mutex_destroy(&d->mu);
	if (d->root >= 0)
		(void)close(d->root);
	free(d->base.address);
	free(d->base.path);
	free(d);
}

static const struct store_ops dirstore_ops = {
    .close = dirstore_close,
    .get = dirstore_get,
    .read_at = dirstore_read_at,
    .will_read = dirstore_will_read,
    .size = dirstore_size,
    .time = dirstore_time,
    .list = dirstore_list,
    .list_datasets = dirstore_list_datasets,
    .log_mark = dirstore_log_mark,
    .replica = dirstore_replica,
    .set_replica = dirstore_set_replica,
    .left = dirstore_left,
    .set_left = dirstore_set_left,
    .draft_new = dirstore_draft_new,
    .draft_write = dirstore_draft_write,
    .draft_commit = dirstore_draft_commit,
    .drafts_commit = dirstore_drafts_commit,
    .draft_free = dirstore_draft_free,
    .sync = dirstore_sync,
    .remove = dirstore_remove,
    .set_aside = dirstore_set_aside,
    .lock = dirstore_lock,
    .lock_note = dirstore_lock_note,
    .lock_look = dirstore_lock_look,
    .unlock = dirstore_unlock,
};

static int
open_failed(const char *address, struct err *err)
{
	struct stat st;
	int errnum = errno;

	if (errnum == ENOTDIR && stat(address, &st) == 0)
		return err_set(err, ERR_CORRUPT,
		    "'%s' is not a Varve store: it is not a directory",
		    address);
	if (errnum == ENOENT || errnum == ENOTDIR)
		return err_set(err, ERR_NOT_FOUND,
		    "no store at '%s': no such directory", address);
	errno = errnum;
	return err_errno(err, "cannot open store '%s'", address);
}

int
dirstore_attach(const char *address, const struct sysio *io, struct store **out,
    struct err *err)
{
	AUTO(store) struct store *s = NULL;
	struct dirstore *d = calloc(1, sizeof(*d));
	int rc;

	*out = NULL;
	if (d == NULL)
		return err_nomem(err);
	s = &d->base;
	s->ops = &dirstore_ops;
	d->io = io;
	pthread_mutex_init(&d->mu, NULL);

	d->root = open(address, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->root < 0)
		return open_failed(address, err);
	s->address = strdup(address);
	if (s->address == NULL)
		return err_nomem(err);
	/* The process may leave its working directory; the path must last. */
	s->path = realpath(address, NULL);
	if (s->path == NULL)
		return err_errno(err, "cannot resolve '%s'", address);
	rc = fdcache_new(&d->files, err);
	if (rc != 0)
		return rc;
	*out = STEAL(s);
	return 0;
}

int
dirstore_open(const char *address, const struct sysio *io, struct store **out,
    struct err *err)
{
	AUTO(store) struct store *s = NULL;
	struct stat st;
	int rc = dirstore_attach(address, io, &s, err);

	*out = NULL;
	if (rc != 0)
		return rc;
	if (fstatat(dirstore_of(s)->root, "varve", &st, AT_SYMLINK_NOFOLLOW) !=
	    0) {
		if (errno == ENOENT &&
		    faccessat(dirstore_of(s)->root, "site/replica", F_OK,
			AT_SYMLINK_NOFOLLOW) == 0)
			return err_set(err, ERR_NOT_FOUND,
			    "the replica at '%s' is empty: nothing was sent to"
			    " it yet",
			    address);
		if (errno == ENOENT)
			return err_set(err, ERR_CORRUPT,
			    "'%s' is not a Varve store: it has no file 'varve'",
			    address);
		return err_errno(err, "cannot open store '%s'", address);
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CORRUPT,
		    "'%s' is not a Varve store: its 'varve' is not a regular "
		    "file",
		    address);
	*out = STEAL(s);
	return 0;
}
