#include "snapshot/backup/grab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file that changes while it is read is read once more, if it is small. */
#define RETRY_BYTES (64 * 1024 * 1024)

static void
set_fate(struct item *it, int errnum)
{
	it->errnum = errnum;
	it->fate = errnum == ENOENT || errnum == ENOTDIR ? ITEM_VANISHED
							 : ITEM_UNREADABLE;
}

int
grab_open(int dirfd, const char *name)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(dirfd, name, flags | O_NOATIME);

	/* Not our file: its access time will show that it was read. */
	if (fd < 0 && errno == EPERM)
		fd = openat(dirfd, name, flags);
	return fd;
}

static bool
same_version(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Read an open file once; *${changed} when it did not hold still. */
static int
read_once(struct worker *w, int fd, struct item *it,
    const struct grab_options *opt, bool *changed, struct err *err)
{
	struct feed_result res = {0};
	struct stat after;
	bool sparse;
	int ret;

	*changed = false;
	wr_reset(&it->content);
	sparse = it->st.st_size > 0 && it->st.st_blocks < it->st.st_size / 512;
	ret = feed_file(w, fd, (uint64_t)it->st.st_size, sparse, &it->content,
	    &res, opt->read, opt->stop, err);
	if (ret != 0)
		return ret;
	it->size = res.size;
	if (res.errnum != 0) {
		set_fate(it, res.errnum);
		return 0;
	}
	if (fstat(fd, &after) != 0)
		set_fate(it, errno);
	else
		*changed = !same_version(&it->st, &after) ||
			   res.size != (uint64_t)it->st.st_size;
	return 0;
}

static int
grab_open_file(struct worker *w, int fd, struct item *it,
    const struct grab_options *opt, struct err *err)
{
	bool changed = false;
	int ret;

	for (unsigned tries = 0; tries < 2; tries++) {
		if (fstat(fd, &it->st) != 0) {
			set_fate(it, errno);
			return 0;
		}
		if (!S_ISREG(it->st.st_mode)) {
			set_fate(it, ENOENT); /* another took its name */
			return 0;
		}
		if ((ret = grab_xattrs(w->lane, fd, NULL, it, err)) != 0)
			return ret;
		if ((ret = read_once(w, fd, it, opt, &changed, err)) != 0)
			return ret;
		if (!changed || it->st.st_size > RETRY_BYTES)
			break;
	}
	if (changed && it->fate == ITEM_GOOD)
		it->fate = ITEM_CHANGED;
	return 0;
}

static int
grab_file(struct worker *w, int dirfd, struct item *it,
    const struct grab_options *opt, struct err *err)
{
	const struct stat met = it->st;
	int fd = grab_open(dirfd, it->name);
	int ret;

	if (fd < 0) {
		set_fate(it, errno);
		return 0;
	}
	ret = grab_open_file(w, fd, it, opt, err);
	close(fd);
	/* A link made or removed meanwhile: as the walk saw it, all links agree. */
	if (it->st.st_dev == met.st_dev && it->st.st_ino == met.st_ino)
		it->st.st_nlink = met.st_nlink;
	return ret;
}

static int
grab_target(int dirfd, struct item *it, struct err *err)
{
	size_t cap = (size_t)it->st.st_size + 1;
	ssize_t n;

	for (;; cap *= 2) {
		if (cap > ENTRY_TARGET_MAX + 1)
			cap = ENTRY_TARGET_MAX + 1;
		free(it->target);
		if ((it->target = malloc(cap)) == NULL)
			return err_nomem(err);
		n = readlinkat(dirfd, it->name, it->target, cap);
		if (n < 0) {
			set_fate(it, errno);
			return 0;
		}
		if ((size_t)n < cap || cap > ENTRY_TARGET_MAX)
			break;
	}
	it->target[n < ENTRY_TARGET_MAX ? n : ENTRY_TARGET_MAX] = '\0';
	return 0;
}

/* What has no content. It can't be opened; /proc has a way to its name. */
static int
grab_meta(struct worker *w, int dirfd, struct item *it, struct err *err)
{
	char path[64 + ENTRY_NAME_MAX];
	int ret;

	if (it->fate != ITEM_GOOD)
		return 0;
	if (S_ISLNK(it->st.st_mode) &&
	    ((ret = grab_target(dirfd, it, err)) != 0 || it->fate != ITEM_GOOD))
		return ret;
	(void)snprintf(
	    path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, it->name);
	return grab_xattrs(w->lane, -1, path, it, err);
}

int
grab_item(struct worker *w, int dirfd, struct item *it,
    const struct grab_options *opt, struct err *err)
{
	if (it->what == ITEM_READ)
		return grab_file(w, dirfd, it, opt, err);
	if (it->what == ITEM_META)
		return grab_meta(w, dirfd, it, err);
	return 0;
}

int
grab_batch(struct worker *w, struct job *job, void *arg, struct err *err)
{
	const struct grab_options *opt = arg;
	int ret = 0;

	for (size_t i = 0; i < job->n && ret == 0; i++) {
		if (opt->stop != NULL && atomic_load(opt->stop))
			return err_set(err, ERR_CANCELLED, "stopped");
		ret = grab_item(w, job->dir->fd, job->items[i], opt, err);
	}
	return ret;
}
