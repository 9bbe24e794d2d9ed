#include "snapshot/state/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_MODE 0700
#define FILE_MODE 0600
#define PATH_LEN_MAX 4096

/* The umask can only take bits away, so those of a new one are set again. */
static int
make_dir(const char *path, struct err *err)
{
	if (mkdir(path, DIR_MODE) == 0) {
		if (chmod(path, DIR_MODE) != 0)
			return err_errno(
			    err, "cannot set the mode of '%s'", path);
		return 0;
	}
	if (errno != EEXIST)
		return err_errno(err, "cannot make directory '%s'", path);
	return 0;
}

int
private_dir(const char *path, struct err *err)
{
	char part[PATH_LEN_MAX];
	int len = snprintf(part, sizeof(part), "%s", path);
	int rc;

	if (len <= 0 || (size_t)len >= sizeof(part))
		return err_set(
		    err, ERR_USAGE, "cannot make directory '%s'", path);
	for (char *p = strchr(part + 1, '/'); p != NULL;
	     p = strchr(p + 1, '/')) {
		*p = '\0';
		rc = make_dir(part, err);
		if (rc != 0)
			return rc;
		*p = '/';
	}
	return make_dir(part, err);
}

int
private_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    FILE_MODE);
	int rc = 0;

	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0)
		return err_errno(err, "cannot make '%s'", path);
	if (fchmod(fd, FILE_MODE) != 0)
		rc = err_errno(err, "cannot set the mode of '%s'", path);
	(void)close(fd);
	return rc;
}

int
private_lock(const char *path, int *fd, struct err *err)
{
	int rc = private_file(path, err);

	*fd = -1;
	if (rc != 0)
		return rc;
	*fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return err_errno(err, "cannot open '%s'", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		rc = err_set(
		    err, ERR_LOCKED, "'%s' is held by another process", path);
	else
		rc = err_errno(err, "cannot lock '%s'", path);
	(void)close(*fd);
	*fd = -1;
	return rc;
}
