#include "fs/mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A mount is made within milliseconds; who holds the lock longer makes none. */
#define LOCK_WAIT_S 10
#define LOCK_LOOK_NS 10000000

static void
free_text(char **p)
{
	free(*p);
}

#define TEXT_AUTO __attribute__((cleanup(free_text)))

/* Whether ${path} is ${dir} or lies in it; both absolute and resolved. */
static bool
lies_in(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

static int
check_store(const char *at, const char *store, struct err *err)
{
	TEXT_AUTO char *path = realpath(store, NULL);

	if (path == NULL)
		return err_errno(err, "cannot resolve '%s'", store);
	if (lies_in(at, path))
		return err_set(err, ERR_USAGE,
		    "mount point '%s' lies in the store '%s'", at, store);
	if (lies_in(path, at))
		return err_set(err, ERR_USAGE,
		    "the store '%s' lies below the mount point '%s'", store,
		    at);
	return 0;
}

static bool
is_mount(const struct stat *st, const char *at)
{
	TEXT_AUTO char *up = NULL;
	struct stat above;

	if (asprintf(&up, "%s/..", at) < 0)
		up = NULL;
	return up != NULL && stat(up, &above) == 0 &&
	       (above.st_dev != st->st_dev || above.st_ino == st->st_ino);
}

static int
check_empty(const char *at, struct err *err)
{
	DIR *dir = opendir(at);
	const struct dirent *de;

	if (dir == NULL)
		return err_errno(err, "cannot read mount point '%s'", at);
	do
		de = readdir(dir);
	while (de != NULL &&
	       (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0));
	(void)closedir(dir);
	if (de != NULL)
		return err_set(
		    err, ERR_USAGE, "mount point '%s' is not empty", at);
	return 0;
}

/* What stat() of a mount point says when it fails. */
static int
no_stat(const char *mountpoint, struct err *err)
{
	if (errno == ENOENT)
		return err_set(err, ERR_USAGE,
		    "mount point '%s' does not exist", mountpoint);
	if (errno == ENOTDIR)
		return err_set(err, ERR_USAGE,
		    "mount point '%s' is not a directory", mountpoint);
	if (errno == ENOTCONN)
		return err_set(err, ERR_USAGE,
		    "mount point '%s' is a mount whose process has died: "
		    "unmount it first (fusermount3 -u)",
		    mountpoint);
	return err_errno(err, "cannot use mount point '%s'", mountpoint);
}

static int
check_no_mount(const char *mountpoint, const char *at, struct err *err)
{
	struct stat st;

	if (stat(at, &st) != 0)
		return no_stat(mountpoint, err);
	if (is_mount(&st, at))
		return err_set(err, ERR_USAGE,
		    "something is mounted on '%s' already", mountpoint);
	return 0;
}

int
fs_check_mountpoint(const char *mountpoint, const char *store, struct err *err)
{
	TEXT_AUTO char *at = NULL;
	struct stat st;
	struct err why;
	int rc;

	if (stat(mountpoint, &st) != 0)
		return no_stat(mountpoint, err);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_USAGE,
		    "mount point '%s' is not a directory", mountpoint);
	at = realpath(mountpoint, NULL);
	if (at == NULL)
		return no_stat(mountpoint, err);
	rc = check_no_mount(mountpoint, at, err);
	if (rc == 0 && store != NULL)
		rc = check_store(at, store, err);
	if (rc != 0 || (rc = check_empty(at, err)) == 0)
		return rc;
	/* Not empty by a mount that was made since: that is what to say. */
	if (check_no_mount(mountpoint, at, &why) != 0)
		return err_copy(err, &why);
	return rc;
}

int
fs_lock_mountpoint(const char *mountpoint, int *out, struct err *err)
{
	const struct timespec look = {.tv_nsec = LOCK_LOOK_NS};
	unsigned looks = LOCK_WAIT_S * (1000000000 / LOCK_LOOK_NS);
	int fd = open(mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*out = -1;
	if (fd < 0)
		return no_stat(mountpoint, err);
	while (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		/* Anybody may hold it for ever: that is to keep nobody out. */
		if (looks-- == 0)
			break;
		(void)nanosleep(&look, NULL);
	}
	/* Nor does a filesystem that locks no directory. */
	*out = fd;
	return 0;
}
