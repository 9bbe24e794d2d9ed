#include "snapshot/access/access_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A key file: whoever can read it is the host, or the site. */

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}
#define FD_AUTO __attribute__((cleanup(close_fd)))

static void
secret_bytes_auto(uint8_t **p)
{
	secret_free(*p);
}

static void
text_auto(char **p)
{
	free(*p);
}

/* --- reading ------------------------------------------------------------ */

static int
check_file(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(err, "cannot read key file '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(
		    err, ERR_CORRUPT, "key file '%s' is not a file", path);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return err_set(err, ERR_DENIED,
		    "key file '%s' is open to others: run 'chmod 600' on it, "
		    "and make a new one if it was exposed",
		    path);
	return 0;
}

static int
read_all(int fd, const char *path, uint8_t *buf, size_t max, size_t *len,
    struct err *err)
{
	*len = 0;
	while (*len < max) {
		ssize_t n = read(fd, buf + *len, max - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(
			    err, "cannot read key file '%s'", path);
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return 0;
}

int
access_keyfile_read(const char *path, struct identity **out, struct err *err)
{
	AUTO(secret_bytes) uint8_t *buf = NULL;
	/* Not to wait for a writer where the path is a FIFO. */
	FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len;
	int ret;

	if (fd < 0)
		return err_errno(err, "cannot open key file '%s'", path);
	if ((ret = check_file(fd, path, err)) != 0)
		return ret;
	/* One byte more than it may have, so that too much is noticed. */
	buf = secret_alloc(IDENTITY_OBJECT_MAX + 1);
	if (buf == NULL)
		return err_nomem(err);
	ret = read_all(fd, path, buf, IDENTITY_OBJECT_MAX + 1, &len, err);
	if (ret != 0)
		return ret;
	if (len > IDENTITY_OBJECT_MAX)
		return err_set(
		    err, ERR_CORRUPT, "'%s' is too long for a key file", path);
	if ((ret = identity_decode(buf, len, NULL, out, err)) != 0)
		return err_wrap(err, "cannot use key file '%s'", path);
	return 0;
}

/* --- writing ------------------------------------------------------------ */

static int
write_all(int fd, const uint8_t *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/* So that the file's name is durable too. */
static int
sync_parent(const char *path)
{
	AUTO(text) char *copy = strdup(path);
	FD_AUTO int fd = -1;

	if (copy == NULL)
		return -1;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -1 : fsync(fd);
}

int
access_write_keyfile(
    const struct identity *host, const char *path, struct err *err)
{
	WR_AUTO struct wr w = {.secret = true};
	FD_AUTO int fd = -1;
	int ret;

	if (host->pub.kind == IDENTITY_PERSON)
		return err_set(err, ERR_USAGE,
		    "'%s' is a person: only a host or a site has a key file",
		    host->pub.name);
	if ((ret = identity_encode(host, NULL, &w, err)) != 0)
		return ret;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_USAGE, "'%s' exists already", path);
	if (fd < 0)
		return err_errno(err, "cannot make key file '%s'", path);
	if (write_all(fd, w.buf, w.len) != 0 || fsync(fd) != 0 ||
	    sync_parent(path) != 0) {
		ret = err_errno(err, "cannot write key file '%s'", path);
		(void)unlink(path);
		return ret;
	}
	return 0;
}
