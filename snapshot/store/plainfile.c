#include "snapshot/store/plainfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
plainfile_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

int
plainfile_read(int fd, void *buf, size_t max, size_t *len)
{
	uint8_t *p = buf;

	*len = 0;
	while (*len < max) {
		ssize_t n = read(fd, p + *len, max - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return 0;
}

int
plainfile_write(int fd, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
plainfile_sync_parent(const char *path)
{
	char *copy = strdup(path);
	FD_AUTO int fd = -1;

	if (copy == NULL)
		return -1;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	return fd < 0 ? -1 : fsync(fd);
}
