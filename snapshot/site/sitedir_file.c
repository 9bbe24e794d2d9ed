#include "snapshot/site/sitedir_internal.h"
#include "snapshot/store/plainfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_MODE 0755 /* its key has a mode of its own */
#define FILE_MODE 0644

int
sitedir_file_path(const char *address, const char *file, char out[SITEDIR_PATH],
    struct err *err)
{
	int len = snprintf(out, SITEDIR_PATH, "%s/%s", address, file);

	if (len < 0 || len >= SITEDIR_PATH)
		return err_set(err, ERR_USAGE, "path too long: '%s'", address);
	return 0;
}

int
sitedir_file_read(
    const char *path, size_t max, char **buf, size_t *len, struct err *err)
{
	FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *got;

	*buf = NULL;
	*len = 0;
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_errno(err, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CORRUPT, "'%s' is not a file", path);
	/* One more than it may have, so that too much is noticed. */
	got = malloc(max + 2);
	if (got == NULL)
		return err_nomem(err);
	if (plainfile_read(fd, got, max + 1, len) != 0 || *len > max) {
		free(got);
		if (*len > max)
			return err_set(
			    err, ERR_CORRUPT, "'%s' is too long", path);
		return err_errno(err, "cannot read '%s'", path);
	}
	got[*len] = '\0';
	*buf = got;
	return 0;
}

int
sitedir_file_write(
    const char *path, const void *buf, size_t len, struct err *err)
{
	char new[SITEDIR_PATH + 8];
	FD_AUTO int fd = -1;

	(void)snprintf(new, sizeof(new), "%s.new", path);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	    FILE_MODE);
	if (fd < 0)
		return err_errno(err, "cannot make '%s'", new);
	if (plainfile_write(fd, buf, len) != 0 || fsync(fd) != 0 ||
	    rename(new, path) != 0 || plainfile_sync_parent(path) != 0)
		return err_errno(err, "cannot write '%s'", path);
	return 0;
}

int
sitedir_file_mkdir(const char *address, struct err *err)
{
	char path[SITEDIR_PATH];
	int rc = sitedir_file_path(address, "site", path, err);

	if (rc != 0)
		return rc;
	if (mkdir(path, DIR_MODE) != 0 && errno != EEXIST)
		return err_errno(err, "cannot make '%s'", path);
	if (plainfile_sync_parent(path) != 0)
		return err_errno(err, "cannot write '%s'", address);
	return 0;
}
