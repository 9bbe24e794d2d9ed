#include "snapshot/store/dirstore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * The mark of a replica is a file that is there (FORMAT.md section 2). It holds
 * the name of the site, for messages; what else it holds doesn't matter.
 */
#define DIR "site"
#define MARK DIR "/replica"
#define MARK_NEW DIR "/replica.new"
#define MARK_MODE 0644

/* Whoever can't read the mark can't tell: the caller takes it for a replica. */
int
dirstore_replica(
    struct store *s, bool *replica, char site[STORE_SITE_MAX], struct err *err)
{
	const struct dirstore *d = dirstore_of(s);
	int fd = openat(
	    d->root, MARK, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 && errno == ENOENT) {
		*replica = false;
		return 0;
	}
	if (fd < 0)
		return dirstore_fail(d, err, "open", MARK);
	n = read(fd, site, STORE_SITE_MAX - 1);
	(void)close(fd);
	if (n < 0)
		return dirstore_fail(d, err, "read", MARK);
	site[n] = '\0';
	for (char *p = site; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			*p = '\0';
	*replica = true;
	return 0;
}

static int
write_mark(const struct dirstore *d, const char *site, struct err *err)
{
	char text[STORE_SITE_MAX + 1];
	int len = snprintf(text, sizeof(text), "%s\n", site);
	int fd = d->io->open(d->io->arg, d->root, MARK_NEW,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, MARK_MODE);
	int rc = 0;

	if (fd < 0)
		return dirstore_fail(d, err, "make", MARK_NEW);
	if (d->io->write(d->io->arg, fd, text, (size_t)len) != len ||
	    d->io->fsync(d->io->arg, fd) != 0)
		rc = dirstore_fail(d, err, "write", MARK_NEW);
	(void)close(fd);
	if (rc == 0 &&
	    d->io->rename(d->io->arg, d->root, MARK_NEW, MARK, 0) != 0)
		rc = dirstore_fail(d, err, "make", MARK);
	return rc;
}

int
dirstore_set_replica(struct store *s, const char *site, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	int rc = 0;

	if (site != NULL && strlen(site) >= STORE_SITE_MAX)
		return err_set(err, ERR_USAGE, "a site's name is too long");
	if (site != NULL) {
		rc = dirstore_make_dir(d, DIR, err);
		if (rc == 0)
			rc = write_mark(d, site, err);
	} else if (d->io->unlink(d->io->arg, d->root, MARK, 0) != 0) {
		if (errno == ENOENT)
			return 0;
		rc = dirstore_fail(d, err, "remove", MARK);
	}
	return rc != 0 ? rc : dirstore_sync_dir(d, DIR, err);
}
