#include "snapshot/backup/cachedir.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CACHEDIR_NAME "CACHEDIR.TAG"
#define CACHEDIR_SIGNATURE "Signature: 8a477f597d28d172789f06886806bc55"

bool
cachedir_is(int dir, const struct listing *list)
{
	char buf[sizeof(CACHEDIR_SIGNATURE) - 1];
	ssize_t n;
	int fd;

	if (!listing_has(list, CACHEDIR_NAME))
		return false;
	fd = openat(
	    dir, CACHEDIR_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf));
	close(fd);
	return n == (ssize_t)sizeof(buf) &&
	       memcmp(buf, CACHEDIR_SIGNATURE, sizeof(buf)) == 0;
}

void
cachedir_keep_tag(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->names[i], CACHEDIR_NAME) == 0)
			l->names[0] = l->names[i];
	}
	l->n = 1;
}
