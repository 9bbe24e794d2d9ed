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

/* That of a dataset which was left is there, too, and has nothing in it. */
#define LEFT_DIR DIR "/left"
#define LEFT_PATH (sizeof(LEFT_DIR) + 1 + 2 * STORE_DATASET_LEN)

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

/* --- datasets that a promotion left --------------------------------------- */

static const char *
left_path(const uint8_t dataset[STORE_DATASET_LEN], char out[LEFT_PATH])
{
	int at = snprintf(out, LEFT_PATH, "%s/", LEFT_DIR);

	for (size_t i = 0; i < STORE_DATASET_LEN; i++)
		at += snprintf(
		    out + at, LEFT_PATH - (size_t)at, "%02x", dataset[i]);
	return out;
}

int
dirstore_left(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    bool *left, struct err *err)
{
	const struct dirstore *d = dirstore_of(s);
	char path[LEFT_PATH];

	*left = faccessat(d->root, left_path(dataset, path), F_OK,
		    AT_SYMLINK_NOFOLLOW) == 0;
	if (*left || errno == ENOENT)
		return 0;
	*left = true;
	return dirstore_fail(d, err, "look at", path);
}

static int
make_left(const struct dirstore *d, const char *path, struct err *err)
{
	int fd = d->io->open(d->io->arg, d->root, path,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, MARK_MODE);

	if (fd < 0)
		return dirstore_fail(d, err, "make", path);
	(void)close(fd);
	return 0;
}

int
dirstore_set_left(struct store *s, const uint8_t dataset[STORE_DATASET_LEN],
    bool left, struct err *err)
{
	struct dirstore *d = dirstore_of(s);
	char path[LEFT_PATH];
	int rc = 0;

	(void)left_path(dataset, path);
	if (left) {
		rc = dirstore_make_dir(d, LEFT_DIR, err);
		if (rc == 0)
			rc = make_left(d, path, err);
	} else if (d->io->unlink(d->io->arg, d->root, path, 0) != 0) {
		if (errno == ENOENT)
			return 0;
		rc = dirstore_fail(d, err, "remove", path);
	}
	return rc != 0 ? rc : dirstore_sync_dir(d, LEFT_DIR, err);
}
