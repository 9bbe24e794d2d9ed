#include "snapshot/backup/readahead.h"
#include "snapshot/backup/grab.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

/* One of so many files is looked at where all seem to be in the page cache, */
#define LOOK_EVERY 32
/* and so many, one by one, after one that is not. */
#define LOOKS 256

/* Whether the file's start is there, or nobody can tell. */
static bool
is_cached(int fd)
{
	char byte;
	const struct iovec v = {.iov_base = &byte, .iov_len = 1};

	return preadv2(fd, &v, 1, 0, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

static void
look(struct readahead *r, int dir, const char *name)
{
	int fd = grab_open(dir, name);

	r->passed = 0;
	if (r->looks > 0)
		r->looks--;
	if (fd < 0)
		return;
	if (!is_cached(fd)) {
		(void)posix_fadvise(
		    fd, 0, READAHEAD_BYTES, POSIX_FADV_WILLNEED);
		r->looks = LOOKS;
	}
	(void)close(fd);
}

void
readahead_job(struct readahead *r, const struct job *job)
{
	for (size_t i = 0; job->to_work && i < job->n; i++) {
		const struct item *it = job->items[i];

		if (it->what != ITEM_READ || it->st.st_size == 0)
			continue;
		if (r->looks > 0 || ++r->passed == LOOK_EVERY)
			look(r, job->dir->fd, it->name);
	}
}
