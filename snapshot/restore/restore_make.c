#include "snapshot/restore/restore_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int
make_file(struct restore *rs, int dirfd, const char *name,
    const struct dir_entry *de, struct err *err)
{
	int fd = openat(dirfd, name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(err, "cannot make the file");
	return filler_add(rs->filler, fd, rs->path, de, err);
}

static int
make_symlink(
    int dirfd, const char *name, const struct entry *e, struct err *err)
{
	char *target = strndup((const char *)e->target.p, e->target.len);
	int ret;

	if (target == NULL)
		return err_nomem(err);
	ret = symlinkat(target, dirfd, name);
	if (ret != 0)
		ret = err_errno(err, "cannot make the symlink");
	free(target);
	return ret;
}

static int
make_special(
    int dirfd, const char *name, const struct entry *e, struct err *err)
{
	mode_t mode = (entry_mode(e) & S_IFMT) | 0600;
	dev_t dev = 0;

	if (e->type == ENTRY_CHAR || e->type == ENTRY_BLOCK)
		dev = makedev(e->rdev_major, e->rdev_minor);
	if (mknodat(dirfd, name, mode, dev) != 0)
		return err_errno(err, "cannot make the special file");
	return 0;
}

static int
make_other(struct restore *rs, int dirfd, const char *name,
    const struct entry *e, struct err *err)
{
	int ret = e->type == ENTRY_SYMLINK ? make_symlink(dirfd, name, e, err)
					   : make_special(dirfd, name, e, err);

	if (ret != 0)
		return ret;
	pthread_mutex_lock(&rs->mu);
	rs->out->others++;
	pthread_mutex_unlock(&rs->mu);
	return apply_at(rs->apply, dirfd, name, e, err);
}

/* The directory of ${path} below the target, one step at a time. */
static int
open_parent_of(struct restore *rs, const char *path, struct err *err)
{
	int fd = fcntl(rs->root_fd, F_DUPFD_CLOEXEC, 0);
	const char *slash;

	while (fd >= 0 && (slash = strchr(path, '/')) != NULL) {
		char *step = strndup(path, (size_t)(slash - path));
		int next;

		if (step == NULL) {
			close(fd);
			return err_nomem(err);
		}
		next = openat(
		    fd, step, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		free(step);
		close(fd);
		fd = next;
		path = slash + 1;
	}
	return fd < 0 ? err_errno(err, "cannot reach the first link") : fd;
}

void
restore_unmake(struct restore *rs, const char *path)
{
	const char *slash = strrchr(path, '/');
	int from = open_parent_of(rs, path, NULL);

	if (from < 0)
		return;
	/* What can't be removed stays, empty; its failure has been told. */
	(void)unlinkat(from, slash != NULL ? slash + 1 : path, 0);
	close(from);
}

static int
make_link(struct restore *rs, const char *first, int dirfd, const char *name,
    struct err *err)
{
	const char *slash = strrchr(first, '/');
	int from = open_parent_of(rs, first, err), ret;

	if (from < 0)
		return from;
	ret = linkat(from, slash != NULL ? slash + 1 : first, dirfd, name, 0);
	if (ret != 0)
		ret = err_errno(err, "cannot link to '%s'", first);
	close(from);
	return ret;
}

int
restore_make(struct restore *rs, int dirfd, const char *name,
    const struct dir_entry *de, struct err *err)
{
	const struct entry *e = &de->e;
	const char *first;
	int ret;

	if (e->nlink > 1) {
		first = made_find(rs->made, e->ino, e->nlink);
		if (first != NULL)
			return make_link(rs, first, dirfd, name, err);
		ret = made_add(rs->made, e->ino, rs->path, err);
		if (ret != 0)
			return ret;
	}
	if (e->type == ENTRY_FILE)
		return make_file(rs, dirfd, name, de, err);
	return make_other(rs, dirfd, name, e, err);
}
