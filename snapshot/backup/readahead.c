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

/* Look at an item of ${job}. */
static void
look(struct readahead *r, struct job *job, const struct item *it)
{
	int fd = grab_open(job->dir->fd, it->name);
	size_t len = READAHEAD_BYTES;

	r->passed = 0;
	if (r->looks > 0)
		r->looks--;
	if (fd < 0)
		return;
	if (!is_cached(fd)) {
		if ((uint64_t)it->st.st_size < len)
			len = (size_t)it->st.st_size;
		(void)posix_fadvise(fd, 0, (off_t)len, POSIX_FADV_WILLNEED);
		job->asked += len;
		r->looks = LOOKS;
	}
	(void)close(fd);
}

void
readahead_job(struct readahead *r, struct job *job)
{
	if (!job->to_work || atomic_load(&r->asked) >= READAHEAD_MOST)
		return;
	for (size_t i = 0; i < job->n; i++) {
		const struct item *it = job->items[i];

		if (it->what != ITEM_READ || it->st.st_size <= 0)
			continue;
		if (r->looks > 0 || ++r->passed == LOOK_EVERY)
			look(r, job, it);
	}
	atomic_fetch_add(&r->asked, job->asked);
}

void
readahead_done(struct readahead *r, const struct job *job)
{
	atomic_fetch_sub(&r->asked, job->asked);
}
