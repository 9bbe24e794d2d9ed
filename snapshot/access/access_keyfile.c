#include "snapshot/access/access_internal.h"
#include "snapshot/store/plainfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A key file: whoever can read it is the host, or the site. */

static void
secret_bytes_auto(uint8_t **p)
{
	secret_free(*p);
}

/* --- reading ------------------------------------------------------------ */

static int
check_file(int fd, const char *path, bool *exposed, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(err, "cannot read key file '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(
		    err, ERR_USAGE, "key file '%s' is not a file", path);
	*exposed = (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
	return 0;
}

/* Of what is no key at all, nobody is told to change the mode. */
static int
decode(const uint8_t *buf, size_t len, const char *path, bool exposed,
    struct identity **out, struct err *err)
{
	AUTO(identity) struct identity *id = NULL;
	int ret = identity_decode(buf, len, NULL, &id, err);

	*out = NULL;
	if (ret == ERR_CORRUPT && exposed)
		err->code = ret = ERR_DENIED;
	if (ret != 0)
		return err_wrap(
		    err, "'%s' is no key file, or a damaged one", path);
	if (exposed)
		return err_set(err, ERR_DENIED,
		    "key file '%s' is open to others: run 'chmod 600' on it, "
		    "and make a new one if it was exposed",
		    path);
	*out = STEAL(id);
	return 0;
}

int
access_keyfile_read(const char *path, struct identity **out, struct err *err)
{
	AUTO(secret_bytes) uint8_t *buf = NULL;
	/* Not to wait for a writer where the path is a FIFO. */
	FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool exposed = false;
	size_t len;
	int ret;

	if (fd < 0)
		return err_errno(err, "cannot open key file '%s'", path);
	if ((ret = check_file(fd, path, &exposed, err)) != 0)
		return ret;
	/* One byte more than it may have, so that too much is noticed. */
	buf = secret_alloc(IDENTITY_OBJECT_MAX + 1);
	if (buf == NULL)
		return err_nomem(err);
	if (plainfile_read(fd, buf, IDENTITY_OBJECT_MAX + 1, &len) != 0)
		return err_errno(err, "cannot read key file '%s'", path);
	if (len > IDENTITY_OBJECT_MAX)
		return err_set(
		    err, ERR_USAGE, "'%s' is too long for a key file", path);
	return decode(buf, len, path, exposed, out, err);
}

/* --- writing ------------------------------------------------------------ */

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
	if (plainfile_write(fd, w.buf, w.len) != 0 || fsync(fd) != 0 ||
	    plainfile_sync_parent(path) != 0) {
		ret = err_errno(err, "cannot write key file '%s'", path);
		(void)unlink(path);
		return ret;
	}
	return 0;
}
