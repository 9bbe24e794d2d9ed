#include "snapshot/store/dirstore.h"
#include "snapshot/store/fdcache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* From here on it is worth to tell the kernel that all of it will be read. */
#define WILL_READ_ALL (128 * 1024)

/* The kernel cuts longer advice short, without a word. */
#define ASK_AT_ONCE (128 * 1024)
#define STEP (1024 * 1024) /* bytes to fetch, while others wait */
#define LOOK (2 * STEP)    /* from one look at what is there to the next */

/* O_NONBLOCK so that a FIFO, which is no object, can't hold us up. */
static int
open_object(const struct dirstore *d, const struct object_ref *ref,
    const char *text, int *fd, struct stat *st, struct err *err)
{
	int f = openat(d->root, text,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (f < 0)
		return dirstore_fail(d, err, "open", text);
	if (fstat(f, st) != 0) {
		int rc = dirstore_fail(d, err, "open", text);

		(void)close(f);
		return rc;
	}
	if (!S_ISREG(st->st_mode)) {
		(void)close(f);
		return dirstore_not_file(d, err, text);
	}
	/* One look-up in an index reads one page somewhere in it. */
	if (ref->cls == OBJECT_INDEX)
		(void)posix_fadvise(f, 0, 0, POSIX_FADV_RANDOM);
	*fd = f;
	return 0;
}

static int
read_full(const struct dirstore *d, const char *text, int fd, void *buf,
    size_t len, uint64_t off, struct err *err)
{
	uint8_t *p = buf;
	size_t done = 0;

	/* Past what a file can have: nothing is there, as at any other end. */
	if (off > INT64_MAX - len)
		return err_set(err, ERR_CORRUPT,
		    "'%s/%s' ends before offset %llu", d->base.address, text,
		    (unsigned long long)off);
	while (done < len) {
		ssize_t n =
		    pread(fd, p + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return dirstore_fail(d, err, "read", text);
		if (n == 0)
			return err_set(err, ERR_CORRUPT,
			    "'%s/%s' is cut short: only %zu of %zu bytes at "
			    "offset %llu",
			    d->base.address, text, done, len,
			    (unsigned long long)off);
		done += (size_t)n;
	}
	return 0;
}

int
dirstore_get(struct store *s, const struct object_ref *ref, size_t max,
    uint8_t **buf, size_t *len, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	char text[OBJECT_REF_TEXT];
	struct stat st;
	uint8_t *p;
	size_t size;
	int fd, rc;

	object_ref_text(ref, text);
	rc = open_object(d, ref, text, &fd, &st, err);
	if (rc != 0)
		return rc;
	if ((uint64_t)st.st_size > max) {
		(void)close(fd);
		return err_set(err, ERR_CORRUPT,
		    "'%s/%s' has %lld bytes where at most %zu are allowed",
		    s->address, text, (long long)st.st_size, max);
	}
	size = (size_t)st.st_size;
	if (size > WILL_READ_ALL)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	p = malloc(size > 0 ? size : 1);
	rc = p == NULL ? err_nomem(err)
		       : read_full(d, text, fd, p, size, 0, err);
	(void)close(fd);
	if (rc != 0) {
		free(p);
		return rc;
	}
	*buf = p;
	*len = size;
	return 0;
}

static int
use_object(struct dirstore *d, const struct object_ref *ref, const char *text,
    struct fdcache_file **out, struct err *err)
{
	struct stat st;
	int fd, rc;

	*out = fdcache_get(d->files, ref);
	if (*out != NULL)
		return 0;
	rc = open_object(d, ref, text, &fd, &st, err);
	if (rc != 0)
		return rc;
	*out = fdcache_add(d->files, ref, fd, err);
	return *out == NULL ? ERR_NOMEM : 0;
}

int
dirstore_read_at(struct store *s, const struct object_ref *ref, uint64_t off,
    void *buf, size_t len, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	char text[OBJECT_REF_TEXT];
	struct fdcache_file *f;
	int rc;

	object_ref_text(ref, text);
	rc = use_object(d, ref, text, &f, err);
	if (rc != 0)
		return rc;
	rc = read_full(d, text, fdcache_fd(f), buf, len, off, err);
	fdcache_release(d->files, f);
	return rc;
}

/* As far as a few looks tell. Where the filesystem can't, it is not. */
static bool
is_fetched(int fd, off_t size)
{
	char byte;
	struct iovec v = {.iov_base = &byte, .iov_len = 1};

	for (off_t off = 0; off < size; off += LOOK)
		if (preadv2(fd, &v, 1, off, RWF_NOWAIT) != 1)
			return false;
	return true;
}

/*
 * Into the system's cache, a step ahead of what is there: who reads something
 * else meanwhile waits for a step, and not for all of it.
 */
static void
fetch(int fd, off_t size)
{
	char byte;

	for (off_t off = 0; off < size; off += STEP) {
		for (off_t i = off; i < off + STEP; i += ASK_AT_ONCE)
			(void)posix_fadvise(
			    fd, i, ASK_AT_ONCE, POSIX_FADV_WILLNEED);
		if (off > 0 && pread(fd, &byte, 1, off - 1) != 1)
			return;
	}
}

void
dirstore_will_read(struct store *s, const struct object_ref *ref)
{
	struct dirstore *d = dirstore_of(s);
	char text[OBJECT_REF_TEXT];
	struct fdcache_file *f;
	struct err why;
	struct stat st;

	object_ref_text(ref, text);
	if (use_object(d, ref, text, &f, &why) != 0)
		return;
	if (fstat(fdcache_fd(f), &st) == 0 &&
	    !is_fetched(fdcache_fd(f), st.st_size))
		fetch(fdcache_fd(f), st.st_size);
	fdcache_release(d->files, f);
}

static int
look_at(const struct dirstore *d, const struct object_ref *ref, struct stat *st,
    struct err *err)
{
	char text[OBJECT_REF_TEXT];

	object_ref_text(ref, text);
	if (fstatat(d->root, text, st, AT_SYMLINK_NOFOLLOW) != 0)
		return dirstore_fail(d, err, "look at", text);
	return S_ISREG(st->st_mode) ? 0 : dirstore_not_file(d, err, text);
}

int
dirstore_size(struct store *s, const struct object_ref *ref, uint64_t *size,
    struct err *err)
{
	struct stat st;
	int rc = look_at(dirstore_of(s), ref, &st, err);

	if (rc == 0)
		*size = (uint64_t)st.st_size;
	return rc;
}

int
dirstore_time(struct store *s, const struct object_ref *ref, int64_t *when,
    struct err *err)
{
	struct stat st;
	int rc = look_at(dirstore_of(s), ref, &st, err);

	if (rc == 0)
		*when = (int64_t)st.st_mtime;
	return rc;
}
