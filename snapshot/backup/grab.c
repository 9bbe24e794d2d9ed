#include "snapshot/backup/grab.h"
#include "snapshot/backup/readahead.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A file that changes while it is read is read once more, if it is small. */
#define RETRY_BYTES (64 * 1024 * 1024)
/* So often something of another kind may take a name while it is looked at. */
#define GRAB_TRIES 4
/*
 * Whoever holds a lease (a file server, for its client) gives it back when asked
 * to, which opening does; or the kernel takes it away after lease-break-time, 45
 * seconds unless somebody set it.
 */
#define LEASE_WAIT_S 60
#define LEASE_LOOK_NS 20000000
#define LEASE_LOOKS (LEASE_WAIT_S * (1000000000 / LEASE_LOOK_NS))
/* But whoever owns files may keep leases on many: all together, so long. */
#define LEASE_LOOKS_RUN (2 * LEASE_LOOKS)

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
stopped(const struct grab_options *opt)
{
	return opt->stop != NULL && atomic_load(opt->stop);
}

static bool
may_look(const struct grab_options *opt)
{
	return !stopped(opt) &&
	       (opt->lease_looks == NULL ||
		   atomic_fetch_add(opt->lease_looks, 1) < LEASE_LOOKS_RUN);
}

/*
 * The file's descriptor, or -1 and errno: EWOULDBLOCK when its lease was not given
 * back, or the wait for that was stopped. To let open() wait would be to wait for
 * a writer, too, where a FIFO took the name.
 */
static int
open_leased(int dirfd, const char *name, const struct grab_options *opt)
{
	const struct timespec look = {.tv_nsec = LEASE_LOOK_NS};
	unsigned looks = LEASE_LOOKS;
	int fd = grab_open(dirfd, name);

	while (fd < 0 && errno == EWOULDBLOCK && looks-- > 0 && may_look(opt)) {
		(void)nanosleep(&look, NULL);
		fd = grab_open(dirfd, name);
	}
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

/*
 * A file that shows no size may have bytes all the same, in procfs for one: then
 * all of them are read. One that has just grown shows its size by now. Returns
 * an errno; one that would keep its reader waiting has none to give.
 */
static int
look_unsized(int fd, struct stat *st, bool *unsized)
{
	char byte;
	ssize_t n;

	*unsized = false;
	if (st->st_size != 0)
		return 0;
	n = pread(fd, &byte, 1, 0);
	if (n < 0 && errno != EAGAIN)
		return errno;
	if (n <= 0)
		return 0;
	if (fstat(fd, st) != 0)
		return errno;
	*unsized = st->st_size == 0;
	return 0;
}

static int
read_bytes(struct worker *w, int fd, struct item *it,
    const struct grab_options *opt, bool unsized, struct feed_result *res,
    struct err *err)
{
	const struct stat *st = &it->st;
	bool sparse = st->st_size > 0 && st->st_blocks < st->st_size / 512;

	wr_reset(&it->content);
	if (unsized)
		return feed_unsized(
		    w, fd, &it->content, res, opt->read, opt->stop, err);
	return feed_file(w, fd, (uint64_t)st->st_size, sparse, &it->content,
	    res, opt->read, opt->stop, err);
}

/* Read an open file once; *${changed} when it did not hold still. */
static int
read_once(struct worker *w, int fd, struct item *it,
    const struct grab_options *opt, bool *changed, struct err *err)
{
	struct feed_result res = {0};
	struct stat after;
	bool unsized;
	int ret, errnum;

	*changed = false;
	errnum = look_unsized(fd, &it->st, &unsized);
	if (errnum != 0) {
		set_fate(it, errnum);
		return 0;
	}
	ret = read_bytes(w, fd, it, opt, unsized, &res, err);
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
			   (!unsized && res.size != (uint64_t)it->st.st_size);
	return 0;
}

/* *${another}: something that is no file has taken its name. */
static int
grab_open_file(struct worker *w, int fd, struct item *it,
    const struct grab_options *opt, bool *another, struct err *err)
{
	bool changed = false;
	int ret;

	for (unsigned tries = 0; tries < 2; tries++) {
		if (fstat(fd, &it->st) != 0) {
			set_fate(it, errno);
			return 0;
		}
		*another = !S_ISREG(it->st.st_mode);
		if (*another)
			return 0;
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
    const struct grab_options *opt, bool *another, struct err *err)
{
	const struct stat met = it->st;
	int fd = open_leased(dirfd, it->name, opt);
	int ret;

	if (fd < 0 && errno == EWOULDBLOCK && stopped(opt))
		return err_set(err, ERR_CANCELLED, "stopped");
	if (fd < 0) {
		*another = errno == ELOOP; /* a symlink */
		if (!*another)
			set_fate(it, errno);
		return 0;
	}
	ret = grab_open_file(w, fd, it, opt, another, err);
	close(fd);
	/* A link made or removed meanwhile: as the walk saw it, all links agree. */
	if (it->st.st_dev == met.st_dev && it->st.st_ino == met.st_ino)
		it->st.st_nlink = met.st_nlink;
	return ret;
}

/* Of the symlink ${fd}. */
static int
grab_target(int fd, struct item *it, struct err *err)
{
	size_t cap = (size_t)it->st.st_size + 1;
	ssize_t n;

	for (;; cap *= 2) {
		if (cap > ENTRY_TARGET_MAX + 1)
			cap = ENTRY_TARGET_MAX + 1;
		free(it->target);
		if ((it->target = malloc(cap)) == NULL)
			return err_nomem(err);
		n = readlinkat(fd, "", it->target, cap);
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

/*
 * It can't be read by its descriptor; /proc has a way to what that stands for.
 * *${another}: a file has taken its name.
 */
static int
grab_held(
    struct worker *w, int fd, struct item *it, bool *another, struct err *err)
{
	const struct stat met = it->st;
	char path[64];
	int ret;

	if (fstat(fd, &it->st) != 0 || S_ISDIR(it->st.st_mode)) {
		it->st = met;
		set_fate(it, ENOENT);
		return 0;
	}
	*another = S_ISREG(it->st.st_mode);
	if (*another)
		return 0;
	if (it->st.st_dev == met.st_dev && it->st.st_ino == met.st_ino)
		it->st.st_nlink = met.st_nlink;
	if (S_ISLNK(it->st.st_mode) &&
	    ((ret = grab_target(fd, it, err)) != 0 || it->fate != ITEM_GOOD))
		return ret;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return grab_xattrs(w->lane, -1, path, it, err);
}

/* What has no content: held, so that all of it is of one and the same. */
static int
grab_meta(struct worker *w, int dirfd, struct item *it, bool *another,
    struct err *err)
{
	int fd, ret;

	if (it->fate != ITEM_GOOD)
		return 0;
	fd = openat(dirfd, it->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		set_fate(it, errno);
		return 0;
	}
	ret = grab_held(w, fd, it, another, err);
	close(fd);
	return ret;
}

int
grab_item(struct worker *w, int dirfd, struct item *it,
    const struct grab_options *opt, struct err *err)
{
	for (unsigned tries = 0; tries < GRAB_TRIES; tries++) {
		bool another = false;
		int ret = 0;

		if (it->what == ITEM_READ)
			ret = grab_file(w, dirfd, it, opt, &another, err);
		else if (it->what == ITEM_META)
			ret = grab_meta(w, dirfd, it, &another, err);
		if (ret != 0 || !another)
			return ret;
		it->what = it->what == ITEM_READ ? ITEM_META : ITEM_READ;
	}
	set_fate(it, ENOENT);
	return 0;
}

int
grab_batch(struct worker *w, struct job *job, void *arg, struct err *err)
{
	const struct grab_options *opt = arg;
	int ret = 0;

	for (size_t i = 0; i < job->n && ret == 0; i++) {
		if (stopped(opt))
			return err_set(err, ERR_CANCELLED, "stopped");
		ret = grab_item(w, job->dir->fd, job->items[i], opt, err);
	}
	if (opt->ahead != NULL)
		readahead_done(opt->ahead, job);
	return ret;
}
