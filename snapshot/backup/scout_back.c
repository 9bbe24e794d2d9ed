/*
 * The way back into a directory that was closed while the scout was far below
 * it. Whoever owns a part of the source may move it meanwhile, and must not
 * keep all else from being backed up by that.
 */
#include "snapshot/backup/scout_internal.h"
#include "snapshot/tree/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Close ${fd}, and fail with ${errnum}. */
static int
give_up(int fd, int errnum)
{
	(void)close(fd);
	errno = errnum;
	return -1;
}

/* ${fd}, which is taken over, if it is the directory that ${st} is of. */
static int
only_if(int fd, const struct stat *st)
{
	struct stat now;

	if (fd < 0)
		return -1;
	if (fstat(fd, &now) != 0)
		return give_up(fd, errno);
	if (now.st_dev != st->st_dev || now.st_ino != st->st_ino)
		return give_up(fd, ENOENT); /* another has its name */
	return fd;
}

/* By ${path} from ${root}, name by name. */
static int
open_below(int root, const char *path)
{
	char name[ENTRY_NAME_MAX + 1];
	int fd = openat(root, ".", DIR_FLAGS);

	while (fd >= 0 && *path != '\0') {
		size_t len = strcspn(path, "/");
		int above = fd;

		if (len >= sizeof(name))
			return give_up(fd, ENAMETOOLONG);
		memcpy(name, path, len);
		name[len] = '\0';
		path += len + (path[len] == '/');
		fd = openat(above, name, DIR_FLAGS);
		if (fd < 0)
			return give_up(above, errno);
		(void)close(above);
	}
	return fd;
}

int
scout_reopen(int child, int root, const char *path, const struct stat *st)
{
	int fd = -1;

	if (child >= 0)
		fd = only_if(openat(child, "..", DIR_FLAGS), st);
	return fd >= 0 ? fd : only_if(open_below(root, path), st);
}
